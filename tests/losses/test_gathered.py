"""Gathering over processes against one process that has the whole batch."""

from __future__ import annotations

import math

import pytest
import torch

from bcls.errors import InputError
from bcls.losses import BCLSLoss, gather_relevance, gather_rows

BATCH = """
import torch
from bcls.losses import BCLSLoss, gather_relevance, gather_rows
random = torch.Generator().manual_seed(0)
pictures, words = torch.randn(7, 5, generator=random), torch.randn(7, 5, generator=random)
relevance = torch.rand(7, 7, generator=random)
image_ids = torch.tensor([0, 1, 2, 3, 4, 5, 1])  # the second image comes again, in the other process
model = torch.nn.Linear(5, 3, bias=False)
torch.nn.init.eye_(model.weight)
unit = lambda vectors: torch.nn.functional.normalize(vectors, dim=1)
loss = BCLSLoss(pairs="window", window=3)
def whole_loss(images, captions, ids):
    return loss(images @ captions.T, relevance, ids[:, None] == ids[None, :])
"""


def test_value_gradient_and_labels_equal_those_of_one_process(in_processes):
    alone = {}
    exec(BATCH + "total = whole_loss(unit(model(pictures)), unit(model(words)), image_ids); total.backward()", alone)
    results = in_processes(
        BATCH
        + """
rows = slice(0, 3) if rank == 0 else slice(3, 7)  # not the same number everywhere
model = torch.nn.parallel.DistributedDataParallel(model)
images, captions = model(torch.cat([pictures[rows], words[rows]])).chunk(2)
total = whole_loss(gather_rows(unit(images)), gather_rows(unit(captions)), gather_rows(image_ids[rows]))
total.backward()
own = torch.full((1, 2), 0.25) if rank == 0 else torch.full((2, 1), 0.75)
blocks = torch.nan_to_num(gather_relevance(own), nan=-1.0)
result = [total.item(), model.module.weight.grad.tolist(), blocks.tolist()]
"""
    )
    for value, gradient, blocks in results:
        assert value == pytest.approx(alone["total"].item(), abs=1e-6)
        torch.testing.assert_close(torch.tensor(gradient), alone["model"].weight.grad)
        assert blocks == [[0.25, 0.25, -1.0], [-1.0, -1.0, 0.75], [-1.0, -1.0, 0.75]]


def test_one_process_gathers_nothing():
    rows = torch.randn(3, 2, requires_grad=True)
    assert gather_rows(rows) is rows
    labels = torch.tensor([[0.5, math.nan]])
    assert gather_relevance(labels) is labels


def test_what_has_no_rows_is_refused():
    with pytest.raises(InputError, match="at least one dimension"):
        gather_rows(torch.tensor(1.0))
    with pytest.raises(InputError, match=r"matrix, not \(3,\)"):
        gather_relevance(torch.zeros(3))


def test_unknown_pairs_between_processes_train_as_well():
    labels = torch.full((4, 4), torch.nan)
    labels[:2, :2], labels[2:, 2:] = torch.rand(2, 2), torch.rand(2, 2)
    assert torch.isfinite(BCLSLoss()(torch.randn(4, 4), labels))
