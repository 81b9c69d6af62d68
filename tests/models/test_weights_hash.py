"""A fingerprint changes with the weights, and with nothing else."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from bcls.models.weights_hash import weights_hash


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2, bias=False))


def test_equal_weights_have_one_hash_whatever_else_differs():
    before = weights_hash(network())
    other = network()
    other.train().requires_grad_(False)
    assert len(before) == 64
    assert before == weights_hash(network().eval()) == weights_hash(other) == weights_hash(copy.deepcopy(other))


def test_the_order_in_memory_does_not_count():
    layer = nn.Linear(3, 4)
    before = weights_hash(layer)
    layer.weight.data = layer.weight.data.T.contiguous().T
    assert not layer.weight.is_contiguous()
    assert weights_hash(layer) == before


@pytest.mark.parametrize("name", ["0.weight", "0.bias", "1.running_mean", "2.weight"])
def test_any_single_number_counts(name):
    changed = network()
    tensor = changed.state_dict()[name].view(-1)
    tensor[-1] = torch.nextafter(tensor[-1], torch.tensor(9.0))
    assert weights_hash(changed) != weights_hash(network())


def test_names_and_number_formats_count():
    weights = torch.zeros(2, 2)
    hashes = {
        weights_hash(nn.ParameterDict({"a": weights})),
        weights_hash(nn.ParameterDict({"b": weights})),
        weights_hash(nn.ParameterDict({"a": weights.double()})),
        weights_hash(nn.ParameterDict({"a": weights, "b": weights})),
        weights_hash(nn.ParameterDict({})),
    }
    assert len(hashes) == 5


def test_the_order_of_the_parts_does_not_count():
    one, other = torch.ones(2), torch.zeros(3)
    straight, turned = nn.ParameterDict({"a": one, "b": other}), nn.Module()
    turned.b, turned.a = nn.Parameter(other), nn.Parameter(one)
    assert list(turned.state_dict()) == ["b", "a"]
    assert weights_hash(turned) == weights_hash(straight)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.int64, torch.bool])
def test_every_number_format_is_read(dtype):
    layer = nn.Module()
    layer.register_buffer("a", torch.tensor([0, 1], dtype=dtype))
    before = weights_hash(layer)
    layer.a[0] = 1
    assert weights_hash(layer) != before


def test_a_tensor_without_numbers_is_read():
    assert weights_hash(nn.ParameterDict({"a": torch.zeros(0, 3)})) != weights_hash(nn.ParameterDict({}))


def test_a_single_number_counts():
    one, two = torch.nn.Module(), torch.nn.Module()
    one.scale, two.scale = torch.nn.Parameter(torch.tensor(1.0)), torch.nn.Parameter(torch.tensor(2.0))
    assert weights_hash(one) != weights_hash(two)
