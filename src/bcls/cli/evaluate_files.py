"""The part of `bcls evaluate` that judges embeddings or similarities from files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.cli.arguments import scorer_from
from bcls.errors import InputError
from bcls.evaluation import (
    CosineSimilarity,
    RetrievalTruth,
    evaluate_similarity,
    match_rows,
    read_caption_image,
    read_embeddings,
    read_ids,
    read_similarity,
)
from bcls.evaluation.protocols import folds

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
    relevance = None
    if given["data"] is not None:
        dataset = _open_dataset(given["data"], given["split"])
        part = dataset.split(given["split"])
        source = f"the split {given['split']!r} of {given['data']}"
        orders = [side.order(ids, source) for side, ids in zip(sides, (part.image_ids, part.caption_ids), strict=True)]
        truth = RetrievalTruth(part.caption_image, len(part.images), part.image_ids, part.caption_ids)
        relevance = _relevance(given, dataset)
    else:
        source = given["caption_image"]
        orders = [np.arange(side.rows) for side in sides]
        truth = _truth_from_file(source, *sides)
    try:
        folds(given["protocol"], truth)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    metrics = evaluate_similarity(_ask(arrays, orders), truth, protocol=given["protocol"], relevance=relevance)
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
    if (given["data"] is None) == (given["caption_image"] is None):
        raise InputError("which caption belongs to which image? Give one of --data and --caption_image")
    if given["features"] is not None:
        raise InputError("--features is for models; embeddings are judged as they are")
    if given["data"] is None and (given["scorer"] not in {None, "none"} or given["scene_truth"]):
        raise InputError("graded metrics need captions: name the data set with --data in place of --caption_image")


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


def _relevance(given: dict[str, Any], dataset: RetrievalDataset) -> Any:
    from bcls.data.labels import label_split  # noqa: PLC0415
    from bcls.data.scenes import open_scene_relevance  # noqa: PLC0415

    if given["scene_truth"]:
        return open_scene_relevance(given["data"], given["split"])
    if given["scorer"] == "none":
        return None
    scorer = scorer_from(given["scorer"] or "cider")
    return label_split(dataset, given["split"], scorer, Path(given["labels"]), fit_split=given["fit_split"])


def _truth_from_file(file: str, images: _Side, captions: _Side) -> RetrievalTruth:
    rows = read_caption_image(file)
    if len(rows) != captions.rows:
        raise InputError(f"{file}: image rows of {len(rows)} captions, but {captions.file} has {captions.rows}")
    ids = images.ids(), captions.ids()
    try:
        return RetrievalTruth(rows, images.rows, *ids)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def _ask(arrays: list[NDArray[Any]], orders: list[NDArray[np.int64]]) -> Any:
    """What fills a block of the similarity matrix, with the files' rows in the order of the truth."""
    if len(arrays) == 2:
        return CosineSimilarity(*(array[order] for array, order in zip(arrays, orders, strict=True)))
    (matrix,) = arrays

    def ask(images: NDArray[np.int64], captions: NDArray[np.int64]) -> NDArray[Any]:
        return np.asarray(matrix[np.ix_(orders[0][images], orders[1][captions])])

    return ask
