"""Poolings against loops; generalized pooling against one written from VSE-infinity's formulas."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.models import GeneralizedPooling
from bcls.models.gpo import MaxPooling, MeanPooling, make_pooling

POOLINGS = ("mean", "max", "gpo")
sizes = st.lists(st.integers(1, 7), min_size=1, max_size=4)


def made(name: str, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return make_pooling(name)


def make_sets(lengths: list[int], padding: int = 0, dim: int = 3, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(lengths), max(lengths) + padding, dim, generator=generator), torch.tensor(lengths)


def position(rank: int, dim: int) -> torch.Tensor:
    """PE(k, 2i) = sin(k / 10000^(2i/d)), PE(k, 2i + 1) = cos(k / 10000^(2i/d))."""
    angles = [rank / 10000 ** (2 * (i // 2) / dim) for i in range(dim)]
    return torch.tensor([math.cos(a) if i % 2 else math.sin(a) for i, a in enumerate(angles)])


def gru_states(inputs: list[torch.Tensor], gru: torch.nn.GRU, suffix: str) -> list[torch.Tensor]:
    """One direction, gate by gate."""
    input_weight, state_weight = getattr(gru, f"weight_ih_l0{suffix}"), getattr(gru, f"weight_hh_l0{suffix}")
    input_bias, state_bias = getattr(gru, f"bias_ih_l0{suffix}"), getattr(gru, f"bias_hh_l0{suffix}")
    state, states = torch.zeros(gru.hidden_size), []
    for vector in inputs:
        from_input = (input_weight @ vector + input_bias).chunk(3)
        from_state = (state_weight @ state + state_bias).chunk(3)
        reset = torch.sigmoid(from_input[0] + from_state[0])
        update = torch.sigmoid(from_input[1] + from_state[1])
        new = torch.tanh(from_input[2] + reset * from_state[2])
        state = (1 - update) * new + update * state
        states.append(state)
    return states


def naive_weights(pooling: GeneralizedPooling, size: int) -> torch.Tensor:
    positions = [position(rank, pooling.encoding_dim) for rank in range(size)]
    forward = gru_states(positions, pooling.gru, "")
    backward = gru_states(positions[::-1], pooling.gru, "_reverse")[::-1]
    scores = torch.stack([pooling.score.weight[0] @ ((f + b) / 2) for f, b in zip(forward, backward, strict=True)])
    exponentials = torch.exp(scores / 0.1)
    return exponentials / exponentials.sum()


def naive_gpo(pooling: GeneralizedPooling, vectors: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    pooled = torch.zeros(len(vectors), vectors.shape[2])
    for row, size in enumerate(lengths.tolist()):
        weights = naive_weights(pooling, size)
        for d in range(vectors.shape[2]):
            ranked = sorted(vectors[row, :size, d].tolist(), reverse=True)
            pooled[row, d] = sum(weight * value for weight, value in zip(weights.tolist(), ranked, strict=True))
    return pooled


@given(lengths=sizes, padding=st.integers(0, 2), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_generalized_pooling_equals_the_formula(lengths, padding, seed):
    pooling = made("gpo", seed)
    vectors, counts = make_sets(lengths, padding, seed=seed)
    torch.testing.assert_close(pooling(vectors, counts), naive_gpo(pooling, vectors, counts), atol=1e-5, rtol=1e-4)


@given(lengths=sizes, padding=st.integers(0, 2), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_weights_are_shares_of_the_real_members(lengths, padding, seed):
    weights = made("gpo", seed).weights(torch.tensor(lengths), max(lengths) + padding)
    assert weights.shape == (len(lengths), max(lengths) + padding)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(len(lengths)))
    for row, size in enumerate(lengths):
        assert (weights[row, :size] > 0).all()
        assert not weights[row, size:].any()


@given(lengths=sizes, seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_mean_and_max_equal_loops(lengths, seed):
    vectors, counts = make_sets(lengths, 1, seed=seed)
    members = [vectors[row, :size] for row, size in enumerate(lengths)]
    torch.testing.assert_close(MeanPooling()(vectors, counts), torch.stack([set_.mean(dim=0) for set_ in members]))
    assert torch.equal(MaxPooling()(vectors, counts), torch.stack([set_.amax(dim=0) for set_ in members]))


@pytest.mark.parametrize("name", POOLINGS)
@pytest.mark.parametrize("garbage", [1e6, -1e6, math.inf, math.nan])
def test_padding_is_ignored(name, garbage):
    pooling = made(name)
    vectors, lengths = make_sets([3, 1, 5], padding=2)
    spoilt = vectors.clone()
    for row, size in enumerate(lengths.tolist()):
        spoilt[row, size:] = garbage
    spoilt.requires_grad_()
    pooled = pooling(spoilt, lengths)
    assert torch.equal(pooled, pooling(vectors, lengths))
    pooled.sum().backward()
    assert torch.isfinite(spoilt.grad).all()
    assert not any(spoilt.grad[row, size:].any() for row, size in enumerate(lengths.tolist()))


@pytest.mark.parametrize("name", POOLINGS)
def test_the_length_of_padding_does_not_matter(name):
    pooling = made(name)
    short, lengths = make_sets([3, 2])
    long = torch.nn.functional.pad(short, (0, 0, 0, 6))
    torch.testing.assert_close(pooling(long, lengths), pooling(short, lengths))


@pytest.mark.parametrize("name", POOLINGS)
def test_the_order_of_members_does_not_matter(name):
    pooling = made(name)
    vectors, lengths = make_sets([6, 6])
    shuffled = vectors[:, [4, 2, 0, 5, 1, 3]]
    torch.testing.assert_close(pooling(shuffled, lengths), pooling(vectors, lengths))


@pytest.mark.parametrize("name", POOLINGS)
def test_a_set_of_one_is_its_member(name):
    vectors, lengths = make_sets([1, 1], padding=3)
    torch.testing.assert_close(made(name)(vectors, lengths), vectors[:, 0])


@pytest.mark.parametrize("name", POOLINGS)
def test_a_set_of_equal_members_is_that_member(name):
    vectors = torch.randn(2, 1, 3).expand(2, 5, 3)
    torch.testing.assert_close(made(name)(vectors, torch.tensor([5, 4])), vectors[:, 0])


def test_equal_scores_make_it_the_mean():
    pooling = made("gpo")
    torch.nn.init.zeros_(pooling.score.weight)
    vectors, lengths = make_sets([4, 2, 6])
    torch.testing.assert_close(pooling(vectors, lengths), MeanPooling()(vectors, lengths))


def test_all_weight_on_the_first_rank_makes_it_the_maximum():
    pooling = made("gpo")
    with torch.no_grad():
        for parameter in pooling.parameters():
            parameter.zero_()
        new = slice(2 * pooling.gru.hidden_size, None)
        for suffix in ("", "_reverse"):
            getattr(pooling.gru, f"weight_ih_l0{suffix}")[new, 1] = 100.0  # cos(rank): 1 at the first, less after it
            getattr(pooling.gru, f"bias_ih_l0{suffix}")[new] = -90.0
        pooling.score.weight.fill_(10.0)
    vectors, lengths = make_sets([4, 2, 6])
    torch.testing.assert_close(pooling(vectors, lengths), MaxPooling()(vectors, lengths))


def test_the_first_rank_is_the_largest_value():
    pooling = made("gpo")
    vectors = torch.tensor([[[1.0], [3.0], [2.0]]])
    weights = pooling.weights(torch.tensor([3]), 3)[0]
    torch.testing.assert_close(
        pooling(vectors, torch.tensor([3])), (weights @ torch.tensor([3.0, 2.0, 1.0]))[None, None]
    )


def test_an_unknown_pooling_is_refused():
    with pytest.raises(InputError, match="pooling is 'median'; it must be one of mean, max, gpo"):
        make_pooling("median")
