"""One row an epoch, also across a resume."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import torch

from bcls.training.callbacks import History
from bcls.training.callbacks.history import read_history


def _hear(file, epoch: int, rsum: float) -> None:
    trainer = SimpleNamespace(
        current_epoch=epoch,
        global_step=10 * (epoch + 1),
        max_epochs=3,
        callback_metrics={"train/loss_epoch": torch.tensor(0.5)},
    )
    History(file, ("rsum",)).hear(trainer, None, {"rsum": rsum, "tau_b": float("nan")})


def test_rows_are_written_and_read(tmp_path):
    file = tmp_path / "history.csv"
    assert read_history(file) == []
    _hear(file, 0, 10.0)
    _hear(file, 1, 20.0)
    rows = read_history(file)
    assert [(row["epoch"], row["step"], row["rsum"], row["loss"]) for row in rows] == [
        (1, 10, 10, 0.5),
        (2, 20, 20, 0.5),
    ]


def test_an_epoch_done_again_replaces_its_row(tmp_path):
    file = tmp_path / "history.csv"
    for epoch, rsum in [(0, 10.0), (1, 20.0), (1, 21.0), (2, 30.0)]:
        _hear(file, epoch, rsum)
    assert [(row["epoch"], row["rsum"]) for row in read_history(file)] == [(1, 10), (2, 21), (3, 30)]


def test_epochs_and_steps_are_whole_numbers_from_1(tmp_path):
    file = tmp_path / "history.csv"
    _hear(file, 0, 10.0)
    _hear(file, 1, 20.0)
    assert [line.split(",")[:2] for line in file.read_text().splitlines()] == [
        ["epoch", "step"],
        ["1", "10"],
        ["2", "20"],
    ]


def test_a_history_of_release_0_1_goes_on(tmp_path):
    file = tmp_path / "history.csv"
    file.write_text("epoch,step,seconds,loss,rsum\n0.0,10.0,1.0,0.5,10.0\n1,20,1.0,0.5,20.0\n")
    assert [row["epoch"] for row in read_history(file)] == [1, 2]
    _hear(file, 1, 21.0)
    _hear(file, 2, 30.0)
    assert [(row["epoch"], row["rsum"]) for row in read_history(file)] == [(1, 10), (2, 21), (3, 30)]


def test_one_line_is_said(tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="bcls"):
        _hear(tmp_path / "history.csv", 1, 20.0)
    assert caplog.records[0].getMessage().startswith("epoch 2/3  loss 0.5000  rsum 20  ")
