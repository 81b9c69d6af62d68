"""Kendall's tau-b of each query's ranking against relevance: of the pairs that differ, how many are in order?

tau-b = (C - D) / sqrt((n0 - n_s) (n0 - n_r)) with C concordant and D discordant pairs, n0 = n (n - 1) / 2 pairs in all,
n_s of them tied in score and n_r tied in relevance (Kendall 1945). Discordant pairs are the inversions of one
permutation, counted for all queries of a block at once: by compiled kernels where the task is large, else by numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bcls.evaluation.ranking import TOLERANCE, Ranking, packable_bits, rank
from bcls.evaluation.ranks import Floats
from bcls.evaluation.row_blocks import in_row_blocks
from bcls.evaluation.runs import offset_in_run, run_starts


def kendall_tau_b(scores: ArrayLike, relevance: ArrayLike, length: int | None = None) -> Floats:
    """Kendall's tau-b between scores and relevance, for each query.

    Candidates of unknown relevance are left out. Where all scores or all relevances of a list are alike, or it has
    fewer than two candidates, tau-b is not defined: the value is NaN. The cost is O(N log N) for each query; threads
    share the queries.

    Args:
        scores: similarity, higher is nearer, shape (Q, N), finite.
        relevance: in [0, 1], NaN = unknown, shape (Q, N); used in single precision.
        length: only the first `length` candidates by score count (of equal scores at the border, the least relevant);
            None for the whole list.

    Returns:
        -1..1 or NaN, shape (Q,).

    Raises:
        InputError: shapes differ, or a value is out of range.

    Example:
        >>> kendall_tau_b([[0.9, 0.5, 0.1]], [[0.7, 0.8, 0.2]]).round(4)
        array([0.3333])
        >>> kendall_tau_b([[0.9, 0.5, 0.1]], [[0.7, 0.7, 0.7]])
        array([nan])
    """

    def tau_of(part_scores: NDArray[Any], part_relevance: NDArray[Any], fast: bool) -> Floats:
        counted = _compiled_whole(part_scores, part_relevance) if fast and length is None else None
        if counted is not None:
            return _tau_b(*counted)
        ranking = rank(part_scores, part_relevance, fast=fast)
        return ranked_tau_b(ranking if length is None else ranking.top(length), fast=fast)

    return np.concatenate(in_row_blocks(tau_of, scores, relevance))


def ranked_tau_b(ranking: Ranking, *, fast: bool = False) -> Floats:
    """Kendall's tau-b of a graded ranking, shape (Q,); `fast` takes compiled kernels."""
    return _tau_b(ranking.known, _compiled_counts(ranking) if fast else _counts(ranking))


def _tau_b(known: NDArray[np.int64], counts: NDArray[np.int64]) -> Floats:
    """The formula, from the lengths of the lists, shape (Q,), and what `_counts` tells."""
    score_ties, relevance_ties, both_ties, concordant = counts
    pairs = known * (known - 1) // 2
    discordant = pairs - score_ties - relevance_ties + both_ties - concordant
    spread = np.sqrt((pairs - score_ties).astype(np.float64)) * np.sqrt((pairs - relevance_ties).astype(np.float64))
    undefined = np.full(spread.shape, np.nan)
    tau = np.divide(concordant - discordant, spread, out=undefined, where=spread > 0)
    return np.asarray(np.clip(tau, -1.0, 1.0))  # the roots are rounded: a perfect order could give 1 + 2e-16


def _compiled_counts(ranking: Ranking) -> NDArray[np.int64]:
    from bcls.evaluation.kernels import tau  # noqa: PLC0415

    counts = np.empty((4, ranking.known.size), dtype=np.int64)
    tau.count_pairs(np.ascontiguousarray(ranking.keys), ranking.known, counts)
    return counts


def _compiled_whole(
    scores: NDArray[Any], relevance: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Lengths of the lists and counts, straight from the scores; None for what `rank` has to do."""
    packable = packable_bits(scores, relevance)
    if packable is None:
        return None
    from bcls.evaluation.kernels import tau  # noqa: PLC0415

    known, counts = np.empty(len(scores), dtype=np.int64), np.empty((4, len(scores)), dtype=np.int64)
    right = tau.rank_and_count(*packable, TOLERANCE, known, counts)
    return (known, counts) if right else None


def _counts(ranking: Ranking) -> NDArray[np.int64]:
    """Pairs tied in score, in relevance, in both; and concordant pairs, shape (4, Q)."""
    levels = (ranking.relevance_codes << np.uint64(32)) | np.arange(ranking.keys.shape[1], dtype=np.uint64)
    levels.sort(axis=1)  # by relevance; the lower half tells the place in the ranking
    listed = ranking.listed
    counts = (
        _tied_pairs(ranking.score_starts, listed),
        _tied_pairs(run_starts(levels >> np.uint64(32)), listed),
        _tied_pairs(run_starts(ranking.keys), listed),
        # The ranking goes down in score, so a pair in order of relevance there is discordant: inversions concord.
        count_inversions((levels & np.uint64(0xFFFF_FFFF)).astype(np.int32)),
    )
    return np.stack(counts)


def count_inversions(permutations: NDArray[np.int32]) -> NDArray[np.int64]:
    """For each row, a permutation of 0..N-1, how many pairs stand in the wrong order.

    The values are split by their highest bit, the halves by the next, and so on, each split keeping the order. At a
    split every one moves right by the number of zeros behind it in its group, which is its inversions with the other
    half: the sum of the ones' places afterwards, less that before. The rows are filled up to a power of two, so that
    all groups of a split have the same size and numpy does all rows at once. O(N log N) for each row.

    Example:
        >>> count_inversions(np.array([[0, 1, 2], [2, 1, 0]], dtype=np.int32))
        array([0, 3])
    """
    rows, width = permutations.shape
    inversions = np.zeros(rows, dtype=np.int64)
    bits = max(width - 1, 0).bit_length()
    full = 1 << bits
    values = np.empty((rows, full), dtype=np.int32)
    values[:, :width] = permutations
    values[:, width:] = np.arange(width, full)
    places = np.arange(full)
    row_begins = np.arange(rows) * full
    for bit in reversed(range(bits)):
        half = 1 << bit
        ones = (values & half).astype(bool).ravel()
        lower, upper = np.flatnonzero(~ones), np.flatnonzero(ones)
        before = upper.reshape(rows, full // 2).sum(axis=1) - row_begins * (full // 2)
        inversions += places[(places & half) > 0].sum() - before
        halves = [values.ravel()[split].reshape(-1, half) for split in (lower, upper)]
        values = np.stack(halves, axis=1).reshape(rows, full)
    return inversions


def _tied_pairs(starts: NDArray[np.bool_], listed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Pairs within the runs of each row's list: each place makes one with every earlier place of its run."""
    return np.asarray(np.sum(offset_in_run(starts), axis=1, where=listed, dtype=np.int64))
