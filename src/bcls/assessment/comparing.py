"""Evaluating several models on the same queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from bcls.assessment.inputs import image_source, open_splits
from bcls.assessment.split_evaluator import SplitEvaluator
from bcls.data import RetrievalDataset
from bcls.data.labels import label_split
from bcls.data.scenes import open_scene_relevance
from bcls.errors import InputError
from bcls.evaluation import JUDGED, RetrievalTruth, judge, per_query_similarity, summarise
from bcls.models import RetrievalModel
from bcls.relevance import Scorer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


OnSplit: TypeAlias = "Callable[[RetrievalDataset], Any]"
"""Makes the similarity of a split's images and captions, for a model that is given by files."""


@dataclass(frozen=True)
class ModelOnData:
    """A model, and the data and features (None = pictures) to evaluate it on."""

    model: str | Path
    data: str
    features: str | None


@dataclass(frozen=True)
class EvaluatedModels:
    """Several models' results on the queries of one split.

    Attributes:
        part: the split; None where no data set is known.
        truth: the image of every caption.
        relevance: continuous labels, or None.
        protocol: what was ranked against what.
        similarities: of each model, by its name.
        results: of each model, what `per_query_similarity` returned; empty for a protocol with judgements of its own,
            which makes one number of all queries.
        metrics: of each model, what `evaluate` tells.
    """

    part: RetrievalDataset | None
    truth: RetrievalTruth
    relevance: Any
    protocol: str
    similarities: dict[str, Any]
    results: dict[str, dict[str, NDArray[np.float64]]]
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)


def evaluate_models(
    models: Mapping[str, ModelOnData],
    split: str,
    *,
    scorer: Scorer | None = None,
    scene_truth: bool = False,
    labels_folder: Path = Path("runs/labels"),
    fit_split: str = "train",
    protocol: str = "whole",
    relevance: Any = None,
    files: Sequence[str | Path] = (),
    others: Mapping[str, OnSplit] | None = None,
    data: str | None = None,
) -> EvaluatedModels:
    """Every query's result by each model.

    Args:
        models: by name; their data may lie at different places, but must hold the same split.
        split: which part.
        scorer: continuous labels for the graded metrics; None = binary metrics only.
        scene_truth: evaluate by the true relevance of made scenes instead.
        labels_folder: where the scorer's encodings are kept.
        fit_split: the split that the scorer's document frequencies come from.
        protocol: name of an evaluation protocol, of one with judgements of its own too.
        relevance: a matrix (images, captions) in place of a scorer.
        files: the judgements' files, where the protocol takes any.
        others: further models by name, each as what makes its similarity of the split.
        data: path of the data set; None = that of the first model.

    Raises:
        InputError: no model, splits that differ, unknown names, data with problems, or a model that does not fit its
            data.
    """
    if not models and not (others and data):
        raise InputError("models is empty; name at least one")
    datasets = {name: open_splits(on.data, [split], on.features) for name, on in models.items()}
    parts = {name: dataset.split(split) for name, dataset in datasets.items()}
    if data is None:
        data, dataset = next(iter(models.values())).data, next(iter(datasets.values()))
    else:
        dataset = open_splits(data, [split], None, images=False)
    part = dataset.split(split)
    for name, other in parts.items():
        if other.content_hash() != part.content_hash():
            raise InputError(
                f"{next(iter(models))} and {name} cannot be compared: the split {split!r} of {data} and that of "
                f"{models[name].data} hold other images or captions; name one data set with --data"
            )
    if scene_truth:
        relevance = open_scene_relevance(data, split)
    elif scorer is not None and relevance is None:
        aggregate = JUDGED[protocol].aggregate if protocol in JUDGED else "max"
        relevance = label_split(dataset, split, scorer, labels_folder, fit_split=fit_split, aggregate=aggregate)
    truth = RetrievalTruth(part.caption_image, len(part.images), part.image_ids, part.caption_ids)
    similarities: dict[str, Any] = {}
    for name, on in models.items():
        model = RetrievalModel.from_pretrained(on.model)
        evaluator = SplitEvaluator(parts[name], image_source(parts[name], on.features, model), model)
        similarities[name] = evaluator.similarity(model)
    similarities |= {name: make(part) for name, make in (others or {}).items()}
    results, metrics = evaluate_similarities(similarities, truth, protocol=protocol, relevance=relevance, files=files)
    return EvaluatedModels(part, truth, relevance, protocol, similarities, results, metrics)


def evaluate_similarities(
    similarities: Mapping[str, Any],
    truth: RetrievalTruth,
    *,
    protocol: str = "whole",
    relevance: Any = None,
    files: Sequence[str | Path] = (),
) -> tuple[dict[str, dict[str, NDArray[np.float64]]], dict[str, dict[str, float]]]:
    """Every query's result, and the metrics, by each of several similarities.

    Args:
        similarities: by the model's name, as `per_query_similarity` takes them.
        truth: the image of every caption.
        protocol: name of an evaluation protocol.
        relevance: as `per_query_similarity` takes it.
        files: the judgements' files, where the protocol takes any.

    Returns:
        Results of the queries (empty for a protocol with judgements of its own) and metrics, both by name.

    Raises:
        InputError: as the evaluation raises it.
    """
    if protocol in JUDGED:
        return {}, {
            name: judge(protocol, similarity, truth, relevance=relevance, files=files)
            for name, similarity in similarities.items()
        }
    results = {
        name: per_query_similarity(similarity, truth, protocol=protocol, relevance=relevance)
        for name, similarity in similarities.items()
    }
    return results, {name: summarise(found, truth, protocol) for name, found in results.items()}
