"""The graded ranking, against a sort in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation.ranking import rank

pair = st.tuples(
    st.sampled_from([-3.5, -1e-30, -0.0, 0.0, 1e-30, 0.25, 1e9]) | st.floats(-1, 1, width=32),
    st.sampled_from([math.nan, 0.0, 0.5, 1.0]) | st.floats(0, 1, width=32),
)


@given(st.lists(pair, min_size=1, max_size=9), st.sampled_from([np.float32, np.float64]))
@settings(deadline=None, max_examples=120)
def test_it_is_a_sort_by_score_then_by_least_relevance(pairs, dtype):
    scores = np.array([[score for score, _ in pairs]], dtype=dtype)
    relevance = np.array([[value for _, value in pairs]])
    ranking = rank(scores, relevance)
    known = sorted((-float(s), float(r)) for s, r in zip(scores[0], relevance[0], strict=True) if not math.isnan(r))
    assert ranking.known.tolist() == [len(known)]
    assert ranking.relevance[0, : len(known)].tolist() == [value for _, value in known]
    assert not ranking.relevance[0, len(known) :].any()
    starts = [place == 0 or known[place][0] != known[place - 1][0] for place in range(len(known))]
    assert ranking.score_starts[0, : len(known)].tolist() == starts


def test_double_scores_keep_their_order():
    close = np.array([[1.0, 1.0 + 1e-12, 1.0 - 1e-12]])
    np.testing.assert_allclose(rank(close, [[0.5, 0.9, 0.1]]).relevance, [[0.9, 0.5, 0.1]], rtol=1e-6)


def test_the_top_of_short_and_long_lists():
    ranking = rank([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]], [[0.1, 0.2, 0.3], [np.nan, 0.5, np.nan]])
    assert ranking.top(2).known.tolist() == [2, 1]
    np.testing.assert_allclose(ranking.top(2).relevance, [[0.1, 0.2], [0.5, 0.0]], rtol=1e-6)
    assert ranking.top(99).known.tolist() == [3, 1]


def test_rounding_beyond_the_range_is_cut_off():
    assert rank([[1.0, 0.0]], [[1 + 5e-7, -5e-7]]).relevance.tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(
    ("scores", "relevance", "message"),
    [
        ([[0.0, 1.0]], [[0.0, 1.5]], "query 0 and candidate 1 is 1.5, not between 0 and 1"),
        ([[0.0, 1.0]], [[-0.5, 1.0]], "candidate 0 is -0.5"),
        ([[0.0, 1.0]], [[0.0, np.inf]], "candidate 1 is inf"),
        ([[0.0, 1.0]], [[0.0]], "they must agree"),
        ([[0.0, np.nan]], [[0.0, 1.0]], "not a finite number"),
    ],
)
def test_bad_input_is_refused(scores, relevance, message):
    with pytest.raises(InputError, match=message):
        rank(scores, relevance)


def test_a_top_of_nothing_is_refused():
    with pytest.raises(InputError, match="at least 1"):
        rank([[1.0]], [[1.0]]).top(0)
