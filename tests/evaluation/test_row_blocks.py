"""Graded lists in any kind of array."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bcls.evaluation import kendall_tau_b, ndcg, recall_at


@pytest.mark.parametrize("metric", [ndcg, kendall_tau_b])
def test_tensors_of_every_format_are_taken_with_a_gradient_or_without(metric):
    scores = torch.tensor([[0.5, 0.25, 0.75], [0.125, 1.0, 0.0]])
    relevance = torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.25, 0.75]])
    expected = metric(scores.tolist(), relevance.tolist())
    assert not np.isnan(expected).any()
    for dtype in (torch.bfloat16, torch.float16, torch.float32, torch.float64):
        found = metric(scores.to(dtype).requires_grad_(), relevance.to(dtype))
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_ranks_may_be_a_tensor():
    assert recall_at(torch.tensor([1.0, 2.0], dtype=torch.bfloat16), 1) == 50
