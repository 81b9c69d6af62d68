"""The sigmoid loss against a loop over pairs."""

from __future__ import annotations

import math

import pytest
import torch

from bcls.errors import InputError
from bcls.losses import SigmoidLoss, sigmoid_loss


def test_equals_the_formula(make_matrices):
    similarity, _, positives = make_matrices(4, 6, 3)
    expected = 0.0
    for i in range(4):
        for j in range(6):
            z = 1 if positives[i, j] else -1
            expected += math.log1p(math.exp(-z * (7.0 * similarity[i, j].item() - 2.0))) / 4
    assert sigmoid_loss(similarity, positives, scale=7.0, bias=-2.0).item() == pytest.approx(expected, abs=1e-12)


def test_scale_and_bias_learn():
    loss = SigmoidLoss()
    loss.terms(torch.randn(4, 4))["sigmoid"].backward()
    assert loss.log_scale.grad.abs() > 0
    assert loss.bias.grad.abs() > 0


def test_the_scale_must_be_above_zero():
    with pytest.raises(InputError, match="initial_scale"):
        SigmoidLoss(initial_scale=0.0)


@pytest.mark.parametrize("setting", ["scale", "bias"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), [0.1, 0.2]])
def test_learnt_numbers_that_are_none_are_refused(setting, value):
    with pytest.raises(InputError, match=setting):
        sigmoid_loss(torch.eye(2), **{setting: torch.tensor(value)})
