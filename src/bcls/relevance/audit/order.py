"""How often a scorer orders two rated pairs as people do, as a function of how far apart it puts them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcls.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 1_000_000
LEAST_SHARE = 0.01


class GapPoint(NamedTuple):
    """What a gap does: the share of comparisons that survive it, and how many of those people order the same way."""

    gap: float
    agreement: float
    share: float


class OrderAgreement:
    """Comparisons of two rated pairs: does the scorer order them as people do?

    Comparisons that people leave open (equal ratings) are not counted. One survives a gap if the scorer's values differ
    by more than it.

    Args:
        values: (P,) similarities by a scorer.
        ratings: (P,) what people said.
        left: (N,) one rated pair of each comparison.
        right: (N,) the other.

    Example:
        >>> values, ratings = np.array([0.1, 0.2, 0.9]), np.array([0.3, 0.2, 1.0])
        >>> order = OrderAgreement(values, ratings, np.array([0, 0, 1]), np.array([1, 2, 2]))
        >>> order.at(0.0)
        GapPoint(gap=0.0, agreement=0.6666666666666666, share=1.0)
        >>> order.reaching(0.9)
        GapPoint(gap=0.1, agreement=1.0, share=0.6666666666666666)
    """

    def __init__(
        self,
        values: NDArray[np.float64],
        ratings: NDArray[np.float64],
        left: NDArray[np.int64],
        right: NDArray[np.int64],
    ) -> None:
        people = ratings[left] - ratings[right]
        scorer = (values[left] - values[right])[people != 0]
        agrees = scorer * people[people != 0] > 0
        order = np.argsort(np.abs(scorer), kind="stable")
        self._differences = np.abs(scorer)[order]
        self._right = np.append(np.cumsum(agrees[order][::-1])[::-1], 0).astype(np.int32)

    def __len__(self) -> int:
        """How many comparisons people order."""
        return len(self._differences)

    def at(self, gap: float) -> GapPoint:
        """Agreement and share of the comparisons whose values differ by more than the gap; NaN where none is left."""
        start = int(np.searchsorted(self._differences, gap, side="right"))
        left = len(self) - start
        agreement = float(self._right[start]) / left if left else np.nan
        return GapPoint(gap, agreement, left / len(self) if len(self) else np.nan)

    def reaching(self, agreement: float) -> GapPoint | None:
        """The smallest gap whose survivors people order the same way so often; None if no gap does.

        Gaps that fewer than one comparison in a hundred survives do not count: they rest on few pairs.

        Args:
            agreement: e.g. 0.9.
        """
        first = int(np.searchsorted(self._differences, 0.0, side="right"))
        starts = np.arange(first, len(self))
        starts = starts[(starts == first) | (self._differences[starts] != self._differences[starts - 1])]
        starts = starts[len(self) - starts >= LEAST_SHARE * len(self)]
        enough = starts[self._right[starts] >= agreement * (len(self) - starts) - 1e-9]
        if not len(enough):
            return None
        return self.at(0.0 if enough[0] == first else float(self._differences[enough[0] - 1]))

    def curve(self, step: float = 0.02) -> list[GapPoint]:
        """Points at gaps 0, step, 2 step, ... as long as one comparison in a hundred survives."""
        points = (self.at(round(number * step, 6)) for number in range(int(1 / step) + 1))
        return [point for point in points if point.share >= LEAST_SHARE]


def comparisons(
    sets: Sequence[NDArray[np.int64]], random: np.random.Generator, most: int = MOST
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Comparisons of two members of the same set: all of them, or a random sample where there are more than `most`.

    Args:
        sets: rows of rated pairs that are compared with each other. One set of all rows compares everything.
        random: draws the sample, with repetition.
        most: the largest number of comparisons.

    Returns:
        (N,) one row and (N,) the other row of each comparison.

    Raises:
        InputError: `most` is below 1.

    Example:
        >>> comparisons([np.array([0, 1, 2]), np.array([4, 7])], np.random.default_rng(0))
        (array([0, 0, 1, 4]), array([1, 2, 2, 7]))
    """
    if most < 1:
        raise InputError(f"{most} comparisons; at least 1 is needed")
    sizes = np.array([len(rows) for rows in sets], dtype=np.int64)
    ends = np.cumsum(sizes * (sizes - 1) // 2)
    if not len(ends) or ends[-1] <= most:
        both = list(_every(sets))
        return (
            np.concatenate([np.empty(0, dtype=np.int64), *(left for left, _ in both)]),
            np.concatenate([np.empty(0, dtype=np.int64), *(right for _, right in both)]),
        )
    chosen = np.searchsorted(ends, random.integers(ends[-1], size=most), side="right")
    one = random.integers(sizes[chosen])
    other = random.integers(sizes[chosen] - 1)
    other += other >= one
    members, starts = np.concatenate(sets), np.cumsum(sizes) - sizes
    return members[starts[chosen] + one], members[starts[chosen] + other]


def sharing_a_caption(first: NDArray[np.int64], second: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """For each caption that stands in several rated pairs, the rows of those pairs.

    Args:
        first: (P,) row of each pair's first caption.
        second: (P,) row of its second.

    Example:
        >>> sharing_a_caption(np.array([0, 0, 3]), np.array([1, 2, 1]))
        [array([0, 1]), array([0, 2])]
    """
    captions = np.concatenate([first, second[second != first]])
    rows = np.concatenate([np.arange(len(first)), np.flatnonzero(second != first)])
    order = np.argsort(captions, kind="stable")
    borders = np.flatnonzero(np.diff(captions[order])) + 1
    return [np.sort(rows) for rows in np.split(rows[order], borders) if len(rows) > 1]


def _every(sets: Sequence[NDArray[np.int64]]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    for rows in sets:
        left, right = np.triu_indices(len(rows), 1)
        yield rows[left], rows[right]
