"""Reaching transformers, quietly, with its many errors turned into one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from bcls.errors import BCLSError, InputError, MissingExtraError
from bcls.progress import quiet_loading


def transformers() -> ModuleType:
    """The library.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import transformers as library  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("a pretrained tower", "hf") from None
    return library


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Keep transformers quiet, and say of whatever it raises what could not be loaded.

    Args:
        what: is being loaded, for the message.

    Raises:
        InputError: anything went wrong.
        MissingExtraError: transformers is not installed.
    """
    theirs = transformers().utils.logging
    before = theirs.get_verbosity()
    theirs.set_verbosity(logging.ERROR)
    try:
        with quiet_loading():
            yield
    except BCLSError:
        raise
    except Exception as error:  # the library raises nearly every kind
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = " ".join(lines[:2]) or type(error).__name__
        raise InputError(f"{what} cannot be loaded ({reason[:300]})") from None
    finally:
        theirs.set_verbosity(before)
