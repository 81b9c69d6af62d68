"""All ordered pairs of a query, counted instead of listed."""

from __future__ import annotations

from typing import Any

import numpy as np

from bcls.compiled.bits import popcount
from bcls.compiled.kernel import kernel
from bcls.losses.compiled.order import order_of, sorting_room

WORDS_A_GROUP = 8


@kernel
def all_pairs_rows(
    similarity: Any, relevance: Any, gap: Any, margin: Any, start: int, stop: int, gradient: Any
) -> tuple[float, int]:
    """Sum of max(0, margin + s_b - s_a) over pairs with r_a - r_b > gap, for the rows start..stop - 1.

    The hinge is linear where it pays, so that the sum and its gradient need two counts for each candidate: how many
    less relevant ones reach it (it is offended), how many more relevant ones it reaches (it offends). Candidates enter
    a set in the order of relevance, as far as the gap allows; the set is a row of bits in the order of similarity, and
    a count is a prefix of it. Comparisons are the formula's own, in its own precision, so that ties fall as they do
    there.

    Args:
        similarity: (queries, candidates).
        relevance: (queries, candidates), NaN = unknown.
        gap: of relevance, in its number format.
        margin: of similarity, in its number format.
        start: the first row.
        stop: behind the last row.
        gradient: (queries, candidates), filled for these rows.

    Returns:
        The sum, and the number of ordered pairs.

    Cost: two radix sorts a row, and for each candidate N / 512 additions and up to 8 popcounts, which the sorts
    outweigh up to some thousands of candidates; O(N) memory a thread.
    """
    most, room = similarity.shape[1], sorting_room(similarity.shape[1])
    order, labels = np.empty(most, np.int32), np.empty(most, relevance.dtype)
    scores, sorted_scores = np.empty(most, similarity.dtype), np.empty(most, similarity.dtype)
    by_score, place = np.empty(most, np.int32), np.empty(most, np.int32)
    reached_from, reaches = np.empty(most, np.int32), np.empty(most, np.int32)
    bits = np.zeros(most // 64 + 1, np.uint64)
    groups = np.zeros(most // (64 * WORDS_A_GROUP) + 1, np.int32)
    total, ordered = 0.0, 0
    for row in range(start, stop):
        gradient[row] = 0
        n = order_of(relevance[row], True, order, labels, room)
        if n < 2:
            continue
        for position in range(n):
            scores[position] = similarity[row, order[position]]
        order_of(scores[:n], False, by_score, sorted_scores, room)
        for rank in range(n):
            place[by_score[rank]] = rank
        _reach(sorted_scores[:n], margin, reached_from, reaches)
        _clear(bits, groups)
        entered, following = 0, n - 1
        for a in range(n - 1, -1, -1):
            while following > a and labels[a] - labels[following] > gap:
                _enter(bits, groups, place[following])
                entered += 1
                following -= 1
            offended = entered - _before(bits, groups, reached_from[place[a]])
            ordered += entered
            gradient[row, order[a]] -= offended
            total -= offended * np.float64(scores[a])
        _clear(bits, groups)
        following = 0
        for b in range(n):
            while following < b and labels[following] - labels[b] > gap:
                _enter(bits, groups, place[following])
                following += 1
            offends = _before(bits, groups, reaches[place[b]])
            gradient[row, order[b]] += offends
            total += offends * (np.float64(scores[b]) + np.float64(margin))
    return total, ordered


@kernel
def _reach(sorted_scores: Any, margin: Any, reached_from: Any, reaches: Any) -> None:
    """For each rank, the first rank whose score pays against it, and how many ranks it pays against."""
    n = len(sorted_scores)
    low, high = 0, 0
    for rank in range(n):
        while low < n and not (margin + sorted_scores[low]) - sorted_scores[rank] > 0:
            low += 1
        while high < n and (margin + sorted_scores[rank]) - sorted_scores[high] > 0:
            high += 1
        reached_from[rank], reaches[rank] = low, high


@kernel
def _clear(bits: Any, groups: Any) -> None:
    bits[:] = 0
    groups[:] = 0


@kernel
def _enter(bits: Any, groups: Any, key: int) -> None:
    word = key >> 6
    bits[word] |= np.uint64(1) << np.uint64(key & 63)
    groups[word // WORDS_A_GROUP] += 1


@kernel
def _before(bits: Any, groups: Any, key: int) -> int:
    """How many entered keys are smaller."""
    word = key >> 6
    group = word // WORDS_A_GROUP
    count = 0
    for whole in range(group):
        count += groups[whole]
    for whole in range(group * WORDS_A_GROUP, word):
        count += int(popcount(bits[whole]))
    part = bits[word] & ((np.uint64(1) << np.uint64(key & 63)) - np.uint64(1))
    return count + int(popcount(part))
