"""A value that brings its gradients along, and embeddings that are safe to multiply."""

from __future__ import annotations

import math

import pytest
import torch

from bcls.errors import InputError
from bcls.losses.blocked import Blocked, Inputs, Needs, blocked, check_embeddings


def product(inputs, needs):
    """t * sum(images) * sum(captions), with gradients by hand."""
    images, captions, t = inputs
    left, right = images.sum(), captions.sum()
    return Blocked(
        t * left * right,
        torch.full_like(images, float(t * right)) if needs.images else None,
        torch.full_like(captions, float(t * left)) if needs.captions else None,
        left * right if needs.temperature else None,
    )


def leaves(*wanted):
    images, captions, t = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [5.0, 6.0]]), torch.tensor(0.5)
    return [x.requires_grad_(need) for x, need in zip((images, captions, t), wanted, strict=True)]


def test_the_backward_pass_scales_the_gradients_by_what_comes_from_above():
    images, captions, t = leaves(True, True, True)
    value = blocked(product, images, captions, t)
    (value * 3 + 1).backward()
    assert value.item() == 27.0
    assert images.grad.tolist() == [[27.0, 27.0]]
    assert captions.grad.tolist() == [[4.5, 4.5], [4.5, 4.5]]
    assert t.grad.item() == 162.0


@pytest.mark.parametrize("wanted", [(i, c, t) for i in (0, 1) for c in (0, 1) for t in (0, 1)])
def test_only_gradients_that_are_wanted_are_asked_for(wanted):
    asked = []
    inputs = leaves(*map(bool, wanted))
    value = blocked(lambda given, needs: asked.append(needs) or product(given, needs), *inputs)
    assert asked == [Needs(*map(bool, wanted))]
    assert value.requires_grad == any(wanted)
    if any(wanted):
        value.backward()
    assert [x.grad is not None for x in inputs] == list(map(bool, wanted))


def test_without_autograd_no_gradient_is_asked_for():
    asked = []
    with torch.no_grad():
        value = blocked(lambda given, needs: asked.append(needs) or product(given, needs), *leaves(True, True, True))
    assert asked == [Needs(False, False, False)]
    assert not value.requires_grad


def test_a_loss_without_a_temperature_has_none():
    def one(inputs, needs):
        assert inputs.temperature is None
        assert not needs.temperature
        return Blocked(inputs.images.sum(), torch.ones_like(inputs.images))

    images = torch.rand(2, 3, requires_grad=True)
    blocked(one, images, torch.rand(4, 3)).backward()
    assert torch.equal(images.grad, torch.ones(2, 3))


def test_neither_autograd_nor_autocast_reaches_the_computation():
    seen = []

    def one(inputs, needs):
        assert isinstance(inputs, Inputs)
        similarity = inputs.images @ inputs.captions.T
        seen.append((torch.is_grad_enabled(), similarity.dtype))
        return Blocked(similarity.sum(), torch.zeros_like(inputs.images))

    with torch.autocast("cpu", dtype=torch.bfloat16):
        blocked(one, torch.rand(2, 3, requires_grad=True), torch.rand(2, 3))
    assert seen == [(False, torch.float32)]


def test_captions_as_queries_swap_the_needs():
    assert Needs(True, False, True).swapped() == Needs(False, True, True)
    assert Needs(False, True, False).swapped() == Needs(True, False, False)


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (torch.float16, torch.bfloat16, torch.float32),
        (torch.bfloat16, torch.bfloat16, torch.float32),
        (torch.float32, torch.float16, torch.float32),
        (torch.float16, torch.float64, torch.float64),
        (torch.float64, torch.float32, torch.float64),
    ],
)
def test_embeddings_become_one_format_with_the_same_values(one, other, wanted):
    images, captions = torch.tensor([[0.5, -1.0]], dtype=one), torch.tensor([[2.0, 0.25]], dtype=other)
    checked = check_embeddings(images, captions)
    assert [part.dtype for part in checked] == [wanted, wanted]
    assert [part.tolist() for part in checked] == [[[0.5, -1.0]], [[2.0, 0.25]]]


def test_embeddings_keep_their_gradient():
    images = torch.rand(2, 3, dtype=torch.float16, requires_grad=True)
    check_embeddings(images, torch.rand(1, 3))[0].sum().backward()
    assert torch.equal(images.grad, torch.ones(2, 3, dtype=torch.float16))


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [
        (
            torch.rand(3),
            torch.rand(2, 3),
            r"image embeddings must be a non-empty \(images, dimensions\) matrix, not \(3",
        ),
        (torch.rand(2, 3), torch.rand(0, 3), r"caption embeddings must be a non-empty \(captions, dimensions\) matrix"),
        (torch.rand(2, 0), torch.rand(2, 0), "image embeddings must be a non-empty"),
        (torch.rand(2, 3), torch.ones(2, 3).long(), "caption embeddings must be floating point, not torch.int64"),
        (torch.rand(2, 3), torch.rand(2, 4), "image embeddings have 3 dimensions, caption embeddings 4"),
        (torch.rand(2, 3), torch.rand(2, 3, device="meta"), "image embeddings are on cpu, caption embeddings on meta"),
    ],
)
def test_unusable_embeddings_are_refused(images, captions, message):
    with pytest.raises(InputError, match=message):
        check_embeddings(images, captions)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("side", ["image", "caption"])
def test_the_first_row_that_is_not_finite_is_named(side, value):
    sides = {"image": torch.rand(4, 3), "caption": torch.rand(4, 3)}
    sides[side][2, 1] = sides[side][3, 0] = value
    with pytest.raises(InputError, match=f"the embedding of {side} 2 is not finite: scores must be finite"):
        check_embeddings(*sides.values())


@pytest.mark.parametrize("length", [1e19, 1e30, 3e38])
def test_embeddings_whose_product_may_overflow_are_refused(length):
    images, captions = torch.full((1, 2), length), torch.full((1, 2), 1e20)
    with pytest.raises(InputError, match="a similarity of these embeddings may overflow: scale them down"):
        check_embeddings(images, captions)
    assert check_embeddings(images.double(), captions.double())[0].dtype == torch.float64
    check_embeddings(torch.full((1, 2), 1e18), torch.full((1, 2), 1e18))
