"""The ranks of the positives, by counting: nothing is sorted that need not be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from bcls.arrays import to_array, to_rows
from bcls.errors import InputError
from bcls.evaluation.runs import offset_in_run, run_starts

Ties: TypeAlias = Literal["worst", "expected"]
Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PositiveRanks:
    """Ranks of the positives of some queries, ordered by query, then by rank. Ranks start at 1.

    Args:
        query: the query of each positive, ascending, shape (P,).
        rank: the rank of each positive among its query's candidates, shape (P,).
        queries: number of queries, Q.
    """

    query: Rows
    rank: Floats
    queries: int

    @property
    def counts(self) -> Rows:
        """How many positives each query has, shape (Q,)."""
        return np.bincount(self.query, minlength=self.queries)

    @property
    def order(self) -> Rows:
        """The place of each positive among its query's positives, from 1, shape (P,)."""
        return 1 + offset_in_run(run_starts(self.query))

    def best(self) -> Floats:
        """The rank of each query's best positive, shape (Q,); NaN for a query that has none."""
        best = np.full(self.queries, np.nan)
        first = run_starts(self.query)
        best[self.query[first]] = self.rank[first]
        return best


def positive_ranks(scores: NDArray[Any], query: Rows, candidate: Rows, ties: Ties = "worst") -> PositiveRanks:
    """Rank each positive among all candidates of its query.

    The rank of a query's k-th best positive is k plus the number of other candidates that beat it. Ties:

    - `worst`: a candidate that is no positive beats the positives that it ties with. A model that scores everything
      alike gets the worst rank.
    - `expected`: the mean rank when ties are broken at random; of m positives among g tied candidates below a better
      ones, the k-th has rank a + k (g + 1) / (m + 1), which need not be a whole number.

    The cost is one pass over the candidates for each positive (two for `expected`), O(P * N) in all, with a working
    memory of Q * N bytes.

    Args:
        scores: similarity, higher is nearer, shape (Q, N), finite.
        query: row of each positive, shape (P,).
        candidate: column of each positive, shape (P,).
        ties: the rule for equal scores.

    Returns:
        The ranks, ordered by query and rank.

    Raises:
        InputError: an unknown rule, or a score that is not finite.

    Example:
        >>> scores = np.array([[0.9, 0.5, 0.5, 0.1]])
        >>> positive_ranks(scores, np.array([0, 0]), np.array([1, 3])).rank
        array([3., 4.])
        >>> positive_ranks(scores, np.array([0, 0]), np.array([1, 3]), ties="expected").rank
        array([2.5, 4. ])
    """
    check_ties(ties)
    scores, query, candidate = to_array(scores, "scores"), to_rows(query, "query"), to_rows(candidate, "candidate")
    check_finite(scores)
    for rows, count, name in ((query, scores.shape[0], "query"), (candidate, scores.shape[1], "candidate")):
        if rows.size and not 0 <= int(rows.min()) <= int(rows.max()) < count:
            raise InputError(f"{name} must hold rows from 0 to {count - 1} of scores {scores.shape}")
    if query.size != candidate.size:
        raise InputError(f"there are {query.size} rows of queries, but {candidate.size} of candidates")
    order = np.lexsort((-scores[query, candidate], query))
    query = query[order]
    own = scores[query, candidate[order]]
    place = offset_in_run(run_starts(query))
    tied = run_starts(query) | run_starts(own)
    run_end = np.append(np.flatnonzero(tied)[1:], query.size)[np.cumsum(tied) - 1]
    at_least = _count(scores, query, own, place, strict=False) - (place + run_end - np.arange(query.size))
    better = at_least
    if ties == "expected":
        better = _count(scores, query, own, place, strict=True) - (place - offset_in_run(tied))
    return ranks_from_strangers(query, own, scores.shape[0], at_least, better, ties=ties)


def ranks_from_strangers(
    query: Rows, own: NDArray[Any], queries: int, at_least: Rows, better: Rows, *, ties: Ties
) -> PositiveRanks:
    """Ranks from counts of strangers, which are the candidates that are no positive of the query.

    Args:
        query: the query of each positive, ascending, shape (P,).
        own: score of each positive, descending within a query, shape (P,).
        queries: number of queries.
        at_least: strangers that score at least as much as each positive, shape (P,).
        better: strangers that score more, shape (P,); not looked at for the rule `worst`.
        ties: the rule for equal scores, see `positive_ranks`.

    Example:
        >>> one = np.array([1])
        >>> ranks_from_strangers(np.array([0]), np.array([0.5]), 1, at_least=2 * one, better=one, ties="expected").rank
        array([2.5])
    """
    place = offset_in_run(run_starts(query))
    if ties == "worst":
        return PositiveRanks(query, (1 + place + at_least).astype(np.float64), queries)
    tied = run_starts(query) | run_starts(own)
    run, turn = np.cumsum(tied) - 1, offset_in_run(tied)
    tied_positives = np.bincount(run)[run] if query.size else run
    tied_in_all = at_least - better + tied_positives
    rank = better + place - turn + (1 + turn) * (tied_in_all + 1) / (tied_positives + 1)
    return PositiveRanks(query, rank, queries)


def check_ties(ties: str) -> None:
    """Refuse a rule for ties that does not exist."""
    if ties not in get_args(Ties):
        raise InputError(f"ties={ties!r} is not a rule: choose one of {', '.join(get_args(Ties))}")


def check_finite(scores: NDArray[Any]) -> None:
    """Refuse scores that are no matrix or not finite; the message names the first bad query and candidate."""
    if scores.ndim != 2:
        raise InputError(f"scores must be a matrix (queries, candidates), got shape {scores.shape}")
    bad = ~np.isfinite(scores)
    if bad.any():
        row, column = (int(place[0]) for place in np.nonzero(bad))
        raise InputError(
            f"the score of query {row} and candidate {column} is {scores[row, column]}, not a finite number"
        )


def _count(scores: NDArray[Any], query: Rows, own: NDArray[Any], place: Rows, *, strict: bool) -> Rows:
    """How many candidates of its query score at least (or, `strict`, more than) each positive does, itself included."""
    compare = np.greater if strict else np.greater_equal
    counts = np.empty(query.size, dtype=np.int64)
    for turn in range(int(place.max(initial=-1)) + 1):  # the turn-th best positive of every query that has one
        chosen = np.flatnonzero(place == turn)
        block = scores if chosen.size == scores.shape[0] else scores[query[chosen]]
        counts[chosen] = np.count_nonzero(compare(block, own[chosen, None]), axis=1)
    return counts
