"""The loss among those of pytorch-metric-learning: against the loss on matrices, and against the library's own."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from bcls.errors import InputError
from bcls.losses import BCLSLoss, InfoNCELoss

library = pytest.importorskip("pytorch_metric_learning", reason="needs the extra `metric-learning`")

from pytorch_metric_learning import distances, losses, regularizers  # noqa: E402

from bcls.integrations.pytorch_metric_learning import GradedPairLoss  # noqa: E402


@pytest.fixture
def batch():
    random = torch.Generator().manual_seed(0)
    images, captions = torch.randn(5, 4, generator=random), torch.randn(7, 4, generator=random)
    relevance = torch.rand(5, 7, generator=random)
    relevance[torch.arange(5), torch.arange(5)] = 1.0
    relevance[0, 6] = torch.nan
    return images.requires_grad_(), captions, relevance


def test_cosine_by_default(batch):
    images, captions, relevance = batch
    similarity = F.normalize(images, dim=1) @ F.normalize(captions, dim=1).T
    torch.testing.assert_close(
        GradedPairLoss()(images, relevance, ref_emb=captions), BCLSLoss()(similarity, relevance, relevance == 1)
    )


def test_a_distance_counts_with_its_sign_turned(batch):
    images, captions, relevance = batch
    loss = GradedPairLoss(distance=distances.LpDistance(normalize_embeddings=False))
    expected = BCLSLoss()(-torch.cdist(images, captions), relevance, relevance == 1)
    torch.testing.assert_close(loss(images, relevance, ref_emb=captions), expected)


def test_a_regularizer_is_added(batch):
    images, captions, relevance = batch
    loss = GradedPairLoss(embedding_regularizer=regularizers.LpRegularizer(), embedding_reg_weight=0.5)
    plain = GradedPairLoss()(images, relevance, ref_emb=captions)
    torch.testing.assert_close(loss(images, relevance, ref_emb=captions), plain + 0.5 * images.norm(dim=1).mean())


def test_infonce_equals_the_librarys_in_both_directions(batch):
    images, captions, _ = batch
    captions, labels = captions[:5], torch.arange(5)
    theirs = losses.NTXentLoss(temperature=0.1)
    expected = (
        theirs(images, labels, ref_emb=captions, ref_labels=labels.clone())
        + theirs(captions, labels, ref_emb=images, ref_labels=labels.clone())
    ) / 2
    ours = GradedPairLoss(InfoNCELoss(temperature=0.1))(images, torch.eye(5), ref_emb=captions)
    torch.testing.assert_close(ours, expected)


def test_the_gradient_is_that_of_the_loss_on_matrices(batch):
    images, captions, relevance = batch
    similarity = F.normalize(images, dim=1) @ F.normalize(captions, dim=1).T
    (expected,) = torch.autograd.grad(BCLSLoss()(similarity, relevance, relevance == 1), images)
    GradedPairLoss()(images, relevance, ref_emb=captions).backward()
    torch.testing.assert_close(images.grad, expected)


def test_relevance_of_another_shape_or_without_a_positive_is_refused(batch):
    images, captions, relevance = batch
    with pytest.raises(InputError, match=r"relevance is \(7, 5\), but there are 5 embeddings and 7 in ref_emb"):
        GradedPairLoss()(images, relevance.T, ref_emb=captions)
    with pytest.raises(InputError, match="no pair is positive"):
        GradedPairLoss()(images, relevance * 0.5, ref_emb=captions)


@pytest.mark.parametrize("given", [{}, {"ref_emb": torch.eye(5, 4), "indices_tuple": (1, 2, 3)}])
def test_another_call_is_told_the_right_one(batch, given):
    images, _, relevance = batch
    with pytest.raises(InputError, match=r"loss\(images, relevance, ref_emb=captions\)"):
        GradedPairLoss()(images, relevance, **given)
