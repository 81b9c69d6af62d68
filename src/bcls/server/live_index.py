"""An index that may change, go away and come back while the server runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import numpy as np

from bcls.errors import BCLSError, InputError
from bcls.search import (
    Condition,
    EngineUnavailableError,
    Filter,
    Index,
    IndexDamagedError,
    IndexInfo,
    IndexMissingError,
)

logger = logging.getLogger("bcls.server")
Answer = TypeVar("Answer")
IMAGES = Filter((Condition("kind", "=", "image"),))
NEEDED = ("kind", "image", "file", "split", "text")


class LiveIndex:
    """Holds the newest version of an index and knows whether its engine answers.

    Searches may call it from one thread, and writes and `refresh` from another.

    Args:
        name: for messages and the log.
        open_index: opens the index; called again when another stands in its place, or it cannot be refreshed.
        made: tells the index that is there now from others; empty where that is not known.
        model: hash of the model; an index of another model is refused.
        retire: closes an index that a newer one has replaced, once the searches in it have ended.

    Attributes:
        info: what the index said of itself last; None = it was never open.
        trouble: why it does not answer now; None = it does.

    Raises:
        InputError: the index is missing, damaged or of another model. An engine that cannot be reached is no error:
            it may come yet.
    """

    def __init__(
        self,
        name: str,
        *,
        open_index: Callable[[], Index],
        made: Callable[[], str],
        model: str,
        retire: Callable[[Index], object],
    ) -> None:
        self._name = name
        self._open_index = open_index
        self._made = made
        self._made_then = ""
        self._refused = ""
        self._model = model
        self._retire = retire
        self._index: Index | None = None
        self.info: IndexInfo | None = None
        self.trouble: str | None = None
        try:
            self._open()
        except EngineUnavailableError as error:
            self._note(error)

    def call(self, work: Callable[[Index], Answer]) -> Answer:
        """Do something with the index.

        Raises:
            EngineUnavailableError: its engine does not answer now.
        """
        index = self._index
        if index is None:
            raise EngineUnavailableError(self.trouble or "the index is not open")
        try:
            return work(index)
        except EngineUnavailableError as error:
            self._note(error)
            raise

    def ask(self, question: Callable[[Index], Answer]) -> Answer:
        """Read from the index; whether that goes well decides about `trouble`.

        Raises:
            EngineUnavailableError: its engine does not answer now.
            IndexDamagedError: its files are missing or damaged.
        """
        try:
            answer = self.call(question)
        except (IndexDamagedError, IndexMissingError) as error:
            self._note(error)
            raise
        except InputError:  # a question that fits no index says nothing of this one
            raise
        except Exception as error:
            self._note(error)
            raise
        self.trouble = None
        return answer

    def probe(self) -> None:
        """Search in a random direction, so that `trouble` says what searches are answered now; never raises."""
        if self.info is None:
            return
        anything = np.random.default_rng().normal(size=(1, self.info.dim)).astype(np.float32)
        with suppress(BCLSError):
            try:
                self.ask(lambda index: index.search(anything, 1, where=IMAGES))
            except BCLSError:
                raise
            except Exception:  # searches end in it too
                logger.exception("search failed", extra={"collection": self._name})

    def refresh(self) -> bool:
        """See what others have written; open the index anew where that fails.

        Returns:
            Whether another version is seen now.
        """
        before = self.info
        try:
            if self._index is None:
                self._open()
            else:
                self._refresh(self._index)
            self._refused = ""
        except EngineUnavailableError as error:
            self._note(error)
        except BCLSError as error:  # what was open stays open and answers
            if str(error) != self._refused:
                logger.error("reload refused", extra={"collection": self._name, "reason": str(error)})
            self._refused = str(error)
        return before != self.info

    def close(self) -> None:
        """Let go of the index."""
        if self._index is not None:
            self._index.close()

    def _refresh(self, index: Index) -> None:
        try:
            anew = self._made() != self._made_then or self.trouble is not None
            if not anew:
                index.refresh()
                self.info = index.info()
        except BCLSError:
            anew = True
        if anew:
            self._open()
            self._retire(index)

    def _open(self) -> None:
        made = self._made()
        index = self._open_index()
        try:
            info = index.info()
            _check(info, self._model)
        except BCLSError:
            index.close()
            raise
        self._index, self.info, self._made_then = index, info, made

    def _note(self, error: Exception) -> None:
        if self.trouble is None:
            logger.warning("the index does not answer", extra={"collection": self._name, "reason": str(error)})
        self.trouble = str(error)


def _check(info: IndexInfo, model: str) -> None:
    if info.model != model:
        raise InputError(
            f"{info.place}: made by another model ({info.model[:12]}, not {model[:12]}): make it anew with `bcls index`"
        )
    missing = [name for name in NEEDED if info.fields.get(name) != "str"]
    if missing:
        raise InputError(f"{info.place}: not made by `bcls index`: it lacks the text fields {', '.join(missing)}")
