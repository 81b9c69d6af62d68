"""SW-HS by compiled rows against the pairs that torch selects."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from bcls.losses.compiled.kendall import FORMS
from bcls.losses.compiled.offenders import offender_rows
from bcls.losses.windows import select_pairs


def ours(similarity, relevance, form, window, gap, margin, start=0, stop=None):
    gradient = np.full(similarity.shape, 7.0)
    width, share = (window, 0.0) if isinstance(window, int) else (0, window)
    stop = len(similarity) if stop is None else stop
    least, ahead = np.float64(gap), np.float64(margin)
    found = offender_rows(similarity, relevance, FORMS[form], width, share, least, ahead, start, stop, gradient)
    return *found, gradient


def of_selected(similarity, relevance, form, window, gap, margin):
    """The hinge of each selected pair, by loops."""
    chosen = select_pairs(torch.from_numpy(similarity), torch.from_numpy(relevance), pairs=form, window=window, gap=gap)
    total, count, gradient = 0.0, 0, np.zeros_like(similarity)
    for query in range(len(similarity)):
        for a, b, counts in zip(*(part[query].tolist() for part in chosen), strict=True):
            if counts:
                count += 1
                hinge = (margin + similarity[query, b]) - similarity[query, a]
                total += max(0.0, hinge)
                gradient[query, a] -= hinge > 0
                gradient[query, b] += hinge > 0
    return total, count, gradient


@pytest.mark.parametrize("form", FORMS)
@given(
    candidates=st.integers(1, 15),
    seed=st.integers(0, 10_000),
    window=st.sampled_from([2, 3, 50, 0.3, 0.75]),
    margin=st.sampled_from([0.0, 0.1]),
    gap=st.sampled_from([0.0, 0.1, 0.3]),
)
@settings(max_examples=20, deadline=None)
def test_sum_number_and_gradient_are_those_of_the_selected_pairs(
    make_matrices, form, candidates, seed, window, margin, gap
):
    similarity, relevance, _ = (part.numpy() for part in make_matrices(4, candidates, seed))
    similarity = similarity.round(1)  # ties
    total, count, gradient = ours(similarity, relevance, form, window, gap, margin)
    expected = of_selected(similarity, relevance, form, window, gap, margin)
    assert total == pytest.approx(expected[0], abs=1e-12)
    assert count == expected[1]
    np.testing.assert_array_equal(gradient, expected[2])


@pytest.mark.parametrize("form", FORMS)
def test_only_the_rows_asked_for_are_read_and_filled(make_matrices, form):
    similarity, relevance, _ = (part.numpy() for part in make_matrices(5, 8, 0))
    whole = ours(similarity, relevance, form, 3, 0.1, 0.1)
    parts = [ours(similarity, relevance, form, 3, 0.1, 0.1, start, stop) for start, stop in ((0, 2), (2, 5))]
    assert sum(part[0] for part in parts) == pytest.approx(whole[0])
    assert sum(part[1] for part in parts) == whole[1]
    np.testing.assert_array_equal(parts[0][2][:2], whole[2][:2])
    np.testing.assert_array_equal(parts[1][2][2:], whole[2][2:])
    assert (parts[0][2][2:] == 7).all()
    assert (parts[1][2][:2] == 7).all()


@pytest.mark.parametrize("form", FORMS)
def test_a_query_with_one_known_candidate_or_none_adds_nothing(form):
    relevance = np.array([[np.nan, 0.5, np.nan], [np.nan] * 3])
    total, count, gradient = ours(np.array([[0.1, 0.2, 0.3]] * 2), relevance, form, 2, 0.0, 0.1)
    assert (total, count) == (0.0, 0)
    assert not gradient.any()


def test_a_pair_by_hand():
    similarity, relevance = np.array([[0.2, 0.9, 0.4]]), np.array([[1.0, np.nan, 0.1]])
    total, count, gradient = ours(similarity, relevance, "stride", 1, 0.1, 0.1)
    assert total == pytest.approx(0.1 + 0.4 - 0.2)
    assert count == 1
    assert gradient.tolist() == [[-1.0, 0.0, 1.0]]
