"""What holds for every loss that BCLS is compared with: symmetry, numbers, holes, gradients."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.losses import (
    CoSENTLoss,
    LadderLoss,
    LanguageMarginLoss,
    LogRatioLoss,
    SelectivelyHardLoss,
    SemanticMarginLoss,
    SmoothNDCGLoss,
    SoftContrastLoss,
)

LOSSES = {
    "ladder": partial(LadderLoss, thresholds=[0.6, 0.3], margins=[0.1, 0.05], weights=[1.0, 0.5]),
    "smooth_ndcg": partial(SmoothNDCGLoss, temperature=0.2),
    "log_ratio": LogRatioLoss,
    "semantic_margin": SemanticMarginLoss,
    "semantic_margin_hard": partial(SemanticMarginLoss, sampling="hard"),
    "language_margin": partial(LanguageMarginLoss, temperature=0.1),
    "selectively_hard": partial(SelectivelyHardLoss, tolerance=0.3),
    "soft_contrast": partial(SoftContrastLoss, temperature=0.2),
    "cosent": partial(CoSENTLoss, scale=3.0),
    "cosent_batch": partial(CoSENTLoss, scale=3.0, within="batch"),
}
GRADED_ALONE = ("log_ratio", "cosent", "cosent_batch")
every_loss = pytest.mark.parametrize("name", LOSSES)


def value_of(name, similarity, relevance, positives=None):
    loss = LOSSES[name]()
    return loss.combine(loss.terms(similarity, relevance, positives))


@every_loss
@given(seed=st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_order_of_items_and_the_name_of_the_direction_do_not_matter(make_matrices, name, seed):
    matrices = make_matrices(5, 7, seed)
    value = value_of(name, *matrices)
    rows, columns = torch.randperm(5), torch.randperm(7)
    torch.testing.assert_close(value_of(name, *(m[rows][:, columns] for m in matrices)), value, atol=1e-12, rtol=0)
    torch.testing.assert_close(value_of(name, *(m.T for m in matrices)), value, atol=1e-12, rtol=0)


@every_loss
def test_gradient_is_that_of_finite_differences(make_matrices, name):
    similarity, relevance, positives = make_matrices(5, 6, 11)
    value = partial(value_of, name, relevance=relevance, positives=positives)
    assert torch.autograd.gradcheck(value, (similarity.requires_grad_(),), eps=1e-7, atol=1e-5)


@every_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_number_format(make_matrices, name, dtype):
    similarity, relevance, positives = make_matrices(6, 7, 4)
    low, labels = similarity.to(dtype).requires_grad_(), relevance.to(dtype)
    value = value_of(name, low, labels, positives)
    value.backward()
    assert value.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert low.grad.dtype == dtype
    assert torch.isfinite(low.grad).all()
    expected = value_of(name, low.detach().double(), labels.double(), positives)
    assert value.item() == pytest.approx(expected.item(), rel=2e-5)


@every_loss
def test_under_autocast(make_matrices, name):
    similarity, relevance, positives = make_matrices(6, 7, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = value_of(name, similarity.float(), relevance, positives)
    assert value.item() == pytest.approx(value_of(name, similarity, relevance, positives).item(), rel=2e-5)


@every_loss
def test_without_known_relevance_the_graded_term_and_its_gradient_are_zero(name):
    similarity = torch.randn(3, 4, requires_grad=True)
    positives = torch.eye(3, 4, dtype=torch.bool)
    terms = LOSSES[name]().terms(similarity, torch.full((3, 4), math.nan), positives)
    graded = [term for key, term in terms.items() if key not in ("triplet", "infonce")]
    if name in ("language_margin", "selectively_hard"):
        assert graded[0] > 0
        return
    assert all(term.item() == 0 for term in graded)
    sum(graded).backward()
    assert torch.equal(similarity.grad, torch.zeros(3, 4))


@every_loss
def test_equal_scores_and_equal_labels_have_a_finite_gradient(name):
    similarity = torch.zeros(4, 4, requires_grad=True)
    value = value_of(name, similarity, torch.full((4, 4), 0.5))
    value.backward()
    assert math.isfinite(value.item())
    assert torch.isfinite(similarity.grad).all()


@every_loss
def test_one_item(name):
    similarity = torch.ones(1, 1, requires_grad=True)
    value = value_of(name, similarity, torch.ones(1, 1))
    value.backward()
    assert value.item() == 0
    assert similarity.grad.item() == 0


@every_loss
def test_a_query_without_positives_has_no_binary_term_and_no_nan(make_matrices, name):
    similarity, relevance, positives = make_matrices(5, 6, 3)
    positives[2:] = False
    value = value_of(name, similarity.requires_grad_(), relevance, positives)
    value.backward()
    assert math.isfinite(value.item())
    assert torch.isfinite(similarity.grad).all()


@every_loss
def test_forward_is_the_combination_of_the_terms(make_matrices, name):
    similarity, relevance, positives = make_matrices(5, 6, 3)
    loss = LOSSES[name]()
    assert loss(similarity, relevance, positives) == loss.combine(loss.terms(similarity, relevance, positives))
    assert "=" in repr(loss)


@every_loss
def test_missing_labels_are_named(name):
    if LOSSES[name]().uses_relevance:
        with pytest.raises(InputError, match="needs relevance"):
            LOSSES[name]().terms(torch.randn(2, 2))
    if name not in GRADED_ALONE:
        with pytest.raises(InputError, match="square"):
            LOSSES[name]().terms(torch.randn(2, 3), torch.rand(2, 3))
