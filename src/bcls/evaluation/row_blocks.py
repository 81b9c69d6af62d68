"""Graded lists a few queries at a time, on threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numpy.typing import ArrayLike, NDArray

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.evaluation.compiled import compiled_pays
from bcls.evaluation.ranking import check_graded
from bcls.threads import over_rows

ROW_BLOCK_SCORES = 80_000
"""Scores that one thread ranks at a time: so few that all that is made of them stays in its cache."""

Result = TypeVar("Result")


def in_row_blocks(
    work: Callable[[NDArray[Any], NDArray[Any], bool], Result], scores: ArrayLike, relevance: ArrayLike
) -> list[Result]:
    """Call `work(scores, relevance, fast)` for a few queries at a time, on threads.

    Returns:
        What `work` returned, in the order of the queries.

    Raises:
        InputError: as `rank` does, for the first wrong number of the whole.

    Example:
        >>> in_row_blocks(lambda scores, relevance, fast: scores.shape, [[0.5, 1.0]], [[1.0, float("nan")]])
        [(1, 2)]
    """
    scores, relevance = to_array(scores, "scores"), to_array(relevance, "relevance")
    if scores.ndim != 2 or relevance.shape != scores.shape:
        check_graded(scores, relevance)
    queries, width = scores.shape
    fast = compiled_pays(scores.size)
    step = max(1, ROW_BLOCK_SCORES // max(width, 1))
    try:
        return over_rows(lambda start, stop: work(scores[start:stop], relevance[start:stop], fast), queries, step)
    except InputError:
        check_graded(scores, relevance)  # names the row of the whole
        raise
