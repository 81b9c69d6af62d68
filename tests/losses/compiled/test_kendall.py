"""The compiled Kendall loss against the formula, and against the torch engine to the last tie."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bcls.losses import kendall_loss

FORMS = ("boundary", "window", "stride", "first")


def formula(similarity: Tensor, relevance: Tensor, gap: float, margin: float) -> Tensor:
    """The (B, B, B) formula, straight."""
    total = similarity.sum() * 0
    for s, r in ((similarity, relevance), (similarity.mT, relevance.mT)):
        ordered = r[:, :, None] - r[:, None, :] > gap
        hinge = torch.relu(margin + s[:, None, :] - s[:, :, None])
        total = total + (hinge * ordered).sum() / ordered.sum().clamp(min=1) / 2
    return total


def with_gradient(loss, similarity: Tensor) -> tuple[float, Tensor]:
    leaf = similarity.clone().requires_grad_()
    value = loss(leaf)
    value.backward()
    return value.item(), leaf.grad


def adversarial(kind: str, images: int, captions: int, seed: int) -> tuple[Tensor, Tensor]:
    random = np.random.default_rng(seed)
    similarity = random.normal(size=(images, captions))
    relevance = random.uniform(0, 1, (images, captions))
    if kind == "tied":
        similarity, relevance = similarity.round(1), relevance.round(1)
    if kind == "holes":
        relevance[random.random((images, captions)) < 0.4] = np.nan
    if kind == "equal scores":
        similarity[:] = 0.3
    if kind == "reversed":
        similarity = -relevance
    if kind == "sorted":
        similarity = relevance.copy()
    if kind == "wide":
        similarity *= 10.0 ** random.integers(-8, 4, (images, captions))
    if kind == "steps of the gap":
        similarity, relevance = (
            random.integers(0, 4, (images, captions)) * 0.1,
            random.integers(0, 10, relevance.shape) * 0.1,
        )
    if kind == "signed zeros":
        similarity = np.where(random.random((images, captions)) < 0.5, -0.0, 0.0)
    return torch.from_numpy(similarity), torch.from_numpy(relevance)


KINDS = ["plain", "tied", "holes", "equal scores", "reversed", "sorted", "wide", "steps of the gap", "signed zeros"]
SETTINGS = {
    "images": st.integers(1, 12),
    "captions": st.integers(1, 80),
    "seed": st.integers(0, 100_000),
    "gap": st.sampled_from([0.0, 0.1, 0.3]),
    "margin": st.sampled_from([0.0, 0.1]),
}


@pytest.mark.parametrize("kind", KINDS)
@given(**SETTINGS)
@settings(max_examples=40, deadline=None)
def test_all_pairs_equal_the_formula(kind, images, captions, seed, gap, margin):
    similarity, relevance = adversarial(kind, images, captions, seed)
    expected, gradient = with_gradient(lambda s: formula(s, relevance, gap, margin), similarity)
    value, ours = with_gradient(
        lambda s: kendall_loss(s, relevance, pairs="all", gap=gap, margin=margin, engine="compiled"), similarity
    )
    assert value == pytest.approx(expected, abs=1e-12, rel=1e-12)
    torch.testing.assert_close(ours, gradient, atol=1e-12, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
@given(**SETTINGS, window=st.sampled_from([2, 5, 100, 0.3, 0.75]))
@settings(max_examples=20, deadline=None)
def test_each_form_equals_the_torch_engine(dtype, form, kind, images, captions, seed, gap, margin, window):
    similarity, relevance = (part.to(dtype) for part in adversarial(kind, images, captions, seed))
    results = [
        with_gradient(
            lambda s, engine=engine: kendall_loss(
                s, relevance, pairs=form, gap=gap, margin=margin, window=window, engine=engine
            ),
            similarity,
        )
        for engine in ("torch", "compiled")
    ]
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    assert results[1][0] == pytest.approx(results[0][0], abs=tolerance, rel=tolerance)
    torch.testing.assert_close(results[1][1], results[0][1], atol=tolerance, rtol=0)


@pytest.mark.parametrize("pairs", ["all", *FORMS])
def test_threads_do_not_change_the_value(pairs):
    torch.manual_seed(0)
    similarity, relevance = torch.randn(300, 400), torch.rand(300, 400)
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 4):
            torch.set_num_threads(threads)
            results.append(with_gradient(lambda s: kendall_loss(s, relevance, pairs=pairs), similarity))
    finally:
        torch.set_num_threads(before)
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-6)
    assert torch.equal(results[0][1], results[1][1])


def test_relevance_may_have_another_number_format():
    torch.manual_seed(0)
    similarity, relevance = torch.randn(20, 30), torch.rand(20, 30, dtype=torch.float64)
    values = [kendall_loss(similarity, relevance, pairs="all", engine=engine) for engine in ("torch", "compiled")]
    torch.testing.assert_close(values[0], values[1])


def test_a_transposed_or_strided_matrix_is_read_right():
    torch.manual_seed(0)
    similarity, relevance = torch.randn(60, 40), torch.rand(60, 40)
    straight = kendall_loss(similarity.T.contiguous(), relevance.T.contiguous(), engine="compiled")
    assert kendall_loss(similarity.T, relevance.T, engine="compiled") == straight
    wide = torch.randn(60, 80)
    wide[:, ::2] = similarity
    torch.testing.assert_close(kendall_loss(wide[:, ::2].T, relevance.T, engine="compiled"), straight)


def test_what_is_kept_for_the_backward_pass_is_one_matrix():
    saved: list[int] = []
    similarity = torch.randn(80, 90, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()) or t, lambda t: t):
        kendall_loss(similarity, torch.rand(80, 90), pairs="all", engine="compiled")
    assert 0 < len(saved) <= 2
    assert max(saved) == similarity.numel()
