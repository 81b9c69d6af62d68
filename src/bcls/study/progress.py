"""How far a study has come, for the person who waits: a bar on a terminal, one line a finished run."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from tqdm import tqdm

from bcls.evaluation import read_result
from bcls.evaluation.difference_table import short_name, written
from bcls.progress import written_time
from bcls.study.plan import StudyRun

logger = logging.getLogger("bcls")


class StudyProgress:
    """Tells of runs as they end.

    Args:
        total: runs of the study.
        finished: those that were there already.
        jobs: runs at a time.
        metrics: what a finished run's line shows.

    Attributes:
        failures: why runs failed, by their names.
    """

    def __init__(self, total: int, finished: int, jobs: int, metrics: Sequence[str]) -> None:
        self.failures: dict[str, str] = {}
        self._total, self._done, self._jobs = total, finished, jobs
        self._metrics = metrics
        self._seconds: list[float] = []
        self._bar = tqdm(
            total=total, initial=finished, disable=not sys.stderr.isatty(), leave=False, dynamic_ncols=True, unit="run"
        )

    def tick(self, busy: list[StudyRun]) -> None:
        """Show on the terminal what goes on."""
        self._bar.set_postfix_str(", ".join(run.name for run in busy), refresh=False)
        self._bar.refresh()

    def ended(self, run: StudyRun, seconds: float, reason: str | None) -> None:
        """Say a run's line."""
        self._done += 1
        self._seconds.append(seconds)
        if reason is None:
            metrics, _ = read_result(run.folder.result)
            told = "  ".join(f"{short_name(name)} {written(name, metrics[name])}" for name in self._told(metrics))
        else:
            self.failures[run.name] = reason
            told = f"failed: {reason}"
        self._bar.clear()
        logger.info("[%d/%d] %s: %s  %.0f s; %s left", self._done, self._total, run.name, told, seconds, self._left())
        self._bar.update(1)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()

    def _told(self, metrics: dict[str, float]) -> list[str]:
        return [name for name in self._metrics if name in metrics]

    def _left(self) -> str:
        each = sum(self._seconds) / len(self._seconds)
        return written_time((self._total - self._done) * each / self._jobs)
