"""Judging several models on the same queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bcls.data import RetrievalDataset
from bcls.data.labels import label_split
from bcls.data.scenes import open_scene_relevance
from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, per_query_similarity
from bcls.models import RetrievalModel
from bcls.relevance import RelevanceSource, Scorer
from bcls.training.inputs import image_source, open_splits
from bcls.training.model_similarity import ModelSimilarity
from bcls.training.validation import SplitJudge

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ModelOnData:
    """A model, and the data and features (None = pictures) to judge it on."""

    model: str | Path
    data: str
    features: str | None


@dataclass(frozen=True)
class JudgedModels:
    """Several models' results on the queries of one split.

    Attributes:
        part: the split.
        truth: the image of every caption.
        relevance: continuous labels, or None.
        protocol: what was ranked against what.
        similarities: of each model, by its name.
        results: of each model, what `per_query` returned.
    """

    part: RetrievalDataset
    truth: RetrievalTruth
    relevance: RelevanceSource | None
    protocol: str
    similarities: dict[str, ModelSimilarity]
    results: dict[str, dict[str, NDArray[np.float64]]]


def judge_models(
    models: Mapping[str, ModelOnData],
    split: str,
    *,
    scorer: Scorer | None = None,
    scene_truth: bool = False,
    labels_folder: Path = Path("runs/labels"),
    fit_split: str = "train",
    protocol: str = "whole",
) -> JudgedModels:
    """Every query's result by each model.

    Args:
        models: by name; their data may lie at different places, but must hold the same split.
        split: which part.
        scorer: continuous labels for the graded metrics; None = binary metrics only.
        scene_truth: judge by the true relevance of made scenes instead.
        labels_folder: where the scorer's encodings are kept.
        fit_split: the split that the scorer's document frequencies come from.
        protocol: name of an evaluation protocol.

    Raises:
        InputError: no model, splits that differ, unknown names, data with problems, or a model that does not fit its
            data.
    """
    if not models:
        raise InputError("models is empty; name at least one")
    datasets = {name: open_splits(on.data, [split], on.features) for name, on in models.items()}
    parts = {name: dataset.split(split) for name, dataset in datasets.items()}
    first = next(iter(models))
    for name, part in parts.items():
        if part.content_hash() != parts[first].content_hash():
            raise InputError(
                f"{first} and {name} cannot be compared: the split {split!r} of {models[first].data} and that of "
                f"{models[name].data} hold other images or captions; name one data set with --data"
            )
    part = parts[first]
    relevance: RelevanceSource | None = None
    if scene_truth:
        relevance = open_scene_relevance(models[first].data, split)
    elif scorer is not None:
        relevance = label_split(datasets[first], split, scorer, labels_folder, fit_split=fit_split)
    truth = RetrievalTruth(part.caption_image, len(part.images), part.image_ids, part.caption_ids)
    similarities = {}
    for name, on in models.items():
        model = RetrievalModel.from_pretrained(on.model)
        judge = SplitJudge(parts[name], image_source(parts[name], on.features, model), model)
        similarities[name] = judge.similarity(model)
    results = {
        name: per_query_similarity(similarity, truth, protocol=protocol, relevance=relevance)
        for name, similarity in similarities.items()
    }
    return JudgedModels(part, truth, relevance, protocol, similarities, results)
