"""Attention filtration: weights that sum to one, over real words alone."""

from __future__ import annotations

import pytest
import torch

from bcls.models import AttentionFiltration


@pytest.fixture
def model():
    torch.manual_seed(0)
    return AttentionFiltration(dim=4, similarity_dim=3).double().eval()


def test_the_sum_has_length_one_and_is_by_the_gates(model):
    nodes = torch.randn(2, 1, 3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = model.gathered(nodes, torch.ones(1, 3, dtype=torch.bool))
    for image in range(2):
        gates = [
            1 / (1 + torch.exp(-(model.filter.weight[0] @ node + model.filter.bias[0]))) for node in nodes[image, 0]
        ]
        total = sum(gate * node for gate, node in zip(gates, nodes[image, 0], strict=True))
        torch.testing.assert_close(found[image, 0], total / total.norm())


def test_an_open_gate_outweighs_shut_ones(model):
    with torch.no_grad():
        model.filter.weight.copy_(torch.tensor([[40.0, 0.0, 0.0]]))
        model.filter.bias.fill_(-20.0)
    nodes = torch.tensor([[[[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]]], dtype=torch.float64)
    found = model.gathered(nodes, torch.ones(1, 3, dtype=torch.bool))
    torch.testing.assert_close(found, torch.tensor([[[1.0, 0.0, 0.0]]], dtype=torch.float64), atol=1e-6, rtol=0)


def test_padding_weighs_nothing_whatever_it_holds(model):
    nodes = torch.randn(2, 1, 5, 3, dtype=torch.float64)
    real = torch.tensor([[True, True, True, False, False]])
    before = model.gathered(nodes, real)
    nodes[:, :, 3:] = 1e6
    assert torch.equal(model.gathered(nodes, real), before)
    torch.testing.assert_close(model.gathered(nodes[:, :, :3], real[:, :3]), before)


@pytest.mark.parametrize("seed", range(3))
def test_random_sets_differ_in_their_similarity_at_the_start(make_sets, seed):
    torch.manual_seed(seed)
    model = AttentionFiltration(dim=64, similarity_dim=64).double().eval()
    images, captions = make_sets([5] * 8, dim=64, seed=seed)[0], make_sets([6] * 8, dim=64, seed=seed + 100)[0]
    with torch.no_grad():
        found = model(images, captions)
    assert found.std(dim=0).min() > 1e-3
    assert found.std(dim=1).min() > 1e-3
    assert ((found > 0) & (found < 1)).all()
