"""Positives that somebody judged, in positions of a gallery."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation.judged.positives import JudgedPositives, positives_from_ids

QUERIES, CANDIDATES = np.array([50, 70, 60]), np.array([3, 1, 2, 9])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=20))
@settings(deadline=None, max_examples=40)
def test_pairs_in_any_order_become_ordered_and_each_once(pairs):
    query, candidate = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in range(2))
    judged = JudgedPositives.of_pairs(query, candidate, 5, 7)
    assert list(zip(judged.query.tolist(), judged.candidate.tolist(), strict=True)) == sorted(set(pairs))
    assert judged.queries == 5
    assert judged.beyond.size == 0
    assert judged.asked.tolist() == sorted({query for query, _ in pairs})


def test_pairs_of_small_integers_do_not_overflow():
    judged = JudgedPositives.of_pairs(np.array([200], np.uint8), np.array([250], np.int64), 201, 300)
    assert (judged.query.tolist(), judged.candidate.tolist()) == ([200], [250])


def test_a_gallery_without_candidates_has_no_positives():
    none = np.zeros(0, dtype=np.int64)
    judged = JudgedPositives.of_pairs(none, none, 3, 0)
    assert (judged.query.size, judged.candidate.size, judged.queries) == (0, 0, 3)


def test_a_query_whose_positives_are_all_beyond_asks_too():
    judged = JudgedPositives(np.array([1, 1, 4]), np.array([0, 2, 0]), 6, np.array([4, 2, 2]))
    assert judged.asked.tolist() == [1, 2, 4]


def test_ids_become_positions_and_what_is_no_candidate_is_beyond():
    judged = positives_from_ids({60: [9, 77, 3], 50: [2], 70: [88, 99]}, QUERIES, CANDIDATES, "captions")
    assert judged.query.tolist() == [0, 2, 2]
    assert judged.candidate.tolist() == [2, 0, 3]
    assert judged.beyond.tolist() == [1, 1, 2]
    assert judged.queries == 3
    assert judged.asked.tolist() == [0, 1, 2]


@given(
    st.dictionaries(
        st.sampled_from(QUERIES.tolist()), st.lists(st.integers(0, 12), unique=True, max_size=6), max_size=3
    )
)
@settings(deadline=None, max_examples=40)
def test_every_id_is_a_positive_or_beyond(found):
    judged = positives_from_ids(found, QUERIES, CANDIDATES, "captions")
    row, column = QUERIES.tolist().index, CANDIDATES.tolist()
    pairs = sorted((row(query), column.index(one)) for query, ids in found.items() for one in ids if one in column)
    assert list(zip(judged.query.tolist(), judged.candidate.tolist(), strict=True)) == pairs
    assert judged.beyond.tolist() == sorted(row(q) for q, ids in found.items() for one in ids if one not in column)


def test_an_id_told_twice_is_one_positive():
    judged = positives_from_ids({70: [1, 1, 9, 1]}, QUERIES, CANDIDATES, "captions")
    assert (judged.query.tolist(), judged.candidate.tolist()) == ([1, 1], [1, 3])


@pytest.mark.parametrize("found", [{}, {50: []}, {50: [], 60: []}])
def test_nothing_judged_is_nothing_asked(found):
    judged = positives_from_ids(found, QUERIES, CANDIDATES, "captions")
    assert judged.asked.tolist() == []
    assert judged.queries == 3


def test_a_query_that_is_not_in_the_gallery_is_named():
    with pytest.raises(InputError, match=r"^2 captions of the gallery are not there: '51', '52'$"):
        positives_from_ids({52: [3], 50: [3], 51: [3]}, QUERIES, CANDIDATES, "captions of the gallery")


@pytest.mark.parametrize("ids", [[0.5], ["3"], [None], [True], [2**70]])
def test_ids_that_are_no_whole_numbers_are_refused(ids):
    with pytest.raises(InputError, match=r"^the positives of captions must be whole-number ids, got "):
        positives_from_ids({50: ids}, QUERIES, CANDIDATES, "captions")


@pytest.mark.parametrize("asking", [50.0, "50", True, None, 2**70])
def test_queries_that_are_no_whole_numbers_are_refused(asking):
    with pytest.raises(InputError, match=r"^captions must have whole-number ids, got "):
        positives_from_ids({asking: [3]}, QUERIES, CANDIDATES, "captions")


@pytest.mark.parametrize(
    "ids",
    [[[10, 20]], [[10], 20], [10, 20.5], [10, True], ["10"], [2**70]],
    ids=["nested", "ragged", "a fraction", "a truth", "a word", "too large"],
)
def test_the_wrong_id_among_right_ones_is_found(ids):
    with pytest.raises(InputError, match=r"the positives of images must be whole-number ids, got "):
        positives_from_ids({7: ids}, np.array([5, 7]), np.array([10, 20]), "images")
