"""Progress for people: a bar on a terminal, a line now and then in a log, and only on the first process."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")

logger = logging.getLogger("bcls")

FIRST_LINE = 10.0
"""Seconds of work after which a log gets its first line: what takes less needs none."""

NEXT_LINE = 30.0
"""Seconds between two lines of a log."""


class Progress:
    """How far a piece of work has come.

    On a terminal it is a bar that vanishes when the work is done. Where standard error is no terminal, it is a line of
    the logger `bcls` after 10 seconds and then every 30, whether a unit was done meanwhile or not: share, rate, and
    time left. Of a distributed run only process 0 says something.

    Args:
        description: what is going on, in a few words.
        total: how many units there are; None = not known.
        unit: what one of them is called, in the singular.
        done: units that an earlier process has done already: they count for the share and not for the rate.

    Example:
        >>> with Progress("counting", total=3, unit="caption") as counter:
        ...     counter.advance(3)
        >>> counter.done
        3
    """

    def __init__(self, description: str, total: int | None = None, unit: str = "it", done: int = 0) -> None:
        first_process = os.environ.get("RANK", "0") == "0"
        on_terminal = _on_terminal()
        description = "".join(
            sign if sign.isprintable() else " " for sign in description
        )  # a name from a data set, say
        self.done = done
        self._before = done
        self._description, self._total, self._unit = description, total, unit.strip()
        self._logs = first_process and not on_terminal
        self._start = time.monotonic()
        self._next_line = self._start + FIRST_LINE
        self._said = False
        self._saying, self._ended = threading.Lock(), threading.Event()
        if self._logs:
            threading.Thread(target=self._beat, daemon=True).start()
        self._bar = tqdm(
            total=total,
            initial=done,
            desc=description,
            unit=unit,
            disable=not (first_process and on_terminal),
            leave=False,
            dynamic_ncols=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._bar.close()
        if self._said and kind is None:
            logger.info("%s: done after %s", self._description, written_time(time.monotonic() - self._start))

    def advance(self, count: int = 1) -> None:
        """Tell that so many more units are done."""
        self.done += count
        self._bar.update(count)
        if self._logs:
            self._say_if_due()

    def _beat(self) -> None:
        """Say a line in time where one unit takes long."""
        wait = FIRST_LINE
        while not self._ended.wait(wait):
            self._say_if_due()
            wait = max(1.0, self._next_line - time.monotonic())

    def _say_if_due(self) -> None:
        with self._saying:
            now = time.monotonic()
            if now >= self._next_line and not self._ended.is_set():
                self._say(now)

    def _say(self, now: float) -> None:
        self._said = True
        self._next_line = now + NEXT_LINE
        rate = (self.done - self._before) / max(now - self._start, 1e-9)
        speed = f"{rate:,.{0 if rate >= 10 else 1}f} a second" if rate >= 1 else f"{60 * rate:.1f} a minute"
        speed = f"{written_time(now - self._start)} so far" if rate == 0 else speed
        if self._total is None:
            logger.info("%s: %s, %s", self._description, counted(self.done, self._unit), speed)
            return
        share = self.done / self._total if self._total else 1.0
        left = "" if rate == 0 else f", {written_time((self._total - self.done) / rate)} left"
        of = f"{self.done:,} of {counted(self._total, self._unit)}"
        logger.info("%s: %.0f%% (%s), %s%s", self._description, 100 * share, of, speed, left)


def progress(items: Iterable[Item], description: str, total: int | None = None, unit: str = "it") -> Iterable[Item]:
    """Iterate over `items` and show how far that has come; see `Progress`.

    Args:
        items: what to iterate over.
        description: what is going on, in a few words.
        total: how many there are, where `items` cannot tell.
        unit: what one of them is called.

    Example:
        >>> list(progress(range(3), "counting"))
        [0, 1, 2]
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with Progress(description, total, unit) as shown:
        for item in items:
            yield item
            shown.advance()


def counted(number: int, unit: str) -> str:
    """A number with its unit, which is in the plural unless there is one.

    Example:
        >>> counted(1, "problem"), counted(2000, "problem"), counted(3, " x 256 images"), counted(2, "it")
        ('1 problem', '2,000 problems', '3 x 256 images', '2')
    """
    unit = unit.strip()
    if unit in {"", "it"}:
        return f"{number:,}"
    if unit.startswith("x ") or number == 1 or unit.endswith("s"):
        return f"{number:,} {unit}"
    return f"{number:,} {unit}s"


def written_time(seconds: float) -> str:
    """A time as people say it.

    Example:
        >>> written_time(42.0), written_time(2520.0), written_time(7500.0)
        ('42 s', '42 min', '2 h 05 min')
    """
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Keep the loading bars of transformers out of logs: they know nothing of terminals. Needs transformers."""
    from transformers.utils import logging as library  # noqa: PLC0415

    if _on_terminal() or not library.is_progress_bar_enabled():
        yield
        return
    library.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        library.enable_progress_bar()  # type: ignore[no-untyped-call]


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()  # it is None where a process was started with it closed
