"""A resumed run knows its place in the data before it asks for the length of the epoch."""

from __future__ import annotations

from typing import Any

import lightning as L

from bcls.data.loader import BatchLoader


class LoaderPlace(L.Callback):
    """Keeps the loader's place in the checkpoint.

    Lightning restores a loader only after it has asked for its length, which would be that of the first epoch. The
    state of callbacks is restored earlier.

    Args:
        loader: of the training batches.
    """

    def __init__(self, loader: BatchLoader) -> None:
        self.loader = loader

    def state_dict(self) -> dict[str, Any]:
        """How far the loader has come."""
        return self.loader.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Set the loader's place."""
        self.loader.load_state_dict(state_dict)
