"""Models of `bcls compare` that are given by files of embeddings or similarities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.cli.evaluate_files import read_files, refuse_misfits
from bcls.cli.file_truth import truth_of_files
from bcls.cli.yardstick import given_relevance
from bcls.errors import InputError
from bcls.progress import counted

if TYPE_CHECKING:
    from bcls.assessment.comparing import EvaluatedModels
    from bcls.data import RetrievalDataset


@dataclass(frozen=True)
class FileModel:
    """One model's files.

    Args:
        given: the options as `bcls evaluate` takes them, of this model alone.
        shares_images: whether another model has the same file of image embeddings.
    """

    given: dict[str, Any]
    shares_images: bool = False

    @property
    def path(self) -> str:
        """A path from which the model's name is made: that of the file that is its own, without the suffix."""
        own = "caption_embeddings" if self.shares_images else "image_embeddings"
        file = self.given["similarity"] or self.given[own]
        return str(Path(file).with_suffix("")) if ".safetensors:" not in file else file.replace(".safetensors:", "/")

    def __str__(self) -> str:
        both = self.given["image_embeddings"], self.given["caption_embeddings"]
        return str(self.given["similarity"] or " + ".join(both))

    def on_split(self, source: str) -> Callable[[RetrievalDataset], Any]:
        """What makes the similarity of a split; `source` is how a message names it."""
        return lambda part: read_files(self.given).on_split(part, source)


def file_models(given: dict[str, Any]) -> list[FileModel]:
    """The models that the options give by files: those of embeddings first.

    Raises:
        InputError: options that do not fit each other.
    """
    images, captions = given["image_embeddings"] or [], given["caption_embeddings"] or []
    similarities = given["similarity"] or []
    if len(images) != len(captions):
        raise InputError(
            f"--image_embeddings names {len(images)} and --caption_embeddings {len(captions)}: each model needs both"
        )
    if not images and given["similarity_function"] != "cosine":
        raise InputError("--similarity_function is for files of embeddings")
    count = len(images) + len(similarities)
    ids = {name: _for_each(given, name, count) for name in ("image_ids", "caption_ids")}
    if given["caption_image"] is not None and (given["models"] or not count):
        raise InputError("--caption_image tells about rows of files; a model makes its own: name the data with --data")
    if given["caption_image"] is not None and given["data"] is not None:
        raise InputError("which caption belongs to which image? Give one of --data and --caption_image, not both")
    alone = {"first_stage": None, "ensemble": None, "features": None}
    if count and not given["models"] and given["features"] is not None:
        raise InputError("--features is for models; embeddings are judged as they are")
    pairs: list[tuple[str | None, ...]] = [(*pair, None) for pair in zip(images, captions, strict=True)]
    found = []
    for place, files in enumerate([*pairs, *((None, None, one) for one in similarities)]):
        own = dict(zip(("image_embeddings", "caption_embeddings", "similarity"), files, strict=True))
        own |= {name: of_models[place] for name, of_models in ids.items()}
        if own["similarity"] is not None:
            own["similarity_function"] = "cosine"
        found.append(FileModel({**given, **alone, **own}, images.count(own["image_embeddings"]) > 1))
    return found


def judge_without_data(models: Mapping[str, FileModel], given: dict[str, Any]) -> EvaluatedModels:
    """Judge files where no data set is named: a file, the ids or the protocol tell which caption is whose.

    Raises:
        InputError: nothing tells it, or the models' files are of different images and captions.
    """
    from bcls.assessment.comparing import EvaluatedModels, evaluate_similarities  # noqa: PLC0415

    truth, first, similarities = None, "", {}
    for name, model in models.items():
        refuse_misfits(model.given)
        files = read_files(model.given)
        own, _ = truth_of_files(model.given, *files.sides)
        if truth is None:
            truth, first = own, name
        same = own.images == truth.images and np.array_equal(own.caption_image, truth.caption_image)
        if not same or (own.image_ids, own.caption_ids) != (truth.image_ids, truth.caption_ids):
            raise InputError(
                f"{first} and {name} cannot be compared: their rows are of different images or captions, or in another "
                "order; name the data set with --data, which puts them in order"
            )
        similarities[name] = files.in_order()
    assert truth is not None
    relevance = given_relevance(given)
    results, metrics = evaluate_similarities(
        similarities, truth, protocol=given["protocol"], relevance=relevance, files=given["judgements"] or ()
    )
    return EvaluatedModels(None, truth, relevance, given["protocol"], similarities, results, metrics)


def _for_each(given: dict[str, Any], option: str, count: int) -> list[str | None]:
    """One file of ids for each model: the same for all where one is named."""
    named = given[option] or [None]
    if len(named) not in {1, count}:
        files, models = counted(len(named), "file"), counted(count, "model")
        raise InputError(f"--{option} names {files} for {models}: one for all, or one for each")
    return list(named) * (count if len(named) == 1 else 1)
