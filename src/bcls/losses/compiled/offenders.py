"""SW-HS of a query: sort, running extremes, hinge, and the gradient of the offenders alone.

What a processor cannot foresee costs it more than all else here, so the loops have no branch that depends on the
scores, but for running extremes, which seldom change.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bcls.compiled.kernel import kernel
from bcls.losses.compiled.extremes import WINDOW, choose_pairs
from bcls.losses.compiled.order import order_of, sorting_room


@kernel
def offender_rows(
    similarity: Any,
    relevance: Any,
    form: int,
    window: int,
    share: float,
    gap: Any,
    margin: Any,
    start: int,
    stop: int,
    gradient: Any,
) -> tuple[float, int]:
    """Sum of max(0, margin + s_less - s_more) over the pairs of `select_pairs`, for the rows start..stop - 1.

    The pairs are those of `bcls.losses.windows.select_pairs` to the last tie.

    Args:
        similarity: (queries, candidates).
        relevance: (queries, candidates), NaN = unknown.
        form: 0 `boundary`, 1 `window`, 2 `stride`, 3 `first`.
        window: positions; 0 where `share` counts.
        share: of a query's known candidates; not used where `window` is above 0.
        gap: of relevance, in its number format.
        margin: of similarity, in its number format.
        start: the first row.
        stop: behind the last row.
        gradient: (queries, candidates), filled for these rows.

    Returns:
        The sum, and the number of pairs that count.

    Cost: O(N) a row beside one radix sort; O(N) memory a thread.
    """
    most = similarity.shape[1]
    order, room = np.empty(most, np.int32), sorting_room(most)
    scores, labels = np.empty(most, similarity.dtype), np.empty(most, relevance.dtype)
    more, less = np.empty(most, np.int32), np.empty(most, np.int32)
    ends, spare = np.empty(most, np.int32), np.empty(most, np.int32)
    pull = np.empty(most, similarity.dtype)
    total, counted = 0.0, 0
    for row in range(start, stop):
        gradient[row] = 0
        n = order_of(relevance[row], True, order, labels, room)
        if n < 2:
            continue
        for position in range(n):
            scores[position] = similarity[row, order[position]]
            pull[position] = 0
        width = window if window > 0 else max(2 if form == WINDOW else 1, int(np.floor(n * share)))
        pairs = choose_pairs(form, scores[:n], labels[:n], width, gap, more, less, ends, spare)
        paid, counts = _hinges(scores, labels, gap, margin, more[:pairs], less[:pairs], pull)
        total += paid
        counted += counts
        for position in range(n):
            gradient[row, order[position]] = pull[position]
    return total, counted


@kernel
def _hinges(scores: Any, labels: Any, gap: Any, margin: Any, more: Any, less: Any, pull: Any) -> tuple[float, int]:
    """Sum and number of the pairs that count, their gradient added to `pull`."""
    total, counted = 0.0, 0
    for number in range(len(more)):
        a, b = more[number], less[number]
        counts = labels[a] - labels[b] > gap
        hinge = (margin + scores[b]) - scores[a]
        pays = counts & (hinge > 0)
        counted += counts
        total += np.float64(hinge) if pays else 0.0
        pull[a] -= pays
        pull[b] += pays
    return total, counted
