"""Collapse is said once, and only when it happens."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from bcls.losses import BCLSLoss, InfoNCELoss, RetrievalLoss, TripletLoss
from bcls.training.callbacks import CollapseWatch


def _warnings(caplog, rsums: list[float], loss: RetrievalLoss | None = None, chance: float = 10.0) -> list[str]:
    watch = CollapseWatch("rsum", chance, loss or BCLSLoss())
    with caplog.at_level(logging.WARNING, logger="bcls"):
        for epoch, rsum in enumerate(rsums):
            watch.hear(SimpleNamespace(current_epoch=epoch), None, {"rsum": rsum})
    return [record.getMessage() for record in caplog.records]


def test_a_healthy_run_is_silent(caplog):
    assert _warnings(caplog, [40, 90, 150, 149, 160]) == []


def test_a_slow_first_epoch_is_no_collapse(caplog):
    assert _warnings(caplog, [11, 60, 150]) == []


def test_never_started(caplog):
    messages = _warnings(caplog, [11, 11, 12, 11])
    assert len(messages) == 1
    assert "epoch 2: rsum 11.0 is near chance (10.0)" in messages[0]


@pytest.mark.parametrize("low", [100, 50])
def test_fell(caplog, low):
    messages = _warnings(caplog, [100, 200, low, low])
    assert len(messages) == 1
    assert f"epoch 3: rsum fell from 200 to {low}" in messages[0]
    assert "kendall_weight" in messages[0]


@pytest.mark.parametrize(
    ("loss", "advice"),
    [
        (BCLSLoss(), "a smaller kendall_weight"),
        (TripletLoss(negatives="hard"), "a later optimization.hard_negatives_start"),
        (TripletLoss(negatives="soft"), "collapsed; try a smaller learning rate"),
        (InfoNCELoss(), "collapsed; try a smaller learning rate"),
    ],
)
@pytest.mark.parametrize("rsums", [[11, 11], [100, 50]])
def test_the_advice_is_about_the_loss(caplog, loss, advice, rsums):
    (message,) = _warnings(caplog, rsums, loss)
    assert advice in message
