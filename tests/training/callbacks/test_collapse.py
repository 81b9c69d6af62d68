"""Collapse is said once, and only when it happens."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from bcls.losses import BCLSLoss, InfoNCELoss, RetrievalLoss, SigmoidLoss, TripletLoss
from bcls.training.callbacks import CollapseWatch
from bcls.training.chance import Chance
from small_runs import SmallRuns

CHANCE = Chance(mean=10.0, deviation=1.0)


def _warnings(
    caplog, rsums: list[float], loss: RetrievalLoss | None = None, chance: Chance = CHANCE, watch=None, first: int = 0
) -> list[str]:
    watch = watch or CollapseWatch(chance, loss or BCLSLoss())
    with caplog.at_level(logging.WARNING, logger="bcls"):
        for epoch, rsum in enumerate(rsums, start=first):
            watch.hear(SimpleNamespace(current_epoch=epoch), None, {"rsum": rsum})
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    "rsums",
    [
        [40, 90, 150, 149, 160],
        [11, 60, 150],  # a slow first epoch
        [11, 12, 60, 150],  # one more
        [20, 19, 18, 17],  # far above chance, if low
        [40, 90, 51, 90],  # a fall by less than half
        [12, 11.5, 13.5, 10.8, 14],  # ups and downs within the noise
    ],
)
def test_a_healthy_run_is_silent(caplog, rsums):
    assert _warnings(caplog, rsums) == []


def test_never_started(caplog):
    messages = _warnings(caplog, [11, 11, 12, 11])
    assert len(messages) == 1
    assert "epoch 3: rsum 12.0 is that of a random ranking (10.0): training has collapsed; try" in messages[0]


@pytest.mark.parametrize(("low", "shown"), [(90, 90), (10, 10), (float("nan"), 10)])
def test_fell(caplog, low, shown):
    messages = _warnings(caplog, [100, 200, low, low])
    assert len(messages) == 1
    assert f"epoch 3: rsum fell from 200.0 to {shown:.1f} (chance 10.0)" in messages[0]
    assert "kendall_weight" in messages[0]


def test_a_fall_within_the_noise_of_a_small_split_is_none(caplog):
    assert _warnings(caplog, [60, 100, 70, 90], chance=Chance(mean=52.5, deviation=10.3)) == []


def test_a_resumed_run_goes_on(caplog):
    first = CollapseWatch(CHANCE, BCLSLoss())
    assert _warnings(caplog, [100, 200], watch=first) == []
    second = CollapseWatch(CHANCE, BCLSLoss())
    second.load_state_dict(first.state_dict())
    assert len(_warnings(caplog, [50, 40], watch=second, first=2)) == 1


@pytest.mark.parametrize(
    ("loss", "advice"),
    [
        (BCLSLoss(), "a smaller kendall_weight"),
        (TripletLoss(negatives="hard"), "a later optimization.hard_negatives_start"),
        (TripletLoss(negatives="soft"), "collapsed; try a smaller learning rate"),
        (InfoNCELoss(), "collapsed; try a smaller learning rate"),
    ],
)
@pytest.mark.parametrize("rsums", [[11, 11, 11], [100, 50]])
def test_the_advice_is_about_the_loss(caplog, loss, advice, rsums):
    (message,) = _warnings(caplog, rsums, loss)
    assert advice in message


LOSSES = {
    "bcls": BCLSLoss,
    "soft": TripletLoss,
    "hard": lambda: TripletLoss(negatives="hard"),
    "infonce": InfoNCELoss,
    "sigmoid": SigmoidLoss,
}
SIZES = {"60 to validate on": (0, 120, 60, 0.3), "24 to validate on": (1, 64, 24, 0.5)}


@pytest.fixture(scope="module", params=SIZES)
def small(request):
    seed, images, validation, noise = SIZES[request.param]
    return SmallRuns(seed, images, validation, noise)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("loss", LOSSES)
def test_twenty_real_healthy_runs_are_silent(caplog, small, loss, seed):
    rsums = [metrics["rsum"] for metrics in small.train(LOSSES[loss](), [0.003] * 3, seed=seed)]
    chance = Chance.of(small.validation, 2 * small.validation)
    assert rsums[-1] > chance.mean + 4 * chance.deviation  # healthy indeed
    assert _warnings(caplog, rsums, LOSSES[loss](), chance) == []


def heavy() -> BCLSLoss:
    """The Kendall weight under which the model of the method's prototype collapsed."""
    return BCLSLoss(kendall_weight=3.0, pairs="window", gap=0.0)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("loss", "rates", "expected"),
    [
        (heavy, [0.1] * 3, "is that of a random ranking"),
        (heavy, [0.003, 0.003, 0.2], "rsum fell"),
        (LOSSES["hard"], [0.003, 0.003, 1.0], "rsum fell"),
    ],
)
def test_real_collapses_are_said(caplog, loss, rates, expected, seed):
    runs = SmallRuns(0, 200, 60, 0.3)
    rsums = [metrics["rsum"] for metrics in runs.train(loss(), rates, seed=seed, deep=True)]
    (message,) = _warnings(caplog, rsums, loss(), Chance.of(60, 120))
    assert expected in message
