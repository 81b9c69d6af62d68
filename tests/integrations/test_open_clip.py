"""The loss that stands in open_clip's place, without the library: against its formula."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from bcls.errors import InputError
from bcls.integrations.open_clip import GradedClipLoss
from bcls.losses import BCLSLoss, InfoNCELoss, TripletLoss

SCALE = torch.tensor(100.0)


@pytest.fixture
def batch():
    random = torch.Generator().manual_seed(0)
    images, captions = (F.normalize(torch.randn(6, 4, generator=random), dim=1) for _ in range(2))
    return images.requires_grad_(), captions, torch.rand(6, 6, generator=random)


def test_the_value_is_that_of_the_plain_cosines(batch):
    images, captions, relevance = batch
    assert GradedClipLoss()(images, captions, SCALE, relevance=relevance) == BCLSLoss()(images @ captions.T, relevance)


def test_infonce_at_the_inverse_scale_is_the_contrastive_loss_of_clip(batch):
    images, captions, _ = batch
    logits, target = SCALE * images @ captions.T, torch.arange(6)
    expected = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
    torch.testing.assert_close(GradedClipLoss(InfoNCELoss(temperature=0.01))(images, captions, SCALE), expected)


def test_equal_ids_are_positives(batch):
    images, captions, relevance = batch
    ids = torch.tensor([0, 1, 2, 0, 4, 5])
    found = GradedClipLoss()(images, captions, SCALE, relevance=relevance, image_ids=ids)
    assert found == BCLSLoss()(images @ captions.T, relevance, ids[:, None] == ids[None, :])


def test_scale_and_bias_are_used_but_not_moved(batch):
    images, captions, relevance = batch
    scale, bias = torch.tensor(100.0, requires_grad=True), torch.tensor(-10.0, requires_grad=True)
    losses = GradedClipLoss()(images, captions, scale, bias, True, relevance=relevance)
    assert list(losses) == ["graded_loss"]
    losses["graded_loss"].backward()
    assert scale.grad == 0
    assert bias.grad == 0
    assert images.grad.abs().sum() > 0


def test_a_loss_without_labels_needs_none_and_another_is_told(batch):
    images, captions, _ = batch
    assert GradedClipLoss(TripletLoss())(images, captions, SCALE) == TripletLoss()(images @ captions.T)
    with pytest.raises(InputError, match="needs relevance"):
        GradedClipLoss()(images, captions, SCALE)


def test_labels_are_gathered_where_the_embeddings_are(monkeypatch):
    """A process group of GPUs gathers nothing from the CPU, where labels are made."""
    gathered = []

    def twice(rows):
        gathered.append(rows.device.type)
        return torch.cat([rows, rows])

    class Seen(TripletLoss):
        def terms(self, similarity, relevance=None, positives=None):
            assert {similarity.shape, relevance.shape, positives.shape} == {(4, 4)}
            return {"triplet": similarity.sum()}

    monkeypatch.setattr("bcls.integrations.open_clip.gather_rows", twice)
    monkeypatch.setattr("bcls.integrations.open_clip.gather_relevance", lambda own: twice(own).repeat(1, 2))
    features, ids = torch.ones(2, 3, device="meta"), torch.tensor([0, 1])
    GradedClipLoss(Seen())(features, features, SCALE.to("meta"), relevance=torch.eye(2), image_ids=ids)
    assert gathered == ["meta"] * 4
