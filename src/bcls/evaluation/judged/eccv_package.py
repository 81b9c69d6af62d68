"""The judgements of COCO's test split that the package `eccv_caption` carries: its own, CxC's and COCO's.

Only its data files are read, its code is not run. Its ids are COCO's; `coco_test_ids.npy` lists the 25,000 captions in
the order of the five folds, five captions an image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from bcls.errors import InputError, MissingExtraError
from bcls.evaluation.array_files import read_array
from bcls.evaluation.judged.best_ranks import Judgements
from bcls.evaluation.judged.coco_ids import coco_numbers, rows_of_numbers
from bcls.evaluation.judged.positives import positives_from_ids
from bcls.evaluation.judged.task import Task
from bcls.evaluation.protocols import Fold
from bcls.evaluation.row_lists import examples
from bcls.evaluation.truth import RetrievalTruth, Rows
from bcls.files import read_json

FOLDS = 5


@dataclass(frozen=True, eq=False)
class CocoJudgements:
    """A gallery of COCO images and captions, and who judged which of them to belong together.

    Args:
        folder: holds `coco_test_ids.npy` and, for each judgement NAME, `NAME_image_to_caption.json` and
            `NAME_caption_to_image.json`.
    """

    folder: Path

    @cached_property
    def caption_numbers(self) -> Rows:
        """COCO's caption ids in the order of the folds, shape (T,)."""
        return np.asarray(read_array(self.folder / "coco_test_ids.npy"), dtype=np.int64)

    @cached_property
    def image_numbers(self) -> Rows:
        """COCO's image ids in the order of their first caption, shape (I,)."""
        return np.fromiter(dict.fromkeys(self._images_of_captions), dtype=np.int64)

    @cached_property
    def caption_image(self) -> Rows:
        """The image's position of every caption, shape (T,)."""
        return rows_of_numbers(self.image_numbers, np.array(self._images_of_captions), "images")

    @cached_property
    def _images_of_captions(self) -> list[int]:
        return [self._own[number][0] for number in self.caption_numbers.tolist()]

    @cached_property
    def _own(self) -> dict[int, list[int]]:
        return read_id_lists(self.folder / "original_caption_to_image.json")

    def positives(self, name: Literal["original", "cxc", "eccv"]) -> Judgements:
        """The positives of both directions, in positions of the gallery."""
        captions, images = self.caption_numbers, self.image_numbers
        of_images = read_id_lists(self.folder / f"{name}_image_to_caption.json")
        of_captions = self._own if name == "original" else read_id_lists(self.folder / f"{name}_caption_to_image.json")
        return {
            "image_to_text": positives_from_ids(of_images, images, captions, "images of the gallery"),
            "text_to_image": positives_from_ids(of_captions, captions, images, "captions of the gallery"),
        }

    def folds(self) -> list[Fold]:
        """Positions of the five folds of COCO 1K."""
        size = self.caption_numbers.size // FOLDS
        captions = [np.arange(place * size, (place + 1) * size) for place in range(FOLDS)]
        return [Fold(np.unique(self.caption_image[part]), part) for part in captions]

    def gallery(self, task: Task) -> tuple[Fold, int]:
        """Where the gallery's images and captions lie in the task, and how many captions it leaves out.

        A data set may tell more captions of a test image than the judged ones (COCO has 10 sixth captions and more):
        those are no candidates. Everything else must match.

        Raises:
            InputError: ids are unknown, of another form, missing or too many; the message names some.
        """
        images, captions = coco_numbers(task.ids("image"), "image"), coco_numbers(task.ids("caption"), "caption")
        fold = Fold(
            rows_of_numbers(images, self.image_numbers, "images of COCO's test split"),
            rows_of_numbers(captions, self.caption_numbers, "captions of COCO's test split"),
        )
        _refuse_others(images, self.image_numbers, "images")
        others = np.setdiff1d(np.arange(captions.size), fold.captions)
        strangers = others[task.truth.caption_image[others] < 0]
        _refuse_others(captions[strangers], self.caption_numbers, "captions")
        return fold, int(others.size)

    def truth(self, image_ids: Sequence[str], caption_ids: Sequence[str]) -> RetrievalTruth:
        """The image of every caption, told by ids; -1 for a caption that the gallery does not have."""
        images, captions = coco_numbers(image_ids, "image"), coco_numbers(caption_ids, "caption")
        image_of = dict(zip(self.caption_numbers.tolist(), self._images_of_captions, strict=True))
        row_of = {number: row for row, number in enumerate(images.tolist())}
        rows = [row_of.get(image_of.get(number, -1), -1) for number in captions.tolist()]
        if max(rows, default=-1) < 0:
            rows_of_numbers(captions, self.caption_numbers, "captions of COCO's test split")
            rows_of_numbers(images, self.image_numbers, "images of COCO's test split")
        return RetrievalTruth(np.array(rows, dtype=np.int64), images.size, image_ids, caption_ids)


def read_id_lists(path: Path) -> dict[int, list[int]]:
    """Read a JSON object of lists: for each query's id the ids of its positives.

    Raises:
        InputError: the file is missing or not of this form.
    """
    content = read_json(path)
    if (
        not isinstance(content, dict)
        or not all(map(str.isdecimal, content))
        or {*map(type, content.values())} != {list}
    ):
        raise InputError(f"{path}: must be one object that holds a list of ids for each whole-number id")
    return {int(key): ids for key, ids in content.items()}


def eccv_package() -> CocoJudgements:
    """The judgements of the installed package.

    Raises:
        MissingExtraError: it is not installed.
    """
    found = find_spec("eccv_caption")
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError("a protocol with the judgements of ECCV Caption", "eccv")
    return CocoJudgements(Path(found.submodule_search_locations[0]) / "data")


def _refuse_others(numbers: Rows, known: Rows, what: str) -> None:
    others = np.setdiff1d(numbers, known)
    if others.size:
        raise InputError(
            f"{others.size} {what} are not of COCO's test split: {examples([str(number) for number in others])}"
        )
