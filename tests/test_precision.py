"""Similarities in float32 under mixed precision: the helpers, every place that makes a similarity, and every loss."""

from __future__ import annotations

import importlib
import pkgutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import bcls.losses
from bcls.integrations.open_clip import GradedClipLoss
from bcls.losses import ChunkedLoss, CoSENTLoss, InfoNCELoss, KendallLoss, RetrievalLoss, TripletLoss
from bcls.models import AttentionFiltration, CrossAttention, GraphReasoning, RetrievalModel, Similarity
from bcls.models.similarity import Cosine
from bcls.models.towers import CaptionTower, ImageTower
from bcls.precision import at_least_single, inner_products, unit_rows, without_autocast
from bcls.relevance import DenseEncodings

HALVES = [torch.bfloat16, torch.float16]
PAIRS, DIM = 64, 96


def every_loss_class() -> list[type[RetrievalLoss]]:
    for module in pkgutil.iter_modules(bcls.losses.__path__):
        if module.name != "triton_pairs":
            importlib.import_module(f"bcls.losses.{module.name}")
    own = [one for one in RetrievalLoss.__subclasses__() if one.__module__.startswith("bcls.")]  # none of other tests
    return sorted(own, key=lambda one: one.__name__)


LOSSES = [pytest.param(loss(), id=loss.__name__) for loss in every_loss_class()]
LOSSES += [pytest.param(TripletLoss(negatives=form), id=f"triplet {form}") for form in ("hard", "semi-hard", "all")]
LOSSES += [pytest.param(KendallLoss(pairs=form), id=f"kendall {form}") for form in ("all", "window", "stride", "first")]
LOSSES += [
    pytest.param(KendallLoss(pairs="all", engine="torch"), id="kendall by torch"),
    pytest.param(CoSENTLoss(within="batch"), id="cosent batch"),
    pytest.param(InfoNCELoss(learnable_temperature=True), id="infonce learnt"),
]


def test_every_loss_class_is_public_and_tested():
    names = {loss.__name__ for loss in every_loss_class()}
    assert len(names) >= 13
    assert names <= set(bcls.losses.__all__)


# the helpers


@pytest.mark.parametrize("half", HALVES)
def test_products_are_those_of_float32(half):
    left, right = torch.randn(5, 7), torch.randn(4, 7)
    expected = left @ right.T
    with torch.autocast("cpu", half):
        assert torch.equal(inner_products(left, right), expected)
        rounded = inner_products(left.to(half), right)
    assert torch.equal(rounded, left.to(half).float() @ right.T)
    assert inner_products(left.double(), right).dtype == torch.float64


@pytest.mark.parametrize("half", HALVES)
def test_lengths_do_not_overflow_or_vanish_in_half_precision(half):
    rows = torch.tensor([[300.0, 400.0], [3e-4, 4e-4]]).to(half)
    with torch.autocast("cpu", half):
        units = unit_rows(rows)
    assert units.dtype == torch.float32
    torch.testing.assert_close(units, F.normalize(rows.double(), dim=1).float())


def test_wide_formats_stay_and_devices_without_autocast_are_left_alone():
    assert at_least_single(torch.zeros(1, dtype=torch.float64)).dtype == torch.float64
    assert at_least_single(torch.zeros(1, dtype=torch.float16)).dtype == torch.float32
    with without_autocast(torch.device("meta")):
        pass


# every place that makes a similarity


class Linear(nn.Linear):
    """The identity as a linear layer, which autocast computes in half precision: what ends a tower."""

    def __init__(self) -> None:
        super().__init__(DIM, DIM, bias=False)
        nn.init.eye_(self.weight)


class Images(ImageTower):
    dim = DIM

    def __init__(self) -> None:
        super().__init__()
        self.layer = Linear()

    def fitted(self):
        return {}

    def restore(self, fitted): ...

    def fit(self, sample): ...

    def project(self, images):
        return self.layer(images)


class Captions(Images, CaptionTower):
    def tokenize(self, captions): ...


class Rows(SimpleNamespace):
    """Tokenized captions: here, vectors."""

    def __len__(self):
        return len(self.vectors)

    def to(self, device):
        return self.vectors

    def select(self, rows): ...


def batch(spread: float = 0.3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Outputs of towers in a narrow cone, as early in training, and relevance."""
    torch.manual_seed(0)
    base = torch.randn(DIM)
    images = base + spread * torch.randn(PAIRS, DIM)
    captions = base + spread * torch.randn(PAIRS, DIM) + 0.2 * spread * images
    relevance = torch.rand(PAIRS, PAIRS)
    return images, captions, relevance.fill_diagonal_(1.0)


def gradients(compute, *inputs):
    """The gradient of a scalar by its inputs, concatenated."""
    leaves = [tensor.clone().requires_grad_() for tensor in inputs]
    compute(*leaves).backward()
    return torch.cat([leaf.grad.ravel() for leaf in leaves])


def relative_error(found, exact):
    return ((found - exact).norm() / exact.norm()).item()


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_of_every_loss_is_off_by_the_rounding_of_the_embeddings_alone(loss, half):
    images, captions, relevance = batch()
    model = RetrievalModel(Images(), Captions())

    def of_similarity(similarity):
        return loss.combine(loss.terms(similarity, relevance))

    def mixed(i, c):
        with torch.autocast("cpu", half):
            return of_similarity(model(i, Rows(vectors=c)))

    exact = gradients(lambda i, c: of_similarity(model(i, Rows(vectors=c))), images, captions)
    rounded = gradients(lambda i, c: of_similarity(unit_rows(i.to(half)) @ unit_rows(c.to(half)).T), images, captions)
    error, allowed = relative_error(gradients(mixed, images, captions), exact), relative_error(rounded, exact)
    assert allowed > 0
    assert error <= 1.2 * allowed


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("loss", LOSSES)
def test_autocast_changes_nothing_within_a_loss(loss, half):
    images, captions, relevance = batch()
    similarity = unit_rows(images) @ unit_rows(captions).T

    def under_autocast(scores):
        with torch.autocast("cpu", half):
            return loss.combine(loss.terms(scores, relevance))

    def plain(scores):
        return loss.combine(loss.terms(scores, relevance))

    assert under_autocast(similarity).dtype == torch.float32
    assert torch.equal(under_autocast(similarity), plain(similarity))
    assert torch.equal(gradients(under_autocast, similarity), gradients(plain, similarity))


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("loss", LOSSES)
def test_scores_and_labels_in_half_precision_are_computed_in_float32(loss, half):
    images, captions, relevance = batch(1.0)
    similarity, relevance = (unit_rows(images) @ unit_rows(captions).T).to(half), relevance.to(half)
    value = loss.combine(loss.terms(similarity, relevance))
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss.combine(loss.terms(similarity.float(), relevance.float())), rtol=0, atol=0)


class BestPair(Similarity):
    """A similarity of somebody else's, who thinks of no autocast."""

    takes_sets = True

    def forward(self, images, captions):
        return torch.einsum("ird,cwd->icrw", images, captions).amax(dim=(2, 3))


SETS = {
    "cross attention": CrossAttention,
    "cross attention of images": lambda: CrossAttention(direction="image_to_text", pooling="logsumexp"),
    "graph reasoning": lambda: GraphReasoning(dim=8, similarity_dim=6),
    "attention filtration": lambda: AttentionFiltration(dim=8, similarity_dim=6),
    "in blocks": lambda: CrossAttention(block=50),
    "somebody else's": BestPair,
}


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("name", SETS)
def test_similarities_of_sets_are_those_of_float32(name, half):
    torch.manual_seed(1)
    similarity = SETS[name]().eval()
    images, captions = unit_rows(torch.randn(5, 4, 8)), unit_rows(torch.randn(6, 3, 8))
    captions[2, 1:] = 0
    weights = torch.randn(5, 6)

    def mixed(i, c):
        with torch.autocast("cpu", half):
            return (similarity(i, c) * weights).sum()

    expected = gradients(lambda i, c: (similarity(i, c) * weights).sum(), images, captions)
    assert torch.equal(gradients(mixed, images, captions), expected)
    rounded = similarity(images.to(half), captions.to(half))
    assert rounded.dtype == torch.float32
    assert torch.equal(rounded, similarity(images.to(half).float(), captions.to(half).float()))


def test_cosines_in_full_precision_are_the_plain_product():
    images, captions, _ = batch()
    units = unit_rows(images), unit_rows(captions)
    assert torch.equal(units[0], F.normalize(images, dim=1))
    assert torch.equal(Cosine()(*units), units[0] @ units[1].T)


def from_open_clip(images, captions, relevance):
    return GradedClipLoss()(images, captions, torch.tensor(1.0), relevance=relevance)


def from_sentence_transformers(images, captions, relevance):
    pytest.importorskip("sentence_transformers")
    from bcls.integrations.sentence_transformers import GradedRetrievalLoss

    class Source:
        def matrix(self, image_rows, caption_rows):
            return relevance[image_rows][:, caption_rows].numpy()

    loss = GradedRetrievalLoss(nn.Identity(), Source(), np.arange(PAIRS))
    return loss.compute_loss_from_embeddings([images, captions], torch.arange(PAIRS))


def from_metric_learning(images, captions, relevance):
    pytest.importorskip("pytorch_metric_learning")
    from bcls.integrations.pytorch_metric_learning import GradedPairLoss

    return GradedPairLoss()(images, relevance, ref_emb=captions)


def from_chunks(images, captions, relevance):
    return ChunkedLoss(bcls.losses.BCLSLoss(), 32)(images, captions, relevance=relevance)


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("call", [from_open_clip, from_sentence_transformers, from_metric_learning, from_chunks])
def test_every_other_place_that_makes_a_similarity(call, half):
    images, captions, relevance = batch()
    images, captions = unit_rows(images), unit_rows(captions)
    exact = gradients(lambda i, c: call(i, c, relevance), images, captions)

    def mixed(i, c):
        with torch.autocast("cpu", half):
            return call(i, c, relevance)

    torch.testing.assert_close(gradients(mixed, images, captions), exact, rtol=1e-6, atol=1e-9)
    rounded = gradients(lambda i, c: call(i.to(half).float(), c.to(half).float(), relevance), images, captions)
    halves = gradients(lambda i, c: call(i.to(half), c.to(half), relevance), images, captions)
    assert relative_error(halves, exact) <= 1.2 * relative_error(rounded, exact)


@pytest.mark.parametrize("half", HALVES)
def test_labels_made_within_autocast_are_not_rounded(half):
    encodings = DenseEncodings(unit_rows(torch.randn(6, 16)).numpy())
    rows = np.arange(6)
    expected = encodings.similarity(rows, rows)
    with torch.autocast("cpu", half):
        assert np.array_equal(encodings.similarity(rows, rows), expected)
