"""SW-HS of a query in one pass: sort, running extremes, hinge, and the gradient of the offenders alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from bcls.losses.compiled.kernel import kernel
from bcls.losses.compiled.order import order_of

BOUNDARY, WINDOW, STRIDE, FIRST = 0, 1, 2, 3


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
    candidate = np.empty(most, np.int32)
    labels = np.empty(most, relevance.dtype)
    order, spare = np.empty(most, np.int32), np.empty(most, np.int32)
    scores, sorted_labels = np.empty(most, similarity.dtype), np.empty(most, relevance.dtype)
    more, less = np.empty(most, np.int32), np.empty(most, np.int32)
    total, counted = 0.0, 0
    for row in range(start, stop):
        n = 0
        for j in range(most):
            gradient[row, j] = 0
            if relevance[row, j] == relevance[row, j]:
                candidate[n], labels[n] = j, relevance[row, j]
                n += 1
        if n < 2:
            continue
        order_of(labels[:n], True, order[:n], spare[:n])
        for position in range(n):
            j = candidate[order[position]]
            scores[position] = similarity[row, j]
            sorted_labels[position] = labels[order[position]]
        width = window if window > 0 else max(2 if form == WINDOW else 1, int(np.floor(n * share)))
        pairs = _choose(form, scores[:n], sorted_labels[:n], width, gap, more, less, spare)
        for number in range(pairs):
            a, b = more[number], less[number]
            if not sorted_labels[a] - sorted_labels[b] > gap:
                continue
            counted += 1
            hinge = (margin + scores[b]) - scores[a]
            if hinge > 0:
                total += np.float64(hinge)
                gradient[row, candidate[order[a]]] -= 1
                gradient[row, candidate[order[b]]] += 1
    return total, counted


@kernel
def _choose(form: int, scores: Any, labels: Any, width: int, gap: Any, more: Any, less: Any, queue: Any) -> int:
    if form == BOUNDARY:
        return _boundary(scores, min(width, len(scores) - 1), more, less)
    if form == STRIDE:
        return _stride(len(scores), min(width, len(scores) - 1), more, less)
    if form == WINDOW:
        return _window(scores, min(width, len(scores)), more, less, queue)
    return _first(scores, labels, width, gap, more, less, queue)


@kernel
def _boundary(scores: Any, width: int, more: Any, less: Any) -> int:
    n = len(scores)
    pairs = n - width
    most = n - 1
    for position in range(n - 1, width - 1, -1):
        if scores[position] >= scores[most]:
            most = position
        less[position - width] = most
    least = 0
    for position in range(pairs):
        if scores[position] <= scores[least]:
            least = position
        more[position] = least
    return pairs


@kernel
def _stride(n: int, width: int, more: Any, less: Any) -> int:
    for position in range(n - width):
        more[position], less[position] = position, position + width
    return n - width


@kernel
def _window(scores: Any, width: int, more: Any, less: Any, queue: Any) -> int:
    half = width // 2
    pairs = len(scores) - width + 1
    if half == 0:
        return 0
    head, tail = 0, 0  # the queue's positions rise, and so do their scores: its head is the least
    for right in range(pairs + half - 1):
        while tail > head and scores[queue[tail - 1]] > scores[right]:
            tail -= 1
        queue[tail] = right
        tail += 1
        position = right - half + 1
        if position >= 0:
            while queue[head] < position:
                head += 1
            more[position] = queue[head]
    head, tail = 0, 0
    for right in range(width - half, pairs + width - 1):
        while tail > head and scores[queue[tail - 1]] < scores[right]:
            tail -= 1
        queue[tail] = right
        tail += 1
        position = right - width + 1
        if position >= 0:
            while queue[head] < position + width - half:
                head += 1
            less[position] = queue[head]
    return pairs


@kernel
def _first(scores: Any, labels: Any, width: int, gap: Any, more: Any, less: Any, queue: Any) -> int:
    n = len(scores)
    pairs, left, right = 0, 1, 0
    head, tail = 0, 0
    for position in range(n):
        left = max(left, position + 1)
        while left < n and not labels[position] - labels[left] > gap:
            left += 1
        last = min(position + width, n - 1)
        while right < last:
            right += 1
            while tail > head and scores[queue[tail - 1]] < scores[right]:
                tail -= 1
            queue[tail] = right
            tail += 1
        while head < tail and queue[head] < left:
            head += 1
        if left <= last:
            more[pairs], less[pairs] = position, queue[head]
            pairs += 1
    return pairs
