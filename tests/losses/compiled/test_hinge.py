"""Row kernels on threads: each row once, both directions, and their gradient through autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import bcls.losses.compiled.hinge as room
from bcls.losses.compiled.hinge import compiled_hinge, run_rows


def squares(scores, labels, start, stop, gradient):
    """Half the squares of the scores whose label is known, a pair each; not compiled."""
    known = ~np.isnan(labels[start:stop])
    part = np.where(known, scores[start:stop], 0)
    gradient[start:stop] = part
    return float((part**2).sum() / 2), int(known.sum())


@pytest.fixture
def matrices():
    random = torch.Generator().manual_seed(0)
    similarity = torch.randn(7, 5, generator=random, dtype=torch.float64)
    relevance = torch.rand(7, 5, generator=random, dtype=torch.float64)
    relevance[0] = relevance[3, 2] = torch.nan
    return similarity, relevance


def test_value_and_gradient_are_the_mean_over_both_directions(matrices):
    similarity, relevance = matrices

    def rows_alone(scores, labels, start, stop, gradient):  # tells the directions apart
        total, pairs = squares(scores, labels, start, stop, gradient)
        weight = 1.0 if scores.shape[1] == 5 else 10.0
        gradient[start:stop] *= weight
        return total * weight, pairs + (scores.shape[1] == 7) * (stop - start)

    ours = similarity.clone().requires_grad_()
    value = compiled_hinge(ours, relevance, rows_alone)
    known = int((~relevance.isnan()).sum())
    theirs = similarity.clone().requires_grad_()
    half = (theirs.square() * ~relevance.isnan()).sum() / 2
    expected = (half / known + 10 * half / (known + 5)) / 2
    torch.testing.assert_close(value, expected)
    (value * 3).backward()
    (expected * 3).backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_nothing_ordered_gives_zero_and_no_nan(matrices):
    similarity = matrices[0].requires_grad_()
    value = compiled_hinge(similarity, torch.full((7, 5), torch.nan), squares)
    value.backward()
    assert value.item() == 0
    assert torch.equal(similarity.grad, torch.zeros(7, 5, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_value_has_the_format_of_the_scores(matrices, dtype):
    similarity = matrices[0].to(dtype).requires_grad_()
    value = compiled_hinge(similarity, matrices[1], squares)
    value.backward()
    assert value.dtype == similarity.grad.dtype == dtype


@pytest.mark.parametrize("one_part", [1, 5, 11, 15, 1 << 15])
@pytest.mark.parametrize("worth_threads", [0, 1 << 17])
def test_every_row_is_given_to_the_kernel_once_however_parts_are_cut(matrices, monkeypatch, one_part, worth_threads):
    monkeypatch.setattr(room, "ONE_PART", one_part)
    monkeypatch.setattr(room, "WORTH_THREADS", worth_threads)
    given = []

    def rows(scores, labels, start, stop, gradient):
        given.append((start, stop))
        return squares(scores, labels, start, stop, gradient)

    similarity, relevance = matrices
    total, pairs, gradient = run_rows(similarity, relevance, rows)
    assert sorted(row for start, stop in given for row in range(start, stop)) == list(range(7))
    assert max(stop - start for start, stop in given) == min(7, max(1, one_part // 5))
    known = ~relevance.isnan()
    assert total == pytest.approx((similarity.square() * known).sum().item() / 2)
    assert pairs == int(known.sum())
    torch.testing.assert_close(gradient, similarity * known)


def test_a_matrix_with_strides_is_given_in_rows(matrices):
    similarity, relevance = matrices

    def rows(scores, labels, start, stop, gradient):
        assert scores.flags.c_contiguous
        assert labels.flags.c_contiguous
        return squares(scores, labels, start, stop, gradient)

    total, pairs, gradient = run_rows(similarity.T, relevance.T, rows)
    straight = run_rows(similarity, relevance, squares)
    assert (pytest.approx(total), pairs) == straight[:2]
    assert torch.equal(gradient, straight[2].T)


def test_a_fault_in_a_thread_is_not_lost(matrices, monkeypatch):
    monkeypatch.setattr(room, "ONE_PART", 1)
    monkeypatch.setattr(room, "WORTH_THREADS", 0)

    def rows(scores, labels, start, stop, gradient):
        if start == 6:
            raise ArithmeticError("row 6")
        return 0.0, 0

    with pytest.raises(ArithmeticError, match="row 6"):
        run_rows(*matrices, rows)
