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

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.evaluation.ranks import check_finite
from bcls.evaluation.runs import run_starts

TOLERANCE = 1e-6
"""Rounding that a relevance may show beyond 0 and 1; it is cut off."""

_UNKNOWN = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_SIGN = np.uint32(0x8000_0000)
_LOW = np.uint64(0xFFFF_FFFF)
_HALF = np.uint64(32)
_RADIX_FROM = 500  # below, numpy's sort is as quick


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


def rank(scores: ArrayLike, relevance: ArrayLike, *, fast: bool = False) -> Ranking:
    """Put the relevance of each query's candidates into the order of their scores.

    Args:
        scores: similarity, higher is nearer, shape (Q, N), finite.
        relevance: in [0, 1], NaN = unknown, shape (Q, N); used in single precision.
        fast: take compiled kernels (the ranking is the same).

    Returns:
        The graded ranking.

    Raises:
        InputError: shapes differ, a score is not finite, a relevance is outside [0, 1].

    Example:
        >>> rank([[0.9, 0.5, 0.5, 0.1]], [[0.1, 0.8, 0.3, np.nan]]).relevance
        array([[0.1, 0.3, 0.8, 0. ]], dtype=float32)
    """
    scores, relevance = to_array(scores, "scores"), to_array(relevance, "relevance")
    packed = _packed(scores, relevance) if fast else None
    keys, known = _checked_and_packed(scores, relevance) if packed is None else packed
    sort_rows(keys, fast=fast)
    return Ranking(keys, known)


def sort_rows(keys: NDArray[np.uint64], *, fast: bool = False) -> None:
    """Sort every row in place, ascending, shape (Q, N); `fast` takes a compiled radix sort for long rows."""
    if fast and keys.shape[1] >= _RADIX_FROM:
        from bcls.compiled import sorting  # noqa: PLC0415

        sorting.sort_each_row(keys)
    else:
        keys.sort(axis=1)


def check_graded(scores: NDArray[Any], relevance: NDArray[Any]) -> None:
    """Refuse scores and relevances that cannot be ranked; the message names the first bad query and candidate."""
    check_finite(scores)
    if relevance.shape != scores.shape:
        raise InputError(f"relevance has shape {relevance.shape}, the scores have {scores.shape}: they must agree")
    bad = ~np.isnan(relevance) & ~((relevance >= -TOLERANCE) & (relevance <= 1 + TOLERANCE))
    if bad.any():
        row, column = (int(place[0]) for place in np.nonzero(bad))
        raise InputError(
            f"the relevance of query {row} and candidate {column} is {relevance[row, column]}, "
            f"not between 0 and 1 (NaN for unknown)"
        )


def packable_bits(scores: NDArray[Any], relevance: NDArray[Any]) -> tuple[NDArray[np.uint32], NDArray[Any]] | None:
    """Bits of the scores, and relevance, as compiled kernels take them; None for other types and shapes."""
    if scores.dtype != np.float32 or relevance.dtype not in (np.float32, np.float64) or relevance.shape != scores.shape:
        return None
    return np.ascontiguousarray(scores).view(np.uint32), np.ascontiguousarray(relevance)


def _packed(scores: NDArray[Any], relevance: NDArray[Any]) -> tuple[NDArray[np.uint64], NDArray[np.int64]] | None:
    """Keys by a compiled kernel; None for what it does not do: other types, and bad numbers."""
    packable = packable_bits(scores, relevance)
    if packable is None:
        return None
    from bcls.evaluation.kernels import ranking  # noqa: PLC0415

    keys, known = np.empty(scores.shape, dtype=np.uint64), np.empty(scores.shape[0], dtype=np.int64)
    return (keys, known) if ranking.pack_rows(*packable, TOLERANCE, keys, known) else None


def _checked_and_packed(scores: NDArray[Any], relevance: NDArray[Any]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    check_graded(scores, relevance)
    unknown = np.isnan(relevance)
    levels = np.clip(np.where(unknown, 0, relevance), 0, 1).astype(np.float32)
    keys = (descending_codes(scores).astype(np.uint64) << _HALF) | (_ascending_bits(levels).astype(np.uint64))
    keys[unknown] = _UNKNOWN
    return keys, np.asarray(relevance.shape[1] - np.count_nonzero(unknown, axis=1), dtype=np.int64)


def descending_codes(scores: NDArray[Any]) -> NDArray[np.uint32]:
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
