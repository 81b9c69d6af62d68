"""One row of numbers an epoch, in a CSV file that survives a resume, and one line on the screen."""

from __future__ import annotations

import csv
import io
import logging
import time
from pathlib import Path

import lightning as L

from bcls.files import write_text
from bcls.training.module import RetrievalModule

WHOLE = ("epoch", "step")

logger = logging.getLogger("bcls")


class History(L.Callback):
    """Writes `history.csv`: epoch (from 1), step, seconds, the mean loss, every validation metric.

    Rows of epochs that a resumed run does again are replaced.

    Args:
        file: the CSV file.
        shown: metrics that the line on the screen shows.
    """

    def __init__(self, file: Path, shown: tuple[str, ...]) -> None:
        self.file = file
        self.shown = shown
        self._since = time.monotonic()

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the epoch's clock."""
        self._since = time.monotonic()

    def hear(self, trainer: L.Trainer, module: RetrievalModule, metrics: dict[str, float]) -> None:
        """Write the epoch's row and say its line."""
        seconds = time.monotonic() - self._since
        loss = float(trainer.callback_metrics.get("train/loss_epoch", float("nan")))
        epoch = trainer.current_epoch + 1
        row = {"epoch": epoch, "step": trainer.global_step, "seconds": round(seconds, 2), "loss": loss}
        rows = [old for old in read_history(self.file) if old["epoch"] < epoch]
        _write(self.file, [*rows, {**row, **metrics}])
        shown = "  ".join(f"{name} {metrics[name]:.4g}" for name in self.shown if name in metrics)
        last = trainer.max_epochs or 0
        logger.info("epoch %d/%d  loss %.4f  %s  %.1f s", epoch, last, loss, shown, seconds)


def read_history(file: Path) -> list[dict[str, float]]:
    """The rows of a history file, oldest first; an empty list where there is no file.

    Epochs are counted from 1, also in files of release 0.1, which counted from 0.
    """
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as lines:
        rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(lines)]
    before = 1 - min((row["epoch"] for row in rows), default=1)
    return [{**row, "epoch": row["epoch"] + before} for row in rows]


def _write(file: Path, rows: list[dict[str, float]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=names, restval="")
    writer.writeheader()
    writer.writerows({**row, **{name: int(row[name]) for name in WHOLE}} for row in rows)
    write_text(file, text.getvalue())
