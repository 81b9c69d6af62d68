"""Graph reasoning: how it starts, and what a step does to its nodes."""

from __future__ import annotations

import math

import pytest
import torch

from bcls.models import GraphReasoning
from bcls.models.graph_reasoning import Step


def linear_maps(model):
    return {name: part for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)}


def test_every_linear_map_starts_without_bias_and_with_glorots_spread():
    torch.manual_seed(0)
    maps = linear_maps(GraphReasoning(dim=64, similarity_dim=48, steps=3))
    assert len(maps) == 2 * 3 + 3 + 3 * 3  # two summaries, parts, whole and score, three steps
    for part in maps.values():
        assert not part.bias.any()
        bound = math.sqrt(6 / (part.in_features + part.out_features))
        assert part.weight.abs().max() <= bound
        if part.weight.numel() > 1000:
            assert part.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_random_sets_differ_in_their_similarity_at_the_start(make_sets, seed):
    torch.manual_seed(seed)
    model = GraphReasoning(dim=64, similarity_dim=64).double().eval()
    images, captions = make_sets([5] * 8, dim=64, seed=seed)[0], make_sets([6] * 8, dim=64, seed=seed + 100)[0]
    with torch.no_grad():
        found = model(images, captions)
    assert found.std(dim=0).min() > 1e-3
    assert found.std(dim=1).min() > 1e-3


def test_it_has_as_many_steps_as_it_was_told():
    assert [len(GraphReasoning(dim=4, similarity_dim=3, steps=steps).reasoning) for steps in (1, 2, 5)] == [1, 2, 5]


@pytest.fixture
def step():
    """A step whose three maps are the identity."""
    made = Step(2)
    for part in (made.asking, made.asked, made.change):
        torch.nn.init.eye_(part.weight)
        torch.nn.init.zeros_(part.bias)
    return made


def test_a_step_is_a_mean_by_fitness_of_what_is_positive(step):
    nodes = torch.tensor([[[[1.0, 0.0], [0.0, -1.0]]]])
    found = step(nodes, nodes, torch.tensor([[True, True]]))
    near = math.e / (math.e + 1)
    torch.testing.assert_close(found, torch.tensor([[[[near, 0.0], [1 - near, 0.0]]]]))


def test_a_step_is_its_formula_node_by_node():
    generator = torch.Generator().manual_seed(0)
    step = Step(3).double()
    for part in step.parameters():
        torch.nn.init.normal_(part, generator=generator)
    nodes = torch.randn(2, 1, 4, 3, dtype=torch.float64, generator=generator)
    found = step(nodes, nodes, torch.ones(1, 4, dtype=torch.bool))
    for image in range(2):
        for here in range(4):
            asking = step.asking(nodes[image, 0, here])
            fits = torch.stack([asking @ step.asked(nodes[image, 0, there]) for there in range(4)]).softmax(dim=0)
            seen = sum(fits[there] * nodes[image, 0, there] for there in range(4))
            torch.testing.assert_close(found[image, 0, here], step.change(seen).relu())


def test_padding_is_not_looked_at(step):
    nodes = torch.randn(2, 3, 4, 2, generator=torch.Generator().manual_seed(0))
    real = torch.tensor([[True] * 4, [True, True, False, False], [True, False, False, False]])
    found = step(nodes, nodes, real)
    for caption, length in enumerate((4, 2, 1)):
        short = nodes[:, caption : caption + 1, :length]
        expected = step(short, short, torch.ones(1, length, dtype=torch.bool))
        torch.testing.assert_close(found[:, caption : caption + 1, :length], expected)


def test_the_last_step_is_taken_for_the_whole_alone_and_changes_nothing():
    torch.manual_seed(0)
    model = GraphReasoning(dim=4, similarity_dim=3, steps=2).eval()
    alike, real = torch.randn(2, 3, 4, 3), torch.tensor([[True] * 4, [True] * 3 + [False], [True] * 2 + [False] * 2])
    nodes = alike
    for one in model.reasoning:
        nodes = one(nodes, nodes, real)
    torch.testing.assert_close(model.gathered(alike, real), nodes[:, :, 0])
