"""The graded ranking: what each query's candidates are worth, in the order in which the scores put them.

Score and relevance of a candidate are packed into one 64-bit number whose order is the ranking, so that one plain sort
of numbers replaces an argsort by two keys and the gathers after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bcls.errors import InputError
from bcls.evaluation.ranks import check_finite
from bcls.evaluation.runs import run_starts

TOLERANCE = 1e-6
"""Rounding that a relevance may show beyond 0 and 1; it is cut off."""

_UNKNOWN = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_SIGN = np.uint32(0x8000_0000)
_LOW = np.uint64(0xFFFF_FFFF)
_HALF = np.uint64(32)


@dataclass(frozen=True, eq=False)
class Ranking:
    """Relevance in ranked order, the highest score first; of equal scores the least relevant comes first (worst case).

    Candidates of unknown relevance are left out of the list: they lie behind it.

    Args:
        keys: one number for each candidate, ascending: its place by score in the upper half, its relevance in the
            lower half, shape (Q, N), uint64.
        known: length of each query's list, shape (Q,).
    """

    keys: NDArray[np.uint64]
    known: NDArray[np.int64]

    @cached_property
    def listed(self) -> NDArray[np.bool_]:
        """True on the list, False behind it, shape (Q, N)."""
        return np.arange(self.keys.shape[1]) < self.known[:, None]

    @cached_property
    def relevance(self) -> NDArray[np.float32]:
        """Relevance in [0, 1], 0 behind the list, shape (Q, N)."""
        codes = np.where(self.listed, self.relevance_codes, _SIGN).astype(np.uint32)
        return (codes ^ _SIGN).view(np.float32)  # no relevance is negative: only the sign bit was turned

    @property
    def relevance_codes(self) -> NDArray[np.uint64]:
        """Whole numbers in the order of the relevance, shape (Q, N)."""
        return self.keys & _LOW

    @cached_property
    def score_starts(self) -> NDArray[np.bool_]:
        """True where a new score begins in the list, shape (Q, N)."""
        return run_starts(self.keys >> _HALF)

    def top(self, length: int) -> Ranking:
        """The first `length` places of every list.

        Example:
            >>> rank([[0.9, 0.1, 0.5]], [[0.2, 0.4, 0.6]]).top(2).relevance
            array([[0.2, 0.6]], dtype=float32)
        """
        if length < 1:
            raise InputError(f"the top {length} of a ranking: the length must be at least 1")
        return Ranking(self.keys[:, :length], np.minimum(self.known, length))


def rank(scores: ArrayLike, relevance: ArrayLike) -> Ranking:
    """Put the relevance of each query's candidates into the order of their scores.

    Args:
        scores: similarity, higher is nearer, shape (Q, N), finite.
        relevance: in [0, 1], NaN = unknown, shape (Q, N); used in single precision.

    Returns:
        The graded ranking.

    Raises:
        InputError: shapes differ, a score is not finite, a relevance is outside [0, 1].

    Example:
        >>> rank([[0.9, 0.5, 0.5, 0.1]], [[0.1, 0.8, 0.3, np.nan]]).relevance
        array([[0.1, 0.3, 0.8, 0. ]], dtype=float32)
    """
    scores, relevance = np.asarray(scores), np.asarray(relevance)
    check_finite(scores)
    if relevance.shape != scores.shape:
        raise InputError(f"relevance has shape {relevance.shape}, the scores have {scores.shape}: they must agree")
    unknown = np.isnan(relevance)
    bad = ~unknown & ~((relevance >= -TOLERANCE) & (relevance <= 1 + TOLERANCE))
    if bad.any():
        row, column = (int(place[0]) for place in np.nonzero(bad))
        raise InputError(
            f"the relevance of query {row} and candidate {column} is {relevance[row, column]}, "
            f"not between 0 and 1 (NaN for unknown)"
        )
    levels = np.clip(np.where(unknown, 0, relevance), 0, 1).astype(np.float32)
    keys = (_descending_codes(scores).astype(np.uint64) << _HALF) | (_ascending_bits(levels).astype(np.uint64))
    keys[unknown] = _UNKNOWN
    keys.sort(axis=1)
    return Ranking(keys, np.asarray(relevance.shape[1] - np.count_nonzero(unknown, axis=1), dtype=np.int64))


def _descending_codes(scores: NDArray[Any]) -> NDArray[np.uint32]:
    """Whole numbers that fall as the scores rise, equal where the scores are equal."""
    if scores.dtype in (np.float16, np.float32):
        return ~_ascending_bits(scores.astype(np.float32))
    order = np.argsort(-scores.astype(np.float64), axis=1)
    dense = np.cumsum(run_starts(np.take_along_axis(scores, order, axis=1)), axis=1, dtype=np.uint32)
    codes = np.empty(scores.shape, dtype=np.uint32)
    np.put_along_axis(codes, order, dense, axis=1)
    return codes


def _ascending_bits(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """The bits of finite single-precision numbers, turned so that they rise with the number."""
    bits = (values + np.float32(0)).view(np.uint32)  # + 0 makes -0.0 into 0.0, which it equals
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)
