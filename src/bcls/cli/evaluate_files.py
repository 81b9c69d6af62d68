"""The part of `bcls evaluate` that judges embeddings or similarities from files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.cli.evaluation import Evaluation
from bcls.cli.file_side import Side
from bcls.cli.file_truth import truth_of_files
from bcls.cli.yardstick import given_relevance, given_scorer, judged_protocol, result_name
from bcls.errors import InputError
from bcls.evaluation import (
    RetrievalTruth,
    embeddings_similarity,
    evaluate_similarity,
    judge,
    read_embeddings,
    read_similarity,
)
from bcls.evaluation.dot import SIMILARITY_FUNCTIONS
from bcls.evaluation.protocols import folds
from bcls.evaluation.similarity import MatrixSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcls.data import RetrievalDataset


@dataclass(frozen=True, eq=False)
class ModelFiles:
    """The files of one model.

    Attributes:
        arrays: the similarity matrix, or the embeddings of images and of captions.
        sides: what their rows are.
        similarity_function: how embeddings are compared.
    """

    arrays: list[NDArray[Any]]
    sides: tuple[Side, Side]
    similarity_function: str

    def on_split(self, part: RetrievalDataset, source: str) -> Any:
        """The similarity with its rows in the order of a split.

        Raises:
            InputError: rows that are not the split's.
        """
        ids = part.image_ids, part.caption_ids
        return self._ask([side.order(one, source) for side, one in zip(self.sides, ids, strict=True)])

    def in_order(self) -> Any:
        """The similarity with its rows as they are."""
        return self._ask([np.arange(side.rows) for side in self.sides])

    def _ask(self, orders: list[NDArray[np.int64]]) -> Any:
        if len(self.arrays) == 2:
            images, captions = (array[order] for array, order in zip(self.arrays, orders, strict=True))
            return embeddings_similarity(images, captions, self.similarity_function)
        return _Reordered(self.arrays[0], *orders)


@dataclass(frozen=True, eq=False)
class FilesOnData:
    """Everything that a judgement of files needs.

    Attributes:
        similarity: in the order of the truth.
        truth: the image of every caption.
        relevance: continuous labels, or None.
        source: what told the truth.
    """

    similarity: Any
    truth: RetrievalTruth
    relevance: Any
    source: str


def judge_files(given: dict[str, Any]) -> Evaluation:
    """What files come to.

    Raises:
        InputError: options or files that do not fit each other, or files that cannot be used.
    """
    refuse_misfits(given)
    files = read_files(given)
    if given["data"] is None:
        given["split"] = None
    about = {
        name: given[name]
        for name in ("image_embeddings", "caption_embeddings", "similarity", "caption_image", "data")
        if given[name] is not None
    }
    about |= {name: given[name] for name in ("image_ids", "caption_ids") if given[name] is not None}
    if given["similarity_function"] != "cosine":
        about["similarity_function"] = given["similarity_function"]
    name = Path(files.sides[0].file.replace(".safetensors:", "-")).stem
    if given["data"] is None and given["relevance"] is None:
        about["scorer"] = "none"
        given["scorer"] = "none"
    if given["data"] is None and given["caption_image"] is None:
        about["pairs"] = truth_of_files(given, *files.sides)[1]
    output = Path(".".join(part for part in (name, result_name(given), "result.json") if part))

    return Evaluation(name, about, output, lambda: _metrics(given, _on_data(given, files)))


def _on_data(given: dict[str, Any], files: ModelFiles) -> FilesOnData:
    relevance: Any = given_relevance(given, given["data"])
    if given["data"] is None:
        truth, source = truth_of_files(given, *files.sides)
        return FilesOnData(files.in_order(), truth, relevance, source)
    dataset = open_dataset(given["data"], given["split"])
    part = dataset.split(given["split"])
    source = f"the split {given['split']!r} of {given['data']}"
    similarity = files.on_split(part, source)
    truth = RetrievalTruth(part.caption_image, len(part.images), part.image_ids, part.caption_ids)
    relevance = relevance_on_data(given, dataset) if relevance is None else relevance
    return FilesOnData(similarity, truth, relevance, source)


def refuse_misfits(given: dict[str, Any]) -> None:
    """Refuse options that do not fit each other.

    Raises:
        InputError: which, and why.
    """
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
    if given["similarity"] is not None and given["similarity_function"] != "cosine":
        raise InputError("--similarity_function is for embeddings; a similarity is judged as it is")
    if given["data"] is None and (given["scorer"] not in {None, "none"} or given["scene_truth"]):
        raise InputError("graded metrics need captions: name the data set with --data in place of --caption_image")


def read_files(given: dict[str, Any]) -> ModelFiles:
    """The files that the options name.

    Raises:
        InputError: a file cannot be used, or both do not fit each other.
    """
    ids, function = (given["image_ids"], given["caption_ids"]), given["similarity_function"]
    if given["similarity"] is not None:
        matrix = read_similarity(given["similarity"])
        images, captions = (
            Side(what, given["similarity"], rows, file)
            for what, rows, file in zip(("image", "caption"), matrix.shape, ids, strict=True)
        )
        return ModelFiles([matrix], (images, captions), function)
    if function not in SIMILARITY_FUNCTIONS:
        raise InputError(f"--similarity_function {function}: there are {', '.join(SIMILARITY_FUNCTIONS)}")
    arrays = [
        read_embeddings(given[f"{what}_embeddings"], zero_rows=function == "dot") for what in ("image", "caption")
    ]
    images, captions = (
        Side(what, given[f"{what}_embeddings"], len(array), file)
        for what, array, file in zip(("image", "caption"), arrays, ids, strict=True)
    )
    if arrays[0].shape[1] != arrays[1].shape[1]:
        raise InputError(
            f"{images.file} has {arrays[0].shape[1]} dimensions and {captions.file} has {arrays[1].shape[1]}: "
            "images and captions must lie in one space"
        )
    return ModelFiles(arrays, (images, captions), function)


def open_dataset(path: str, split: str) -> RetrievalDataset:
    """A whole data set of which a split is judged; neither images nor features are looked at.

    Raises:
        InputError: no such split, or problems in it.
    """
    from bcls.data import check_dataset, read_dataset, refuse_problems  # noqa: PLC0415

    dataset = read_dataset(path)
    problems = check_dataset(dataset.split(split), pictures=False, features=[])
    refuse_problems(problems, f"bcls data check {quote(str(path))}")
    return dataset


def _metrics(given: dict[str, Any], on: FilesOnData) -> dict[str, float]:
    protocol, files = given["protocol"], given["judgements"] or ()
    if judged_protocol(protocol) is not None:
        return judge(protocol, on.similarity, on.truth, relevance=on.relevance, files=files)
    try:
        folds(protocol, on.truth)
    except InputError as error:
        raise InputError(f"{on.source}: {error}") from None
    return evaluate_similarity(on.similarity, on.truth, protocol=protocol, relevance=on.relevance)


def relevance_on_data(given: dict[str, Any], dataset: RetrievalDataset) -> Any:
    """Continuous labels of the split by the scorer or the truth of the options; None where none is wanted."""
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
