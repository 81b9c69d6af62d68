"""What can go wrong with an index beside bad input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from bcls.errors import BCLSError, InputError


class EngineUnavailableError(BCLSError):
    """The engine behind an index cannot be reached now; the same call may succeed later."""


class WriteFailedError(BCLSError):
    """The engine did not take a block of records (a full disk, say); nothing of that block is in the index."""


class IndexMissingError(InputError):
    """There is no index at that place."""


class IndexDamagedError(InputError):
    """Files of an index are missing or not what was written there."""


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Tell of a write that the disk refused.

    Raises:
        WriteFailedError: it did.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise WriteFailedError(f"{place}: could not be written ({error}); what was there before is untouched") from None
