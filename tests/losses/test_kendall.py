"""The Kendall loss against the formula over all pairs, and against loops over the chosen pairs."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bcls.errors import InputError
from bcls.losses import KendallLoss, kendall_loss, select_pairs

FORMS = ("boundary", "window", "stride", "first")


def naive_all(similarity: Tensor, relevance: Tensor, gap: float, margin: float) -> Tensor:
    terms = []
    for i in range(len(similarity)):
        for a in range(similarity.shape[1]):
            for b in range(similarity.shape[1]):
                if relevance[i, a] - relevance[i, b] > gap:
                    terms.append(torch.relu(margin + similarity[i, b] - similarity[i, a]))
    return torch.stack(terms).mean() if terms else similarity.sum() * 0


@given(
    images=st.integers(1, 5),
    captions=st.integers(1, 5),
    seed=st.integers(0, 100_000),
    gap=st.sampled_from([0.0, 0.1, 0.5]),
    margin=st.sampled_from([0.0, 0.2]),
)
@settings(max_examples=60, deadline=None)
def test_all_pairs_equal_the_formula(make_matrices, images, captions, seed, gap, margin):
    similarity, relevance, _ = make_matrices(images, captions, seed)
    ours, theirs = similarity.clone().requires_grad_(), similarity.clone().requires_grad_()
    value = kendall_loss(ours, relevance, gap=gap, margin=margin, pairs="all")
    expected = (naive_all(theirs, relevance, gap, margin) + naive_all(theirs.T, relevance.T, gap, margin)) / 2
    assert value.item() == pytest.approx(expected.item(), abs=1e-12)
    value.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-12, rtol=0)


@pytest.mark.parametrize("block", [1, 20, 70, 200])
def test_blocks_of_queries_and_candidates_do_not_change_value_or_gradient(make_matrices, monkeypatch, block):
    similarity, relevance, _ = make_matrices(9, 7, 2)
    whole, parts = similarity.clone().requires_grad_(), similarity.clone().requires_grad_()
    value = kendall_loss(whole, relevance, pairs="all", engine="torch")
    value.backward()
    monkeypatch.setattr("bcls.losses.all_pairs.BLOCK_ELEMENTS", block)
    cut = kendall_loss(parts, relevance, pairs="all", engine="torch")
    cut.backward()
    assert cut.item() == pytest.approx(value.item(), abs=1e-15)
    torch.testing.assert_close(parts.grad, whole.grad, atol=1e-15, rtol=0)


def test_all_pairs_keep_nothing_cubic_for_the_backward_pass(make_matrices):
    similarity, relevance, _ = make_matrices(30, 40, 2)
    saved: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()) or t, lambda t: t):
        kendall_loss(similarity.requires_grad_(), relevance, pairs="all")
    assert saved
    assert max(saved) <= similarity.numel()


@pytest.mark.parametrize("form", FORMS)
@given(seed=st.integers(0, 100_000), gap=st.sampled_from([0.0, 0.2]), margin=st.sampled_from([0.0, 0.3]))
@settings(max_examples=30, deadline=None)
def test_windowed_value_is_the_mean_hinge_over_the_chosen_pairs(make_matrices, form, seed, gap, margin):
    similarity, relevance, _ = make_matrices(6, 8, seed)
    expected = 0.0
    for s, r in ((similarity, relevance), (similarity.T, relevance.T)):
        chosen = select_pairs(s, r, pairs=form, window=3, gap=gap)
        hinges = [
            max(0.0, margin + s[i, b].item() - s[i, a].item())
            for i in range(len(s))
            for a, b, counts in zip(chosen.more[i], chosen.less[i], chosen.counts[i], strict=True)
            if counts
        ]
        expected += sum(hinges) / max(1, len(hinges)) / 2
    value = kendall_loss(similarity, relevance, gap=gap, margin=margin, pairs=form, window=3)
    assert value.item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("form", [*FORMS, "all"])
def test_gradient_is_that_of_finite_differences(make_matrices, form):
    similarity, relevance, _ = make_matrices(5, 6, 11)
    loss = KendallLoss(pairs=form, window=3, margin=0.05)
    assert torch.autograd.gradcheck(lambda s: loss(s, relevance), (similarity.requires_grad_(),), eps=1e-7, atol=1e-5)


@pytest.mark.parametrize("form", [*FORMS, "all"])
@pytest.mark.parametrize("labels", [torch.full((3, 4), math.nan), torch.full((3, 4), 0.5)])
def test_without_ordered_pairs_the_loss_and_its_gradient_are_zero(form, labels):
    similarity = torch.randn(3, 4, requires_grad=True)
    value = kendall_loss(similarity, labels, pairs=form)
    value.backward()
    assert value.item() == 0
    assert torch.equal(similarity.grad, torch.zeros(3, 4))


@pytest.mark.parametrize("form", [*FORMS, "all"])
def test_a_perfect_order_pays_nothing_and_the_reverse_pays(form):
    relevance = torch.linspace(0, 1, 12, dtype=torch.float64).reshape(1, 12)
    loss = KendallLoss(pairs=form, window=4, gap=0.05)
    assert loss(relevance.clone(), relevance).item() == 0
    assert loss(-relevance, relevance).item() > 0


@pytest.mark.parametrize("form", [*FORMS, "all"])
@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_order_of_items_does_not_matter_and_scaling_scales(make_matrices, form, seed):
    similarity, relevance, _ = make_matrices(6, 7, seed, holes=0.1, tied=False)
    loss = KendallLoss(pairs=form, window=3)
    value = loss(similarity, relevance)
    rows, columns = torch.randperm(6), torch.randperm(7)
    torch.testing.assert_close(loss(similarity[rows][:, columns], relevance[rows][:, columns]), value)
    torch.testing.assert_close(loss(3 * similarity, relevance), 3 * value)


@pytest.mark.parametrize("form", [*FORMS, "all"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_every_number_format(make_matrices, form, dtype):
    similarity, relevance, _ = make_matrices(6, 7, 4)
    low = similarity.to(dtype).requires_grad_()
    value = kendall_loss(low, relevance.float(), pairs=form)
    value.backward()
    expected = kendall_loss(low.detach().double(), relevance.float(), pairs=form)
    assert value.dtype == torch.float32
    assert low.grad.dtype == dtype
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)


def test_columns_use_the_columns_of_an_asymmetric_relevance():
    """Caption 0 is ordered by its own column; with the rows' labels the value would differ."""
    similarity = torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    relevance = torch.tensor([[1.0, 1.0], [0.0, 0.0]], dtype=torch.float64)
    assert kendall_loss(similarity, relevance, pairs="all").item() == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("relevance", "message"),
    [
        (torch.full((2, 2), 1.5), "image 0 and caption 0 is 1.5"),
        (torch.full((2, 2), -0.5), "rescale"),
        (torch.zeros(2, 3), r"\(2, 3\)"),
        (torch.zeros(2, 2, dtype=torch.int64), "floating point"),
    ],
)
def test_unusable_labels_are_refused(relevance, message):
    with pytest.raises(InputError, match=message):
        KendallLoss()(torch.randn(2, 2), relevance)


@pytest.mark.parametrize(
    "setting",
    [
        {"gap": 1.0},
        {"gap": -0.1},
        {"margin": -1.0},
        {"pairs": "some"},
        {"window": 0},
        {"window": 1, "pairs": "window"},
        {"window": 1.0},
        {"engine": "gpu"},
        {"window": 0.0},
    ],
)
def test_unusable_settings_are_refused(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        KendallLoss(**setting)


def test_terms_need_relevance():
    with pytest.raises(InputError, match="needs relevance"):
        KendallLoss().terms(torch.randn(2, 2))
    assert "gap=0.1" in repr(KendallLoss(gap=0.1))
