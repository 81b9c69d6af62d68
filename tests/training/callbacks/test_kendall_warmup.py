"""The weight of the Kendall term rises in a straight line."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bcls.losses import BCLSLoss
from bcls.training.callbacks import KendallWarmup
from bcls.training.module import RetrievalModule


def _weight_at(step: int, *, weight: float, steps: int, start: int = 0) -> float:
    module = RetrievalModule.__new__(RetrievalModule)
    super(RetrievalModule, module).__init__()
    module.loss = BCLSLoss(kendall_weight=weight)
    KendallWarmup(weight, steps, start).on_train_batch_start(SimpleNamespace(global_step=step), module, None, 0)
    return module.loss.kendall_weight


@pytest.mark.parametrize(("step", "expected"), [(0, 0.0), (5, 0.2), (10, 0.4), (11, 0.4), (1000, 0.4)])
def test_the_weight_at_a_step(step, expected):
    assert _weight_at(step, weight=0.4, steps=10) == pytest.approx(expected)


def test_no_rise_is_the_full_weight_at_once():
    assert _weight_at(0, weight=0.4, steps=0) == 0.4


@pytest.mark.parametrize(("step", "expected"), [(0, 0.0), (19, 0.0), (20, 0.0), (25, 0.2), (30, 0.4), (99, 0.4)])
def test_the_rise_may_begin_later(step, expected):
    assert _weight_at(step, weight=0.4, steps=10, start=20) == pytest.approx(expected)


def test_a_late_start_without_a_rise_is_a_step():
    assert [_weight_at(step, weight=0.4, steps=0, start=3) for step in (0, 2, 3)] == [0.0, 0.0, 0.4]
