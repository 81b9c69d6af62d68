"""The optimizer's groups and the learning rate over time."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from bcls.errors import InputError
from bcls.losses import InfoNCELoss
from bcls.training.optimizer import adamw, warmup_cosine


def test_only_matrices_decay():
    layer = nn.Linear(3, 2)
    optimizer = adamw([layer, InfoNCELoss(learnable_temperature=True)], learning_rate=0.1, weight_decay=0.5)
    decays = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert decays[id(layer.weight)] == 0.5
    assert decays[id(layer.bias)] == 0.0
    assert len(decays) == 3


def test_pretrained_parameters_learn_at_their_own_rate():
    new, old = nn.Linear(3, 2), nn.Linear(3, 2)
    optimizer = adamw(
        [new, old], learning_rate=0.1, weight_decay=0.5, pretrained=old.parameters(), pretrained_learning_rate=0.01
    )
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert [rates[id(p)] for p in (*new.parameters(), *old.parameters())] == [0.1, 0.1, 0.01, 0.01]


def test_rates_are_scaled():
    new, old = nn.Linear(3, 2), nn.Linear(3, 2)
    optimizer = adamw(
        [new, old],
        learning_rate=0.1,
        weight_decay=0.5,
        pretrained=old.parameters(),
        pretrained_learning_rate=0.01,
        rate_scales={old.weight: 0.5, new.bias: 0.25},
    )
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert [rates[id(p)] for p in (*new.parameters(), *old.parameters())] == [0.1, 0.025, 0.005, 0.01]


def test_nothing_that_learns_is_refused():
    layer = nn.Linear(3, 2).requires_grad_(False)
    with pytest.raises(InputError, match="nothing learns: both towers are frozen"):
        adamw([layer], learning_rate=0.1, weight_decay=0.5)


def test_frozen_parameters_are_left_out():
    layer = nn.Linear(3, 2)
    layer.weight.requires_grad_(False)
    optimizer = adamw([layer], learning_rate=0.1, weight_decay=0.5)
    assert [len(group["params"]) for group in optimizer.param_groups] == [1]


def test_a_step_is_that_of_torch_adamw():
    torch.manual_seed(0)
    ours, theirs = nn.Linear(3, 2, bias=False), nn.Linear(3, 2, bias=False)
    theirs.load_state_dict(ours.state_dict())
    pairs = [
        (ours, adamw([ours], learning_rate=0.1, weight_decay=0.5)),
        (theirs, torch.optim.AdamW(theirs.parameters(), lr=0.1, weight_decay=0.5)),
    ]
    for layer, optimizer in pairs:
        layer(torch.ones(1, 3)).sum().backward()
        optimizer.step()
    torch.testing.assert_close(ours.weight, theirs.weight)


@given(steps=st.integers(1, 500), warmup=st.floats(0, 1))
def test_the_factor_rises_to_one_and_never_rises_again(steps, warmup):
    factors = [warmup_cosine(step, steps=steps, warmup=warmup) for step in range(steps)]
    peak = factors.index(max(factors))
    assert all(0 <= factor <= 1 for factor in factors)
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
    assert max(factors) == pytest.approx(1)


def test_no_warmup_starts_at_the_peak_and_the_end_is_zero():
    assert warmup_cosine(0, steps=10, warmup=0) == 1
    assert warmup_cosine(10, steps=10, warmup=0) == pytest.approx(0)
    assert warmup_cosine(99, steps=10, warmup=0) == pytest.approx(0)
