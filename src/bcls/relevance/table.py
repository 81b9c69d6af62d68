"""Relevance from a table of given ratings, e.g. by people."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import sparse

from bcls.arrays import to_rows
from bcls.errors import InputError
from bcls.relevance.rated_rows import read_rows, refuse_scale, rescaled
from bcls.relevance.row_numbers import refuse_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger("bcls")

IMAGE_CAPTION = ("image_id", "caption_id")
CAPTION_CAPTION = ("caption_id_1", "caption_id_2")


class RelevanceTable:
    r"""Ratings of pairs, read from a CSV or parquet file with a header.

    The columns are `image_id, caption_id, score`, or `caption_id_1, caption_id_2, score` for ratings of two captions
    (order does not matter). Other columns are ignored. A pair that several rows rate, e.g. of several people, gets the
    mean of its ratings; how many there are stays in `counts`.

    Args:
        path: a `.csv` or `.parquet` file (parquet needs the extra `parquet`).
        lowest: the score that means no relevance.
        highest: the score that means full relevance; scores are rescaled to [0, 1].

    Raises:
        InputError: a missing column, a row with an empty or surplus cell, an id that is neither text nor a whole
            number, a score that is no number or out of range; the row is named. Rows are counted from 1; in a CSV file
            row 1 is the header.
        MissingExtraError: a parquet file without the extra `parquet`.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "ratings.csv"
        >>> _ = path.write_text("image_id,caption_id,score\nfirst.jpg,c,4\n")
        >>> table, caption_image = RelevanceTable(path, highest=5.0), np.array([0, 1, 1])
        >>> source = table.source(["first.jpg", "second.jpg"], ["a", "b", "c"], caption_image)
        >>> source.matrix(np.array([0, 1]), np.array([0, 1, 2]))
        array([[1. , nan, 0.8],
               [nan, 1. , 1. ]], dtype=float32)
    """

    def __init__(self, path: str | Path, *, lowest: float = 0.0, highest: float = 1.0) -> None:
        refuse_scale(lowest, highest)
        self.path = Path(path)
        self._lowest = lowest
        self._highest = highest
        names, rows = read_rows(self.path)
        kinds = [kind for kind in (IMAGE_CAPTION, CAPTION_CAPTION) if {*kind, "score"} <= set(names)]
        if len(kinds) != 1 or len(set(names)) != len(names):
            raise InputError(
                f"{self.path}: columns are {', '.join(names) or 'missing'}; needed are, once each, either image_id, "
                "caption_id, score or caption_id_1, caption_id_2, score"
            )
        self._kind = kinds[0]
        ratings = self._ratings(rows)
        self._scores = {pair: sum(given) / len(given) for pair, given in ratings.items()}
        self.counts = {pair: len(given) for pair, given in ratings.items()}
        several = sum(count > 1 for count in self.counts.values())
        if several:
            logger.info(
                "%s: %d of %d pairs are rated more than once (up to %d times): the mean of the ratings is taken",
                self.path,
                several,
                len(self.counts),
                max(self.counts.values()),
            )

    def __len__(self) -> int:
        """How many pairs are rated."""
        return len(self._scores)

    def source(
        self,
        image_ids: Sequence[str],
        caption_ids: Sequence[str],
        caption_image: NDArray[np.int64],
        *,
        aggregate: Literal["max", "mean"] = "max",
    ) -> TableRelevance:
        """The ratings as relevance of one split's images and captions.

        A rating of an image and a caption holds as it is, for own captions too. A rating of two captions counts for
        the image of either with the other; own captions stay 1 then, as with a scorer.

        Args:
            image_ids: of the split, in order.
            caption_ids: of the split, in order.
            caption_image: (captions,) image row of each caption.
            aggregate: over an image's rated captions, for a table of caption pairs.

        Raises:
            InputError: the table names ids that the split does not have, or the counts of `caption_ids` and
                `caption_image` differ.
        """
        if len(caption_ids) != len(caption_image):
            raise InputError(f"{len(caption_ids)} caption ids, but caption_image has {len(caption_image)} rows")
        caption_image = to_rows(caption_image, "caption_image")
        image_row = {name: row for row, name in enumerate(image_ids)}
        caption_row = {name: row for row, name in enumerate(caption_ids)}
        left = image_row if self._kind is IMAGE_CAPTION else caption_row
        unknown = [pair for pair in self._scores if pair[0] not in left or pair[1] not in caption_row]
        if unknown:
            raise InputError(
                f"{self.path}: {len(unknown)} of {len(self._scores)} pairs name ids that the data set lacks, e.g. "
                f"{', '.join(map(str, unknown[:3]))}"
            )
        rated: dict[tuple[int, int], list[float]] = {}
        for (first, second), score in self._scores.items():
            if self._kind is IMAGE_CAPTION:
                rated.setdefault((image_row[first], caption_row[second]), []).append(score)
            else:
                a, b = caption_row[first], caption_row[second]
                if caption_image[a] != caption_image[b]:
                    rated.setdefault((int(caption_image[a]), b), []).append(score)
                    rated.setdefault((int(caption_image[b]), a), []).append(score)
        combined = {pair: max(s) if aggregate == "max" else sum(s) / len(s) for pair, s in rated.items()}
        return TableRelevance(combined, len(image_ids), caption_image)

    def _ratings(self, rows: Iterator[tuple[int, dict[str, Any]]]) -> dict[tuple[str, str], list[float]]:
        """All ratings of each pair, rescaled."""
        ratings: dict[tuple[str, str], list[float]] = {}
        for number, row in rows:
            pair = (self._id(row, self._kind[0], number), self._id(row, self._kind[1], number))
            key = pair if self._kind is IMAGE_CAPTION else (min(pair), max(pair))
            score = rescaled(row["score"], f"{self.path}: row {number}", self._lowest, self._highest)
            ratings.setdefault(key, []).append(score)
        return ratings

    def _id(self, row: dict[str, Any], column: str, number: int) -> str:
        name = row[column]
        if name is None or name == "":
            raise InputError(f"{self.path}: row {number}: {column} is empty")
        if isinstance(name, bool) or not isinstance(name, str | int):
            raise InputError(f"{self.path}: row {number}: {column} is {name!r}, neither text nor a whole number")
        return str(name)


class TableRelevance:
    """Relevance of rated pairs; every other pair is unknown, except that own captions are 1 unless rated.

    Args:
        rated: (image row, caption row) -> relevance.
        images: how many images there are.
        caption_image: (captions,) image row of each caption.

    Raises:
        InputError: a pair of rows that there are not, or a relevance outside [0, 1].
    """

    def __init__(self, rated: dict[tuple[int, int], float], images: int, caption_image: NDArray[np.int64]) -> None:
        self._caption_image = to_rows(caption_image, "caption_image")
        pairs = np.array(list(rated), dtype=np.int64).reshape(-1, 2)
        shape = (images, len(caption_image))
        refuse_rows("image", pairs[:, 0], images)
        refuse_rows("caption", pairs[:, 1], len(caption_image))
        positions = np.arange(1, len(pairs) + 1, dtype=np.int64)
        self._position = sparse.csr_array((positions, (pairs[:, 0], pairs[:, 1])), shape=shape)
        self._values = np.array([np.nan, *rated.values()], dtype=np.float32)
        outside = np.flatnonzero(~((self._values[1:] >= 0) & (self._values[1:] <= 1)))
        if outside.size:
            image, caption = pairs[outside[0]]
            raise InputError(
                f"the relevance of image row {image} and caption row {caption} is {self._values[1 + outside[0]]}; it "
                "must lie in [0, 1]"
            )

    def matrix(self, images: NDArray[np.int64], captions: NDArray[np.int64]) -> NDArray[np.float32]:
        """(I,) image rows, (T,) caption rows -> (I, T) relevance, NaN = unknown.

        Raises:
            InputError: a row that there is not.
        """
        images, captions = to_rows(images, "images"), to_rows(captions, "captions")
        refuse_rows("image", images, self._position.shape[0])
        refuse_rows("caption", captions, self._position.shape[1])
        position = self._position[images][:, captions].toarray()
        result: NDArray[np.float32] = self._values[position]
        own = images[:, None] == self._caption_image[captions][None, :]
        result[own & (position == 0)] = 1.0
        return result
