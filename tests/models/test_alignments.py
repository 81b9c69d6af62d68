"""SGRAF's two models against loops from their formulas, pair by pair."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.models import AttentionFiltration, GraphReasoning
from bcls.models.alignments import AlignmentSimilarity

KINDS = (GraphReasoning, AttentionFiltration)
sizes = st.lists(st.integers(1, 4), min_size=1, max_size=3)


def made(kind, seed: int = 0, **settings) -> AlignmentSimilarity:
    torch.manual_seed(seed)
    return kind(dim=4, similarity_dim=3, **settings).double().eval()


def affine(layer: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor:
    return layer.weight @ x + layer.bias


def unit(x: torch.Tensor) -> torch.Tensor:
    return x / x.norm()


def softmax(values: list[float]) -> list[float]:
    return [1 / sum(math.exp(other - value) for other in values) for value in values]


def sigmoid(value: torch.Tensor) -> float:
    return 1 / (1 + math.exp(-float(value)))


def weighted(weights: list[float], vectors: list[torch.Tensor]) -> torch.Tensor:
    return sum(weight * x for weight, x in zip(weights, vectors, strict=True))


def summary(module, members: torch.Tensor) -> torch.Tensor:
    mean = torch.tanh(affine(module.mean[0], sum(members) / len(members)))
    scores = [float(affine(module.weight, torch.tanh(affine(module.member[0], x)) * mean)) for x in members]
    return unit(weighted(softmax(scores), list(members)))


def alike(attended, model, regions: torch.Tensor, words: torch.Tensor) -> list[torch.Tensor]:
    image, caption = summary(model.image_summary, regions), summary(model.caption_summary, words)
    vectors = [unit(affine(model.whole, (image - caption) ** 2))]
    for word, found in zip(words, attended(regions, words, 9.0), strict=True):
        vectors.append(unit(affine(model.parts, (unit(found) - word) ** 2)))
    return vectors


@torch.no_grad()
def by_loop(attended, model, regions: torch.Tensor, words: torch.Tensor) -> float:
    nodes = alike(attended, model, regions, words)
    if isinstance(model, AttentionFiltration):
        gates = [sigmoid(affine(model.filter, node)) for node in nodes]
        return sigmoid(affine(model.score, unit(weighted([gate / sum(gates) for gate in gates], nodes))))
    for step in model.reasoning:
        asked = [affine(step.asked, q) for q in nodes]
        edges = [softmax([float(affine(step.asking, p) @ q) for q in asked]) for p in nodes]
        nodes = [affine(step.change, weighted(row, nodes)).clamp(min=0) for row in edges]
    return sigmoid(affine(model.score, nodes[0]))


@pytest.mark.parametrize("kind", KINDS)
@given(regions=sizes, words=sizes, padding=st.integers(0, 2), block=st.integers(1, 300), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_every_pair_is_that_of_the_formula(attended_by_loop, make_sets, kind, regions, words, padding, block, seed):
    model = made(kind, seed, block=block)
    images, captions = make_sets(regions, padding=padding, seed=seed)[0], make_sets(words, seed=seed + 1)[0]
    found = model(images, captions)
    for i, few in enumerate(regions):
        for j, many in enumerate(words):
            expected = by_loop(attended_by_loop, model, images[i, :few], captions[j, :many])
            assert found[i, j].item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_change_neither_values_nor_gradients(make_sets, kind):
    results = []
    for block in (1, 150, 10**6):
        model = made(kind, block=block)
        images, captions = (make_sets(lengths, seed=3)[0].requires_grad_() for lengths in ([3] * 5, [2, 4, 1]))
        similarity = model(images, captions)
        (similarity * torch.arange(15).view(5, 3)).sum().backward()
        results.append((similarity.detach(), images.grad, captions.grad, *(p.grad for p in model.parameters())))
    for other in results[:-1]:
        for one, whole in zip(other, results[-1], strict=True):
            torch.testing.assert_close(one, whole)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_is_the_same_however_blocks_are_cut(make_sets, kind):
    images, captions = make_sets([3] * 5)[0], make_sets([2, 2, 2])[0]
    results = []
    for block in (16, 10**6):
        model = made(kind, dropout=0.5, block=block).train()
        torch.manual_seed(1)
        results.append(model(images, captions[:1]))
    torch.testing.assert_close(results[0], results[1])
    assert not torch.equal(results[0], model.eval()(images, captions[:1]))


def test_a_filter_shut_for_words_leaves_the_whole(make_sets):
    model = made(AttentionFiltration)
    images, captions = make_sets([3, 3])[0], make_sets([2, 4])[0]
    with torch.no_grad():
        model.filter.weight.zero_()
        model.filter.bias.fill_(0)
    mean = model(images, captions)
    nodes = torch.randn(2, 2, 5, 3, dtype=torch.float64)
    real = torch.tensor([[True, True, True, False, False], [True] * 5])
    expected = torch.stack([nodes[:, 0, :3].mean(1), nodes[:, 1].mean(1)], dim=1)
    torch.testing.assert_close(model.gathered(nodes, real), torch.nn.functional.normalize(expected, dim=2))
    assert mean.shape == (2, 2)


@pytest.mark.parametrize(
    ("kind", "wrong", "message"),
    [
        (GraphReasoning, {"steps": 0}, "steps is 0"),
        (GraphReasoning, {"similarity_dim": 0}, "similarity_dim is 0"),
        (AttentionFiltration, {"dropout": 1.0}, "dropout is 1.0"),
        (AttentionFiltration, {"dim": 2.5}, "dim is 2.5"),
    ],
)
def test_wrong_settings_are_refused(kind, wrong, message):
    with pytest.raises(InputError, match=message):
        kind(**wrong)
