"""Triplet losses against naive loops written from their formulas."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bcls.errors import InputError
from bcls.losses import InfoNCELoss, TripletLoss, triplet_loss
from bcls.losses.soft_triplets import soft_triplets

KINDS = ("soft", "hard", "semi-hard", "all")


def naive_direction(similarity: Tensor, positives: Tensor, kind: str, margin: float, temperature: float) -> Tensor:
    terms = []
    for i in range(len(similarity)):
        negatives = [similarity[i, n] for n in range(similarity.shape[1]) if not positives[i, n]]
        for p in range(similarity.shape[1]):
            if not positives[i, p]:
                continue
            s = similarity[i, p]
            if kind == "soft":
                total = sum((torch.exp((n - s + margin) / temperature) for n in negatives), torch.zeros(()))
                terms.append(temperature * torch.log(1 + total))
            elif kind == "hard":
                terms.append(max((torch.relu(margin + n - s) for n in negatives), default=torch.zeros(())))
            elif kind == "semi-hard":
                below = [n for n in negatives if n < s]
                terms.append(torch.relu(margin + max(below) - s) if below else torch.zeros(()))
            else:
                terms.append(sum((torch.relu(margin + n - s) for n in negatives), torch.zeros(())))
    return torch.stack([torch.as_tensor(t, dtype=torch.float64) for t in terms]).mean()


def naive(similarity: Tensor, positives: Tensor, kind: str, margin: float, temperature: float) -> Tensor:
    rows = naive_direction(similarity, positives, kind, margin, temperature)
    return (rows + naive_direction(similarity.T, positives.T, kind, margin, temperature)) / 2


@pytest.mark.parametrize("kind", KINDS)
@given(
    images=st.integers(1, 6), captions=st.integers(1, 6), seed=st.integers(0, 10_000), margin=st.sampled_from([0, 0.3])
)
@settings(max_examples=25, deadline=None)
def test_values_and_gradients_equal_the_formula(make_matrices, kind, images, captions, seed, margin):
    similarity, _, positives = make_matrices(images, captions, seed)
    ours, theirs = similarity.clone().requires_grad_(), similarity.clone().requires_grad_()
    value = triplet_loss(ours, positives, margin=margin, negatives=kind, temperature=0.3)
    expected = naive(theirs, positives, kind, margin, 0.3)
    assert value.item() == pytest.approx(expected.item(), abs=1e-12)
    value.backward()
    if expected.requires_grad:
        expected.backward()
        torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-12, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_diagonal_is_the_default_truth(make_matrices, kind):
    similarity, _, _ = make_matrices(5, 5, 3)
    loss = TripletLoss(negatives=kind)
    assert loss(similarity) == loss(similarity, positives=torch.eye(5, dtype=torch.bool))


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_order_of_images_and_captions_does_not_matter(make_matrices, kind, seed):
    similarity, _, positives = make_matrices(5, 7, seed)
    rows, columns = torch.randperm(5), torch.randperm(7)
    loss = TripletLoss(negatives=kind)
    shuffled = loss(similarity[rows][:, columns], positives=positives[rows][:, columns])
    torch.testing.assert_close(shuffled, loss(similarity, positives=positives), atol=1e-12, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_queries_without_negatives_give_zero_and_no_nan(kind):
    similarity = torch.randn(2, 2, dtype=torch.float64, requires_grad=True)
    value = triplet_loss(similarity, torch.ones(2, 2, dtype=torch.bool), negatives=kind)
    value.backward()
    assert value.item() == 0
    assert torch.equal(similarity.grad, torch.zeros(2, 2, dtype=torch.float64))


@pytest.mark.parametrize("kind", KINDS)
def test_one_item(kind):
    assert triplet_loss(torch.ones(1, 1), negatives=kind).item() == 0


def test_soft_tends_to_hard_as_the_temperature_falls(make_matrices):
    """A soft term lies above the hard one, by t log(1 + negatives) at most."""
    similarity, _, positives = make_matrices(6, 6, 1)
    hard = triplet_loss(similarity, positives, negatives="hard").item()
    for temperature in (0.1, 1e-2, 1e-4):
        soft = triplet_loss(similarity, positives, temperature=temperature).item()
        assert hard < soft <= hard + temperature * math.log(1 + 6)


def test_soft_without_margin_is_temperature_times_infonce(make_matrices):
    similarity, _, positives = make_matrices(6, 6, 1)
    soft = triplet_loss(similarity, positives, margin=0.0, temperature=0.07)
    assert soft.item() == pytest.approx(
        0.07 * InfoNCELoss(temperature=0.07)(similarity, positives=positives).item(), abs=1e-12
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_number_format(make_matrices, kind, dtype):
    similarity, _, positives = make_matrices(6, 6, 1)
    similarity = similarity.to(dtype).requires_grad_()
    value = triplet_loss(similarity, positives, negatives=kind)
    value.backward()
    assert value.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert similarity.grad.dtype == dtype
    expected = triplet_loss(similarity.detach().double(), positives, negatives=kind)
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)


def test_under_autocast(make_matrices):
    similarity, _, positives = make_matrices(6, 6, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = triplet_loss(similarity.float(), positives)
    assert value.item() == pytest.approx(triplet_loss(similarity, positives).item(), rel=1e-5)


@pytest.mark.parametrize("transposed", [False, True])
def test_soft_terms_have_the_gradient_of_finite_differences(make_matrices, transposed):
    similarity, _, positives = make_matrices(4, 5, 8)
    positives[1] = True
    if transposed:
        similarity, positives = similarity.T, positives.T
    temperature = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda s, t: soft_triplets(s, positives, margin=0.3, temperature=t), (similarity.requires_grad_(), temperature)
    )


def test_soft_terms_keep_one_copy_of_the_similarities_and_leave_them_alone(make_matrices):
    similarity, _, positives = make_matrices(30, 40, 2)
    before = similarity.clone()
    saved: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()) or t, lambda t: t):
        terms = soft_triplets(similarity.requires_grad_(), positives, margin=0.2, temperature=0.05)
    assert sum(size >= similarity.numel() for size in saved) == 1
    first, second = (torch.autograd.grad(terms.sum(), similarity, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(similarity.detach(), before)


def test_large_scores_do_not_overflow():
    similarity = torch.tensor([[0.0, 1000.0], [-1000.0, 0.0]], requires_grad=True)
    value = triplet_loss(similarity, temperature=0.01)
    value.backward()
    assert math.isfinite(value.item())
    assert torch.isfinite(similarity.grad).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"similarity": torch.randn(2, 3)}, "square"),
        ({"similarity": torch.randn(3)}, "matrix"),
        ({"similarity": torch.zeros(0, 0)}, "non-empty"),
        ({"similarity": torch.ones(2, 2, dtype=torch.int64)}, "floating point"),
        ({"similarity": torch.tensor([[0.0, math.inf], [0.0, 0.0]])}, "image 0 and caption 1"),
        ({"similarity": torch.tensor([[0.0, 0.0], [math.nan, 0.0]])}, "image 1 and caption 0"),
        ({"similarity": torch.randn(2, 2), "positives": torch.zeros(2, 2, dtype=torch.bool)}, "no pair is positive"),
        ({"similarity": torch.randn(2, 2), "positives": torch.ones(2, 3, dtype=torch.bool)}, r"\(2, 3\)"),
        ({"similarity": torch.randn(2, 2), "positives": torch.eye(2)}, "bool"),
    ],
)
def test_unusable_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        TripletLoss()(**arguments)


@pytest.mark.parametrize("setting", [{"margin": -1.0}, {"temperature": 0.0}, {"negatives": "easy"}])
def test_unusable_settings_are_refused(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        TripletLoss(**setting)


def test_terms_and_text():
    similarity = torch.randn(3, 3)
    loss = TripletLoss(margin=0.1)
    assert loss.combine(loss.terms(similarity)) == loss(similarity)
    assert "margin=0.1" in repr(loss)
