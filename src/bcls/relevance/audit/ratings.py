"""People's ratings of how alike two captions are, read for an audit."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.errors import InputError
from bcls.relevance.rated_rows import read_rows, refuse_scale, rescaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

TEXTS = (("caption1", "caption2"), ("caption_1", "caption_2"))
IDS = (("caption1_id", "caption2_id"), ("caption_id_1", "caption_id_2"))


@dataclass(frozen=True)
class HumanRatings:
    """Rated pairs of captions.

    Args:
        captions: the distinct captions, C texts.
        first: (P,) row of each pair's first caption.
        second: (P,) row of its second.
        ratings: (P,) what people said, rescaled to [0, 1].
        groups: (P,) a word for each pair, e.g. how it was sampled; None where no column was asked for.
        lowest: the score that became 0.
        highest: the score that became 1.
    """

    captions: tuple[str, ...]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    ratings: NDArray[np.float64]
    groups: NDArray[np.str_] | None = None
    lowest: float = 0.0
    highest: float = 1.0

    def __len__(self) -> int:
        return len(self.ratings)

    def sample(self, pairs: int, seed: int = 0) -> HumanRatings:
        """So many of the pairs, drawn without repetition, in their old order; all of them where there are no more.

        Raises:
            InputError: fewer than two pairs are asked for.
        """
        if pairs < 2:
            raise InputError(f"a sample of {pairs} pairs: an audit needs at least 2")
        if pairs >= len(self):
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self), pairs, replace=False))
        ends = np.concatenate([self.first[rows], self.second[rows]])
        used, places = np.unique(ends, return_inverse=True)
        return replace(
            self,
            captions=tuple(self.captions[row] for row in used.tolist()),
            first=places[:pairs],
            second=places[pairs:],
            ratings=self.ratings[rows],
            groups=None if self.groups is None else self.groups[rows],
        )


def read_ratings(
    path: str | Path,
    *,
    highest: float,
    lowest: float = 0.0,
    captions: Mapping[str, str] | None = None,
    group: str | None = None,
) -> HumanRatings:
    r"""Read rated pairs of captions from a CSV or parquet file with a header.

    The columns are `caption1, caption2, score` with the captions' texts, or `caption_id_1, caption_id_2, score` (or
    `caption1_id, caption2_id`) with their ids. Where texts are there, ids do not matter. A pair that
    several rows rate, e.g. of several people, is one pair with the mean of its ratings.

    Args:
        path: the file.
        highest: the score that means the same; it must be told, since a file does not say its scale.
        lowest: the score that means nothing in common.
        captions: text of each caption id, for a file of ids.
        group: a column that tells kinds of pairs apart, e.g. how they were sampled.

    Raises:
        InputError: a missing column, an empty caption, an unknown id, a score off the scale (the row is named), or
            fewer than two pairs.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "ratings.csv"
        >>> _ = path.write_text("caption1,caption2,score\na dog,a puppy,4\na dog,a plate,1\n")
        >>> ratings = read_ratings(path, highest=5.0)
        >>> ratings.captions, ratings.first, ratings.second, ratings.ratings
        (('a dog', 'a puppy', 'a plate'), array([0, 0]), array([1, 2]), array([0.8, 0.2]))
    """
    refuse_scale(lowest, highest)
    path = Path(path)
    names, rows = read_rows(path)
    columns = _columns(path, names, captions, group)
    seen: dict[str, int] = {}
    scores: dict[
        tuple[int, int, str], list[float]
    ] = {}  # the group is part of the key: equal pairs may be of two kinds
    for number, row in rows:
        place = f"{path}: row {number}"
        texts = [_text(row, column, place, captions) for column in columns]
        ends = seen.setdefault(texts[0], len(seen)), seen.setdefault(texts[1], len(seen))
        kind = "" if group is None else str(row[group])
        scores.setdefault((*ends, kind), []).append(rescaled(row["score"], place, lowest, highest))
    if len(scores) < 2:
        raise InputError(f"{path}: {len(scores)} rated pairs; an audit needs at least 2")
    several = sum(len(of_pair) > 1 for of_pair in scores.values())
    if several:
        logger.info(
            "%s: %d of %d pairs are rated more than once (up to %d times): the mean of the ratings is taken",
            path,
            several,
            len(scores),
            max(map(len, scores.values())),
        )
    first, second, groups = zip(*scores, strict=True)
    kinds = None if group is None else np.array(groups)
    means = np.array([np.mean(of_pair) for of_pair in scores.values()])
    return HumanRatings(tuple(seen), np.array(first), np.array(second), means, kinds, lowest, highest)


def _columns(path: Path, names: list[str], captions: Mapping[str, str] | None, group: str | None) -> tuple[str, str]:
    for columns in TEXTS + IDS:
        if {*columns, "score"} <= set(names):
            break
    else:
        raise InputError(
            f"{path}: columns are {', '.join(names) or 'missing'}; needed are caption1, caption2, score (texts) or "
            "caption_id_1, caption_id_2, score"
        )
    if group is not None and group not in names:
        raise InputError(f"{path}: no column {group!r} to tell kinds of pairs by; there are: {', '.join(names)}")
    if columns in IDS and captions is None:
        raise InputError(f"{path}: has the captions' ids, not their texts: name the data set that has them (--data)")
    return columns


def _text(row: dict[str, Any], column: str, place: str, captions: Mapping[str, str] | None) -> str:
    value = "" if row[column] is None else str(row[column]).strip()
    if not value:
        raise InputError(f"{place}: {column} is empty")
    if column in TEXTS[0] + TEXTS[1]:
        return value
    assert captions is not None
    if value not in captions:
        raise InputError(f"{place}: the data set has no caption {value!r}")
    return captions[value]
