"""Evaluating a trained model on a split of any data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bcls.assessment.inputs import image_source, open_splits
from bcls.assessment.model_similarity import ModelSimilarity
from bcls.assessment.split_evaluator import SplitEvaluator
from bcls.data.labels import label_split
from bcls.data.scenes import open_scene_relevance
from bcls.errors import InputError
from bcls.evaluation import JUDGED, MeanSimilarity, judge
from bcls.evaluation.similarity import PairSource
from bcls.models import RetrievalModel
from bcls.relevance import Scorer


@dataclass(frozen=True)
class OtherModel:
    """A model that is evaluated together with another one, on the same split.

    Args:
        model: in any mode.
        features: name of the features that its image tower takes; None = pictures.
    """

    model: RetrievalModel
    features: str | None


@dataclass(frozen=True)
class FirstStage(OtherModel):
    """What ranks everything before the evaluated model ranks the best of it anew.

    Args:
        top: how many candidates of a query are ranked anew.
    """

    top: int = 100


def evaluate_model(
    model: RetrievalModel,
    data: str,
    split: str,
    *,
    features: str | None,
    scorer: Scorer | None = None,
    scene_truth: bool = False,
    labels_folder: Path = Path("runs/labels"),
    fit_split: str = "train",
    protocol: str = "whole",
    relevance: Any = None,
    files: Sequence[Path] = (),
    first_stage: FirstStage | None = None,
    ensemble: Sequence[OtherModel] = (),
) -> dict[str, float]:
    """All metrics of a model on one split.

    Args:
        model: in any mode.
        data: path of the data set.
        split: which part.
        features: name of the features that the image tower takes; None = pictures.
        scorer: continuous labels for the graded metrics; None = binary metrics only.
        scene_truth: evaluate by the true relevance of made scenes instead.
        relevance: a matrix (images, captions) to evaluate by instead.
        files: the judgements' files, for a protocol that takes any.
        labels_folder: where the scorer's encodings are kept.
        fit_split: the split that the scorer's document frequencies come from.
        protocol: name of an evaluation protocol.
        first_stage: another model, whose best candidates alone this one ranks; None = this one ranks everything.
        ensemble: other models; what is evaluated is the mean of their similarities and this one's, all counting alike.

    Raises:
        InputError: unknown split or features, data with problems, a model that does not fit the data, or a first stage
            where it cannot be.
    """
    if first_stage is not None and ensemble:
        raise InputError("a first stage is ranked anew by one model, not by an ensemble: leave out one of them")
    if first_stage is not None and protocol in JUDGED:
        raise InputError(f"the protocol {protocol} judges one similarity, not two stages: leave out the first stage")
    dataset = open_splits(data, [split], features)
    part = dataset.split(split)
    if scene_truth:
        relevance = open_scene_relevance(data, split)
    elif scorer is not None and relevance is None:
        aggregate = JUDGED[protocol].aggregate if protocol in JUDGED else "max"
        relevance = label_split(dataset, split, scorer, labels_folder, fit_split=fit_split, aggregate=aggregate)
    evaluator = SplitEvaluator(part, image_source(part, features, model), model, relevance, protocol)
    if first_stage is not None:
        first = _similarity(data, split, first_stage)
        return evaluator.summary(evaluator.queries_reranked(model, first, first_stage.top))
    similarity: PairSource = evaluator.similarity(model)
    if ensemble:
        similarity = MeanSimilarity([similarity, *(_similarity(data, split, other) for other in ensemble)])
    if protocol not in JUDGED:
        return evaluator.summary(evaluator.queries_by(similarity))
    return judge(protocol, similarity, evaluator.truth, relevance=relevance, files=files)


def _similarity(data: str, split: str, other: OtherModel) -> ModelSimilarity:
    """Another model's similarity on the same split, by features of its own."""
    part = open_splits(data, [split], other.features).split(split)
    return SplitEvaluator(part, image_source(part, other.features, other.model), other.model).similarity(other.model)
