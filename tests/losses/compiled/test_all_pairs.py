"""All pairs by compiled counts against loops, and against the torch implementation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from bcls.losses.all_pairs import all_pairs_hinge
from bcls.losses.compiled.all_pairs import all_pairs_rows


def ours(similarity, relevance, gap, margin, start=0, stop=None):
    gradient = np.full(similarity.shape, 7.0)
    stop = len(similarity) if stop is None else stop
    found = all_pairs_rows(similarity, relevance, np.float64(gap), np.float64(margin), start, stop, gradient)
    return *found, gradient


def by_loops(similarity, relevance, gap, margin):
    total, count, gradient = 0.0, 0, np.zeros_like(similarity)
    for query, (s, r) in enumerate(zip(similarity, relevance, strict=True)):
        for a in range(len(s)):
            for b in range(len(s)):
                if r[a] - r[b] > gap:
                    count += 1
                    hinge = (margin + s[b]) - s[a]
                    total += max(0.0, hinge)
                    gradient[query, a] -= hinge > 0
                    gradient[query, b] += hinge > 0
    return total, count, gradient


@given(
    candidates=st.integers(1, 20),
    seed=st.integers(0, 10_000),
    margin=st.sampled_from([0.0, 0.1, 0.5]),
    gap=st.sampled_from([0.0, 0.1, 0.3]),
    tied=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_sum_number_and_gradient_are_those_of_all_pairs(make_matrices, candidates, seed, margin, gap, tied):
    similarity, relevance, _ = (part.numpy() for part in make_matrices(3, candidates, seed))
    similarity = similarity.round(1) if tied else similarity
    total, count, gradient = ours(similarity, relevance, gap, margin)
    expected = by_loops(similarity, relevance, gap, margin)
    assert total == pytest.approx(expected[0], abs=1e-12)
    assert count == expected[1]
    np.testing.assert_array_equal(gradient, expected[2])


@pytest.mark.parametrize("candidates", [63, 64, 65, 128, 512, 513, 700])
def test_rows_longer_than_a_word_or_a_group_of_bits_equal_torch(make_matrices, candidates):
    similarity, relevance, _ = make_matrices(2, candidates, candidates)
    total, count, gradient = ours(similarity.numpy(), relevance.numpy(), 0.1, 0.05)
    leaf = similarity.clone().requires_grad_()
    value = all_pairs_hinge(leaf, relevance, gap=0.1, margin=0.05)
    value.backward()
    assert total / count == pytest.approx(value.item(), rel=1e-10)
    torch.testing.assert_close(torch.from_numpy(gradient) / count, leaf.grad, atol=1e-12, rtol=1e-10)


def test_only_the_rows_asked_for_are_read_and_filled(make_matrices):
    similarity, relevance, _ = (part.numpy() for part in make_matrices(5, 8, 0))
    whole = ours(similarity, relevance, 0.1, 0.1)
    parts = [ours(similarity, relevance, 0.1, 0.1, start, stop) for start, stop in ((0, 2), (2, 5))]
    assert sum(part[0] for part in parts) == pytest.approx(whole[0])
    assert sum(part[1] for part in parts) == whole[1]
    np.testing.assert_array_equal(parts[0][2][:2], whole[2][:2])
    np.testing.assert_array_equal(parts[1][2][2:], whole[2][2:])
    assert (parts[0][2][2:] == 7).all()
    assert (parts[1][2][:2] == 7).all()


def test_a_query_with_one_known_candidate_or_none_adds_nothing():
    relevance = np.array([[np.nan, 0.5, np.nan], [np.nan] * 3])
    total, count, gradient = ours(np.array([[0.1, 0.2, 0.3]] * 2), relevance, 0.0, 0.1)
    assert (total, count) == (0.0, 0)
    assert not gradient.any()


def test_three_candidates_by_hand():
    similarity, relevance = np.array([[0.5, 0.25, 1.0]]), np.array([[1.0, 0.5, 0.0]])
    total, count, gradient = ours(similarity, relevance, 0.25, 0.25)
    assert total == (0.25 + 1.0 - 0.5) + (0.25 + 1.0 - 0.25)  # 0.25 + 0.25 - 0.5 is nothing
    assert count == 3
    assert gradient.tolist() == [[-1.0, -1.0, 2.0]]
