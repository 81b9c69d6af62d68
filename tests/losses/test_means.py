"""The mean over what counts."""

from __future__ import annotations

import torch

from bcls.losses.means import mean_where


def test_what_does_not_count_changes_neither_value_nor_gradient():
    values = torch.tensor([1.0, 3.0, torch.inf, torch.nan], requires_grad=True)
    mean = mean_where(values, torch.tensor([True, True, False, False]))
    mean.backward()
    assert mean.item() == 2
    assert values.grad.tolist() == [0.5, 0.5, 0, 0]


def test_nothing_counts():
    values = torch.ones(2, 3, requires_grad=True)
    mean = mean_where(values, torch.zeros(2, 3, dtype=torch.bool))
    mean.backward()
    assert mean.item() == 0
    assert values.grad.abs().sum() == 0
