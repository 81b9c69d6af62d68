"""Packed keys sort as pairs of score and relevance do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.evaluation.kernels.ranking import pack_rows

TOLERANCE = 1e-6
UNKNOWN = 2**64 - 1


def pack(scores, relevance):
    """Keys, known counts and whether all was right."""
    scores = np.array(scores, dtype=np.float32)
    keys, known = np.zeros(scores.shape, np.uint64), np.full(len(scores), -1, np.int64)
    right = pack_rows(scores.view(np.uint32), np.asarray(relevance), TOLERANCE, keys, known)
    return keys, known, right


candidate = st.tuples(
    st.sampled_from([-3e38, -2.5, -1e-45, -0.0, 0.0, 1e-45, 0.25, 3e38]) | st.floats(-1, 1, width=32),
    st.sampled_from([np.nan, -5e-7, -0.0, 0.0, 0.5, 1.0, 1 + 5e-7]) | st.floats(0, 1, width=32),
)


@given(st.lists(candidate, min_size=1, max_size=15), st.sampled_from([np.float32, np.float64]))
@settings(deadline=None, max_examples=40)
def test_keys_are_in_the_order_of_falling_score_then_rising_relevance(candidates, dtype):
    keys, known, right = pack([[score for score, _ in candidates]], np.array([[r for _, r in candidates]], dtype))
    assert right
    order = [(-float(np.float32(score)), float(np.float32(np.clip(r, 0, 1)))) for score, r in candidates]
    listed = [place for place, (_, r) in enumerate(candidates) if not np.isnan(r)]
    for one in listed:
        for other in listed:
            assert (keys[0, one] < keys[0, other]) == (order[one] < order[other])
            assert (keys[0, one] == keys[0, other]) == (order[one] == order[other])
    assert known.tolist() == [len(listed)]
    assert all(int(key) == UNKNOWN for place, key in enumerate(keys[0]) if place not in listed)
    assert all(int(keys[0, place]) < UNKNOWN for place in listed)


@given(st.floats(-1e6, 1e6, width=32), st.floats(0, 1, width=32))
@settings(deadline=None, max_examples=40)
def test_the_lower_half_is_the_relevance(score, relevance):
    keys, _, _ = pack([[score]], np.array([[relevance]], np.float32))
    bits = np.uint32(int(keys[0, 0]) & 0x7FFF_FFFF)
    assert bits.view(np.float32) == relevance
    assert int(keys[0, 0]) & 0x8000_0000


def test_every_row_has_its_own_count():
    relevance = np.array([[np.nan, np.nan], [0.5, np.nan], [0.0, 1.0]])
    keys, known, right = pack(np.zeros((3, 2)), relevance)
    assert right
    assert known.tolist() == [0, 1, 2]
    assert (keys == UNKNOWN).tolist() == np.isnan(relevance).tolist()


@pytest.mark.parametrize("bad", [np.nan, -np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("relevance", [0.5, np.nan])
def test_a_score_that_is_not_finite_is_not_right_even_where_its_relevance_is_unknown(bad, relevance):
    assert not pack([[0.0, 1.0], [bad, 1.0]], np.array([[0.5, 0.5], [relevance, 0.5]]))[2]
    assert not pack([[0.0, bad], [0.0, 1.0]], np.array([[0.5, relevance], [0.5, 0.5]]))[2]


@pytest.mark.parametrize("bad", [-2e-6, 1 + 2e-6, -1.0, 7.0, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_relevance_out_of_range_is_not_right(bad, dtype):
    assert not pack(np.zeros((2, 2)), np.array([[0.5, 0.5], [bad, 0.5]], dtype))[2]


@pytest.mark.parametrize(("near", "within"), [(-9e-7, 0.0), (1 + 9e-7, 1.0)])
def test_rounding_beyond_the_range_is_cut_off(near, within):
    keys, _, right = pack([[0.5, 0.5]], np.array([[near, within]]))
    assert right
    assert keys[0, 0] == keys[0, 1]


def test_rows_without_candidates_are_right_and_know_nothing():
    assert pack(np.zeros((2, 0)), np.zeros((2, 0)))[1:] == (pytest.approx([0, 0]), True)
