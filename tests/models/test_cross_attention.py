"""SCAN against loops from its formula, pair by pair."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.models import CrossAttention

DIRECTIONS = ("text_to_image", "image_to_text")
POOLINGS = ("mean", "logsumexp")
sizes = st.lists(st.integers(1, 5), min_size=1, max_size=4)


def by_loop(attended, similarity: CrossAttention, regions: torch.Tensor, words: torch.Tensor) -> float:
    contexts, queries = (regions, words) if similarity.direction == "text_to_image" else (words, regions)
    found = attended(contexts, queries, similarity.smoothing)
    cosines = [float(q @ a) / float(q.norm() * a.norm()) for q, a in zip(queries, found, strict=True)]
    if similarity.pooling == "mean":
        return sum(cosines) / len(cosines)
    return math.log(sum(math.exp(similarity.sharpness * value) for value in cosines)) / similarity.sharpness


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
@given(regions=sizes, words=sizes, padding=st.integers(0, 2), block=st.integers(1, 200), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_every_pair_is_that_of_the_formula(
    attended_by_loop, make_sets, direction, pooling, regions, words, padding, block, seed
):
    similarity = CrossAttention(direction=direction, pooling=pooling, smoothing=4.0, sharpness=5.0, block=block)
    images, captions = make_sets(regions, padding=padding, seed=seed)[0], make_sets(words, seed=seed + 1)[0]
    found = similarity(images, captions)
    for i, few in enumerate(regions):
        for j, many in enumerate(words):
            expected = by_loop(attended_by_loop, similarity, images[i, :few], captions[j, :many])
            assert found[i, j].item() == pytest.approx(expected, abs=1e-9)


def test_a_pair_worked_by_hand():
    """Regions east and north, words east and north-east: east is like both words, north like the second alone."""
    half = math.sqrt(0.5)
    regions = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    words = torch.tensor([[[1.0, 0.0], [half, half]]])
    east = [1 / math.sqrt(1.5), half / math.sqrt(1.5)]
    cosines = []
    for j, (word, other) in enumerate(zip([(1.0, 0.0), (half, half)], [0.0, 1.0], strict=True)):
        first, second = math.exp(9 * east[j]), math.exp(9 * other)
        found = (first / (first + second), second / (first + second))
        cosines.append((word[0] * found[0] + word[1] * found[1]) / math.hypot(*found))
    assert CrossAttention()(regions, words).item() == pytest.approx(sum(cosines) / 2, abs=1e-6)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_blocks_change_neither_values_nor_gradients(make_sets, direction):
    results = []
    for block in (1, 60, 10**6):
        images, captions = (make_sets(lengths, seed=3)[0].requires_grad_() for lengths in ([3] * 7, [2, 5, 1, 4, 4]))
        similarity = CrossAttention(direction=direction, pooling="logsumexp", block=block)(images, captions)
        (similarity * torch.arange(35).view(7, 5)).sum().backward()
        results.append((similarity.detach(), images.grad, captions.grad))
    for other in results[:-1]:
        for one, whole in zip(other, results[-1], strict=True):
            torch.testing.assert_close(one, whole)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_gradients_are_those_of_finite_differences(make_sets, direction):
    images, captions = (make_sets(lengths, dim=3, seed=5)[0].requires_grad_() for lengths in ([2, 2], [3, 2]))
    real = (captions != 0).any(2, keepdim=True)
    similarity = CrossAttention(direction=direction, pooling="logsumexp", block=7)
    assert torch.autograd.gradcheck(lambda i, c: similarity(i, c * real), (images, captions))


def test_sets_without_any_likeness_have_finite_gradients():
    images = torch.tensor([[[1.0, 0.0]]], requires_grad=True)
    captions = torch.tensor([[[-1.0, 0.0], [0.0, 0.0]]], requires_grad=True)
    for direction in DIRECTIONS:
        similarity = CrossAttention(direction=direction)(images, captions)
        similarity.sum().backward()
        assert similarity.item() == pytest.approx(-1)
    assert torch.isfinite(images.grad).all()
    assert torch.isfinite(captions.grad).all()


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_sets_without_any_likeness_are_compared_in_half_precision(direction, make_sets):
    images, captions = (sets.float().abs() for sets in (make_sets([3, 2])[0], make_sets([4, 1], seed=1)[0]))
    similarity = CrossAttention(direction=direction)
    expected = similarity(-images, captions)
    with torch.autocast("cpu", dtype=torch.float16):
        torch.testing.assert_close(similarity(-images, captions), expected, atol=2e-3, rtol=0)


def test_nothing_to_compare():
    assert CrossAttention()(torch.zeros(0, 1, 3), torch.ones(2, 1, 3)).shape == (0, 2)
    assert CrossAttention()(torch.ones(2, 1, 3), torch.zeros(0, 1, 3)).shape == (2, 0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"direction": "both"}, "direction is 'both'"),
        ({"pooling": "max"}, "pooling is 'max'"),
        ({"smoothing": 0}, "smoothing is 0"),
        ({"sharpness": float("nan")}, "sharpness is nan"),
        ({"smoothing": float("inf")}, "smoothing is inf; it must be above 0 and finite"),
        ({"block": 0}, "block is 0"),
    ],
)
def test_wrong_settings_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        CrossAttention(**wrong)


def test_single_vectors_are_refused():
    with pytest.raises(InputError, match="compares sets"):
        CrossAttention()(torch.ones(2, 3), torch.ones(2, 3))
