"""Progress bars for people: on a terminal, on the first process, and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def progress(items: Iterable[Item], description: str, total: int | None = None, unit: str = "it") -> Iterable[Item]:
    """Iterate over `items` with a bar that shows rate and time left.

    The bar goes to standard error, only if that is a terminal and this is process 0 of a distributed run; it
    vanishes when done.

    Args:
        items: what to iterate over.
        description: what is going on, in a few words.
        total: how many there are, where `items` cannot tell.
        unit: what one of them is called.

    Example:
        >>> list(progress(range(3), "counting"))
        [0, 1, 2]
    """
    description = "".join(sign if sign.isprintable() else " " for sign in description)  # a name from a data set, say
    silent = not _on_terminal() or os.environ.get("RANK", "0") != "0"
    return tqdm(items, desc=description, total=total, unit=unit, disable=silent, leave=False, dynamic_ncols=True)


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Keep the loading bars of transformers out of logs: they know nothing of terminals. Needs transformers."""
    from transformers.utils import logging  # noqa: PLC0415

    if _on_terminal() or not logging.is_progress_bar_enabled():
        yield
        return
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()  # it is None where a process was started with it closed
