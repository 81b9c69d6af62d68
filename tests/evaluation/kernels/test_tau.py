"""Ties and inversions, against a loop over all pairs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bcls.evaluation.kernels.tau import GROUP, count_pairs, inversions, rank_and_count, tied_pairs

TOLERANCE = 1e-6


def inversions_of(row):
    row = np.array(row, dtype=np.uint64)
    groups = row.size // (64 * GROUP) + 1
    room = np.empty(groups * GROUP, np.uint64), np.empty((groups, GROUP), np.int16), np.empty(groups, np.int32)
    for one in room:
        one.fill(77)  # what an earlier row left there
    return inversions(row, *room)


def naive(scores, relevance):
    """Pairs tied in score, in relevance, in both, and pairs that are in the same order by both."""
    known = [(s, r) for s, r in zip(scores, np.asarray(relevance, np.float32), strict=True) if not np.isnan(r)]
    counts = [0, 0, 0, 0]
    for (one, its), (other, others) in combinations(known, 2):
        counts[0] += one == other
        counts[1] += its == others
        counts[2] += one == other and its == others
        counts[3] += (one > other and its > others) or (one < other and its < others)  # a product may underflow
    return counts


def rank_and_count_of(scores, relevance):
    scores = np.array(scores, dtype=np.float32)
    known, counts = np.full(len(scores), -1, np.int64), np.full((4, len(scores)), -1, np.int64)
    right = rank_and_count(scores.view(np.uint32), np.asarray(relevance), TOLERANCE, known, counts)
    return known, counts, right


@given(st.permutations(range(9)))
@settings(deadline=None, max_examples=40)
def test_inversions_are_pairs_in_the_wrong_order(row):
    assert inversions_of(row) == sum(one > other for one, other in combinations(row, 2))


@pytest.mark.parametrize("width", [0, 1, 2, 63, 64, 65, 129])
def test_a_row_in_order_has_no_inversion_and_turned_round_it_has_all(width):
    assert inversions_of(range(width)) == 0
    assert inversions_of(range(width)[::-1]) == width * (width - 1) // 2


@pytest.mark.parametrize("width", [64, 200, 64 * GROUP - 1, 64 * GROUP, 64 * GROUP + 1])
def test_inversions_across_words_and_groups_are_counted(width):
    row = np.random.default_rng(width).permutation(width)
    expected = sum(int((row[:place] > value).sum()) for place, value in enumerate(row))
    assert inversions_of(row) == expected


@given(st.lists(st.integers(0, 2**34 + 3).map(lambda n: n & (2**34 | 2**32 | 3)), max_size=14).map(sorted))
@settings(deadline=None, max_examples=40)
def test_tied_pairs_are_pairs_of_equals_after_the_shift(numbers):
    row = np.array(numbers, dtype=np.uint64)
    for shift in (0, 32):
        expected = sum(one >> shift == other >> shift for one, other in combinations(numbers, 2))
        assert tied_pairs(row, shift) == expected


def test_the_highest_numbers_tie_too():
    row = np.array([2**63, 2**64 - 2, 2**64 - 1, 2**64 - 1], dtype=np.uint64)
    assert (tied_pairs(row, 0), tied_pairs(row, 32)) == (1, 3)


def test_pairs_of_keys_are_counted_by_halves():
    """Scores 2 2 1 1 1 0 from the best on, of equal scores the least relevant first; the last is not on the list."""
    halves = [(0, 1), (0, 3), (1, 1), (1, 1), (1, 2), (2, 3), (9, 9)]
    keys = np.array([[(upper << 32) | lower for upper, lower in halves]] * 2, dtype=np.uint64)
    counts = np.full((4, 2), -1, np.int64)
    count_pairs(keys, np.array([6, 2]), counts)
    scores, relevance = [-upper for upper, _ in halves], [lower for _, lower in halves]
    assert counts[:, 0].tolist() == naive(scores[:6], relevance[:6]) == [1 + 3, 3 + 1, 1, 3]
    assert counts[:, 1].tolist() == naive(scores[:2], relevance[:2]) == [1, 0, 0, 0]


candidate = st.tuples(
    st.sampled_from([-1.5, -0.0, 0.0, 1e-30, 0.25]) | st.floats(-1, 1, width=32),
    st.sampled_from([np.nan, 0.0, 0.3, 1.0]) | st.floats(0, 1, width=32),
)


@given(st.lists(candidate, min_size=1, max_size=12), st.sampled_from([np.float32, np.float64]))
@example([(-0.0, 0.0), (1e-30, 2.0**-126)], np.float32)
@settings(deadline=None, max_examples=40)
def test_a_ranking_is_counted_as_a_loop_over_its_pairs_counts(candidates, dtype):
    scores, relevance = ([pair[side] for pair in candidates] for side in range(2))
    rows = [scores, scores[::-1]], np.array([relevance, relevance], dtype)
    known, counts, right = rank_and_count_of(*rows)
    assert right
    assert known.tolist() == [sum(not np.isnan(value) for value in relevance)] * 2
    assert counts.T.tolist() == [naive(row, relevance) for row in rows[0]]


def test_a_row_does_not_depend_on_the_row_before():
    random = np.random.default_rng(2)
    scores, relevance = random.integers(0, 9, (5, 100)), random.integers(0, 5, (5, 100)) / 4
    relevance[1], relevance[2, ::2] = np.nan, np.nan
    known, counts, _ = rank_and_count_of(scores, relevance)
    assert known.tolist() == [100, 0, 50, 100, 100]
    assert counts.T.tolist() == [naive(*row) for row in zip(scores, relevance, strict=True)]


@pytest.mark.parametrize(("score", "relevance"), [(np.inf, 0.5), (np.nan, np.nan), (0.0, 1.5), (0.0, -0.1)])
def test_a_wrong_number_in_any_row_is_told(score, relevance):
    scores, labels = np.zeros((3, 4)), np.zeros((3, 4))
    assert rank_and_count_of(scores, labels)[2]
    scores[2, 1], labels[2, 1] = score, relevance
    assert not rank_and_count_of(scores, labels)[2]
