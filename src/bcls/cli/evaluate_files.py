"""The part of `bcls evaluate` that judges embeddings or similarities from files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.cli.file_side import Side
from bcls.cli.file_truth import truth_of_files
from bcls.cli.yardstick import given_relevance, given_scorer, judged_protocol
from bcls.errors import InputError
from bcls.evaluation import (
    CosineSimilarity,
    RetrievalTruth,
    evaluate_similarity,
    judge,
    read_embeddings,
    read_similarity,
)
from bcls.evaluation.protocols import folds
from bcls.evaluation.similarity import MatrixSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcls.data import RetrievalDataset

Judged = tuple[str, dict[str, float], dict[str, Any], Path]


def judge_files(given: dict[str, Any]) -> Judged:
    """Name, metrics, what was judged, and where the result belongs.

    Raises:
        InputError: options or files that do not fit each other, or files that cannot be used.
    """
    _refuse_misfits(given)
    arrays, sides = _read_arrays(given)
    relevance: Any = given_relevance(given, given["data"])
    if given["data"] is not None:
        dataset = _open_dataset(given["data"], given["split"])
        part = dataset.split(given["split"])
        source = f"the split {given['split']!r} of {given['data']}"
        orders = [side.order(ids, source) for side, ids in zip(sides, (part.image_ids, part.caption_ids), strict=True)]
        truth = RetrievalTruth(part.caption_image, len(part.images), part.image_ids, part.caption_ids)
        relevance = _relevance(given, dataset) if relevance is None else relevance
    else:
        orders = [np.arange(side.rows) for side in sides]
        truth, source = truth_of_files(given, *sides)
    metrics = _metrics(given, _ask(arrays, orders), truth, relevance, source)
    about = {
        name: given[name]
        for name in ("image_embeddings", "caption_embeddings", "similarity", "caption_image", "data")
        if given[name] is not None
    }
    if relevance is None:
        about["scorer"] = "none"
    if given["data"] is None:
        about["split"] = None
        if given["caption_image"] is None:
            about["pairs"] = source
    name = Path(sides[0].file).stem
    return name, metrics, about, Path(f"{name}.result.json")


def _refuse_misfits(given: dict[str, Any]) -> None:
    pair = [given["image_embeddings"], given["caption_embeddings"]]
    if given["similarity"] is not None and any(pair):
        raise InputError("give either --similarity or --image_embeddings and --caption_embeddings, not both")
    if given["similarity"] is None and not all(pair):
        missing = "image" if pair[0] is None else "caption"
        raise InputError(f"--{missing}_embeddings is missing: a judgement needs both sides")
    if given["data"] is not None and given["caption_image"] is not None:
        raise InputError("which caption belongs to which image? Give one of --data and --caption_image, not both")
    if given["first_stage"] is not None:
        raise InputError("--first_stage is for a model, which ranks its best anew; files are judged as they are")
    if given["ensemble"]:
        raise InputError("--ensemble is for models; of files, judge the mean of the similarities by --similarity")
    if given["features"] is not None:
        raise InputError("--features is for models; embeddings are judged as they are")
    if given["data"] is None and (given["scorer"] not in {None, "none"} or given["scene_truth"]):
        raise InputError("graded metrics need captions: name the data set with --data in place of --caption_image")


def _read_arrays(given: dict[str, Any]) -> tuple[list[NDArray[Any]], tuple[Side, Side]]:
    ids = given["image_ids"], given["caption_ids"]
    if given["similarity"] is not None:
        matrix = read_similarity(given["similarity"])
        images, captions = (
            Side(what, given["similarity"], rows, file)
            for what, rows, file in zip(("image", "caption"), matrix.shape, ids, strict=True)
        )
        return [matrix], (images, captions)
    arrays = [read_embeddings(given[f"{what}_embeddings"]) for what in ("image", "caption")]
    images, captions = (
        Side(what, given[f"{what}_embeddings"], len(array), file)
        for what, array, file in zip(("image", "caption"), arrays, ids, strict=True)
    )
    if arrays[0].shape[1] != arrays[1].shape[1]:
        raise InputError(
            f"{images.file} has {arrays[0].shape[1]} dimensions and {captions.file} has {arrays[1].shape[1]}: "
            "images and captions must lie in one space"
        )
    return arrays, (images, captions)


def _open_dataset(path: str, split: str) -> RetrievalDataset:
    from bcls.data import check_dataset, read_dataset, refuse_problems  # noqa: PLC0415

    dataset = read_dataset(path)
    problems = check_dataset(dataset.split(split), pictures=False, features=[])
    refuse_problems(problems, f"bcls data check {path}")
    return dataset


def _metrics(given: dict[str, Any], ask: Any, truth: RetrievalTruth, relevance: Any, source: str) -> dict[str, float]:
    if judged_protocol(given["protocol"]) is not None:
        return judge(given["protocol"], ask, truth, relevance=relevance, files=given["judgements"] or ())
    try:
        folds(given["protocol"], truth)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    return evaluate_similarity(ask, truth, protocol=given["protocol"], relevance=relevance)


def _relevance(given: dict[str, Any], dataset: RetrievalDataset) -> Any:
    from bcls.data.labels import label_split  # noqa: PLC0415
    from bcls.data.scenes import open_scene_relevance  # noqa: PLC0415

    if given["scene_truth"]:
        return open_scene_relevance(given["data"], given["split"])
    scorer = given_scorer(given)
    if scorer is None:
        return None
    judged = judged_protocol(given["protocol"])
    return label_split(
        dataset,
        given["split"],
        scorer,
        Path(given["labels"]),
        fit_split=given["fit_split"],
        aggregate="max" if judged is None else judged.aggregate,
    )


def _ask(arrays: list[NDArray[Any]], orders: list[NDArray[np.int64]]) -> Any:
    """What fills a block of the similarity matrix, with the files' rows in the order of the truth."""
    if len(arrays) == 2:
        return CosineSimilarity(*(array[order] for array, order in zip(arrays, orders, strict=True)))
    return _Reordered(arrays[0], *orders)


@dataclass(frozen=True, eq=False)
class _Reordered:
    """A file's matrix with its rows in the order of the truth."""

    matrix: NDArray[Any]
    images: NDArray[np.int64]
    captions: NDArray[np.int64]

    def __call__(self, images: NDArray[np.int64], captions: NDArray[np.int64]) -> NDArray[Any]:
        rows, columns = self.images[images], self.captions[captions]
        return MatrixSource(self.matrix)(rows, columns)

    def pairs(self, images: NDArray[np.int64], captions: NDArray[np.int64]) -> NDArray[Any]:
        return MatrixSource(self.matrix).pairs(self.images[images], self.captions[captions])
