"""The part of `bcls evaluate` that judges embeddings or similarities from files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.cli.yardstick import given_relevance, given_scorer, judged_protocol
from bcls.errors import InputError
from bcls.evaluation import (
    CosineSimilarity,
    RetrievalTruth,
    evaluate_similarity,
    judge,
    match_rows,
    read_caption_image,
    read_embeddings,
    read_ids,
    read_similarity,
)
from bcls.evaluation.protocols import folds
from bcls.evaluation.similarity import MatrixSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcls.data import RetrievalDataset

Judged = tuple[str, dict[str, float], dict[str, Any], Path]


@dataclass(frozen=True)
class _Side:
    """One side of a matrix: what its rows are called, and how many the files hold."""

    what: str
    file: str
    rows: int
    ids_file: str | None

    def ids(self) -> list[str] | None:
        if self.ids_file is None:
            return None
        ids = read_ids(self.ids_file)
        if len(ids) != self.rows:
            raise InputError(f"{self.ids_file}: {len(ids)} ids for the {self.rows} {self.what}s of {self.file}")
        return ids

    def order(self, wanted: list[str], source: str) -> NDArray[np.int64]:
        """The file's row of each of the data set's rows."""
        ids = self.ids()
        if ids is not None:
            return match_rows(ids, wanted, str(self.ids_file), source)
        if self.rows != len(wanted):
            raise InputError(
                f"{self.file}: {self.rows} {self.what}s, but {source} has {len(wanted)}; "
                f"rows must lie in its order, or name their ids with --{self.what}_ids"
            )
        return np.arange(self.rows)


def judge_files(given: dict[str, Any]) -> Judged:
    """Name, metrics, what was judged, and where the result belongs.

    Raises:
        InputError: options or files that do not fit each other, or files that cannot be used.
    """
    _refuse_misfits(given)
    arrays, sides = _read_arrays(given)
    relevance: Any = given_relevance(given)
    if given["data"] is not None:
        dataset = _open_dataset(given["data"], given["split"])
        part = dataset.split(given["split"])
        source = f"the split {given['split']!r} of {given['data']}"
        orders = [side.order(ids, source) for side, ids in zip(sides, (part.image_ids, part.caption_ids), strict=True)]
        truth = RetrievalTruth(part.caption_image, len(part.images), part.image_ids, part.caption_ids)
        relevance = _relevance(given, dataset) if relevance is None else relevance
    else:
        orders = [np.arange(side.rows) for side in sides]
        source = given["caption_image"] or f"{given['image_ids']} and {given['caption_ids']}"
        truth = _truth_from_ids(given, *sides) if given["caption_image"] is None else _truth_from_file(source, *sides)
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
    name = Path(sides[0].file).stem
    return name, metrics, about, Path(f"{name}.result.json")


def _refuse_misfits(given: dict[str, Any]) -> None:
    pair = [given["image_embeddings"], given["caption_embeddings"]]
    if given["similarity"] is not None and any(pair):
        raise InputError("give either --similarity or --image_embeddings and --caption_embeddings, not both")
    if given["similarity"] is None and not all(pair):
        missing = "image" if pair[0] is None else "caption"
        raise InputError(f"--{missing}_embeddings is missing: a judgement needs both sides")
    told = [given["data"] is not None, given["caption_image"] is not None]
    judged = judged_protocol(given["protocol"])
    if all(told) or not (any(told) or (judged is not None and judged.truth_from_ids is not None)):
        raise InputError("which caption belongs to which image? Give one of --data and --caption_image")
    if given["first_stage"] is not None:
        raise InputError("--first_stage is for a model, which ranks its best anew; files are judged as they are")
    if given["features"] is not None:
        raise InputError("--features is for models; embeddings are judged as they are")
    if given["data"] is None and (given["scorer"] not in {None, "none"} or given["scene_truth"]):
        raise InputError("graded metrics need captions: name the data set with --data in place of --caption_image")
    if not any(told) and not (given["image_ids"] and given["caption_ids"]):
        raise InputError(
            f"the protocol {given['protocol']!r} finds its images and captions by their ids: name them with "
            "--image_ids and --caption_ids, or give --data"
        )


def _read_arrays(given: dict[str, Any]) -> tuple[list[NDArray[Any]], tuple[_Side, _Side]]:
    ids = given["image_ids"], given["caption_ids"]
    if given["similarity"] is not None:
        matrix = read_similarity(given["similarity"])
        images, captions = (
            _Side(what, given["similarity"], rows, file)
            for what, rows, file in zip(("image", "caption"), matrix.shape, ids, strict=True)
        )
        return [matrix], (images, captions)
    arrays = [read_embeddings(given[f"{what}_embeddings"]) for what in ("image", "caption")]
    images, captions = (
        _Side(what, given[f"{what}_embeddings"], len(array), file)
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


def _truth_from_file(file: str, images: _Side, captions: _Side) -> RetrievalTruth:
    rows = read_caption_image(file)
    if len(rows) != captions.rows:
        raise InputError(f"{file}: image rows of {len(rows)} captions, but {captions.file} has {captions.rows}")
    ids = images.ids(), captions.ids()
    try:
        return RetrievalTruth(rows, images.rows, *ids)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def _truth_from_ids(given: dict[str, Any], images: _Side, captions: _Side) -> RetrievalTruth:
    judged, ids = judged_protocol(given["protocol"]), (images.ids(), captions.ids())
    if judged is None or judged.truth_from_ids is None or ids[0] is None or ids[1] is None:
        raise InputError("which caption belongs to which image? Give one of --data and --caption_image")
    return judged.truth_from_ids(ids[0], ids[1])


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
