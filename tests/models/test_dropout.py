"""Dropout against its definition: shares, independence, scale, gradient, reproducibility."""

from __future__ import annotations

import pytest
import torch

from bcls.models.dropout import Dropout


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5, 0.9])
def test_the_share_that_is_zeroed_and_the_expectation(share):
    torch.manual_seed(0)
    values = Dropout(share)(torch.ones(1000, 1003))
    assert (values == 0).float().mean().item() == pytest.approx(share, abs=0.002)
    assert values.mean().item() == pytest.approx(1, abs=0.01)
    assert values.unique().numel() == 2


def test_no_value_tells_of_its_neighbour():
    torch.manual_seed(0)
    kept = (Dropout(0.3)(torch.ones(400_000)) > 0).double()
    for distance in (1, 2, 3, 4, 8):
        pair = torch.stack([kept[:-distance], kept[distance:]])
        assert abs(torch.corrcoef(pair)[0, 1].item()) < 0.01


def test_the_gradient_passes_where_the_value_does():
    torch.manual_seed(0)
    values = torch.randn(40, 50, requires_grad=True)
    dropped = Dropout(0.4)(values)
    dropped.sum().backward()
    torch.testing.assert_close(values.grad * values.detach(), dropped.detach())


def test_a_seed_decides():
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(Dropout(0.5)(torch.ones(64)))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


@pytest.mark.parametrize("module", [Dropout(0.0), Dropout(0.7).eval()])
def test_nothing_is_dropped_without_a_share_or_out_of_training(module):
    values = torch.randn(3, 4)
    assert module(values) is values


def test_almost_everything_may_be_dropped_but_not_all():
    assert torch.isfinite(Dropout(0.999999)(torch.ones(100_000))).all()


def test_a_transposed_or_empty_input():
    torch.manual_seed(0)
    wide = torch.randn(5, 7).T
    dropped = Dropout(0.5)(wide)
    assert torch.equal(dropped[dropped != 0], 2 * wide[dropped != 0])
    assert Dropout(0.5)(torch.empty(0, 3)).shape == (0, 3)
