"""Hardest negatives wait for their step."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bcls.losses import TripletLoss
from bcls.training.callbacks import HardNegativesStart
from bcls.training.module import RetrievalModule


def _negatives_at(step: int, *, start: int, now: str = "hard") -> str:
    module = RetrievalModule.__new__(RetrievalModule)
    super(RetrievalModule, module).__init__()
    module.loss = TripletLoss(negatives=now)
    HardNegativesStart(start).on_train_batch_start(SimpleNamespace(global_step=step), module, None, 0)
    return module.loss.negatives


@pytest.mark.parametrize(("step", "expected"), [(0, "all"), (9, "all"), (10, "hard"), (11, "hard"), (1000, "hard")])
def test_the_negatives_at_a_step(step, expected):
    assert _negatives_at(step, start=10) == expected


def test_no_wait_is_hard_from_the_first_step():
    assert _negatives_at(0, start=0) == "hard"


@pytest.mark.parametrize("now", ["all", "hard"])
def test_what_came_before_does_not_matter(now):
    assert [_negatives_at(step, start=3, now=now) for step in (2, 3)] == ["all", "hard"]
