"""Features written shard by shard, so that a computation cut short goes on behind the last one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.data.features import FeatureStore, half_precision, open_array
from bcls.errors import InputError
from bcls.files import read_json, replacing, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class FeatureWriter:
    """Gathers shards in a hidden folder beside the place of the features, and puts them there when all are done.

    Args:
        folder: where the features will be.
        about: what they are computed from, JSON-able; kept with them, and compared when a computation goes on.

    Raises:
        InputError: features are there already, or were begun from something else.
    """

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        if folder.exists():
            raise InputError(f"{folder}: exists already; choose another name, or remove it")
        self._folder = folder
        self._about = about = json.loads(json.dumps(about))
        self._part = folder.with_name(f".{folder.name}.part")
        self._shards = self._part / "shards"
        begun = self._part / "about.json"
        if not begun.exists():
            write_json(begun, about)
        known = read_json(begun)
        if known != about:
            names = sorted(name for name in {*about, *known} if about.get(name) != known.get(name))
            raise InputError(f"{self._part}: was begun with another {', '.join(names)}; remove it to begin anew")

    def ids(self, number: int) -> list[str] | None:
        """The image ids of a shard that is done; None = it is not, or it is damaged."""
        try:
            ids = read_json(self._file(number, "json"))
            rows = len(open_array(self._file(number, "npy"))) if ids else 0
        except InputError:
            return None
        return ids if isinstance(ids, list) and rows == len(ids) else None

    def write(self, number: int, ids: Sequence[str], features: NDArray[Any]) -> None:
        """Write a shard in float16, whole or not at all; one without images is noted, too.

        Raises:
            InputError: a value is not finite, or too large for float16.
        """
        if len(ids):
            with replacing(self._file(number, "npy")) as temporary:
                np.save(temporary, half_precision(features), allow_pickle=False)
        write_json(self._file(number, "json"), list(ids))

    def finish(self, shards: int) -> FeatureStore:
        """Put the features in their place.

        Args:
            shards: how many there are.

        Raises:
            InputError: a shard is missing, or none holds an image.
        """
        done = [self.ids(number) for number in range(shards)]
        if any(ids is None for ids in done):
            raise InputError(f"{self._part}: {sum(ids is None for ids in done)} of {shards} shards are missing")
        ids = [name for shard in done if shard is not None for name in shard]
        if not ids:
            raise InputError(f"{self._folder}: no image could be read, so that there are no features")
        write_json(self._shards / "ids.json", ids)
        write_json(self._shards / "about.json", self._about)
        for left in self._shards.glob(".*"):  # of a process that was killed while it wrote
            left.unlink()
        self._shards.rename(self._folder)
        for number in range(shards):
            (self._folder / self._file(number, "json").name).unlink()
        shutil.rmtree(self._part)
        return FeatureStore.open(self._folder)

    def _file(self, number: int, kind: str) -> Path:
        return self._shards / f"{number:06d}.{kind}"
