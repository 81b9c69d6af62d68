"""Where a batch's images come from: rows of a feature store, or picture files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from PIL import Image

from bcls.data.features import FeatureStore
from bcls.pictures import open_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ImageSource(Protocol):
    """The images of a data set, by row."""

    def __len__(self) -> int:
        """How many images there are."""
        ...

    def gather(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """The images at `rows`, in that order, as an image tower takes them: first axis = images."""
        ...


class FeatureImages:
    """Images as precomputed features.

    Args:
        store: the feature store.
        store_rows: (images,) the row of each image in the store.
    """

    def __init__(self, store: FeatureStore, store_rows: NDArray[np.int64]) -> None:
        self._store = store
        self._store_rows = store_rows

    def __len__(self) -> int:
        return len(self._store_rows)

    def gather(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """Features of the images at `rows`: (rows, dim) or (rows, regions, dim), in the store's dtype."""
        return torch.from_numpy(np.ascontiguousarray(self._store.gather(self._store_rows[rows])))


class PictureImages:
    """Images read from files, decoded on a few threads and kept in memory while they fit.

    Args:
        paths: (images,) the file of each image.
        prepare: turns opened pictures into one tensor, first axis = pictures (a tower's own `prepare`).
        cache_bytes: how much memory prepared pictures may take; 0 = read the file each time.
        threads: how many files are decoded at once.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        prepare: Callable[[Sequence[Image.Image]], torch.Tensor],
        *,
        cache_bytes: int = 2 << 30,
        threads: int = 2,
    ) -> None:
        self._paths = list(paths)
        self._prepare = prepare
        self._cache_bytes = cache_bytes
        self._cache: dict[int, torch.Tensor] = {}
        self._pool = ThreadPoolExecutor(threads)

    def __len__(self) -> int:
        return len(self._paths)

    def gather(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """Prepared pictures at `rows`.

        Raises:
            InputError: a file is missing or is not a picture; the message names it.
        """
        return torch.stack(list(self._pool.map(self._picture, rows.tolist())))

    def _picture(self, row: int) -> torch.Tensor:
        if row in self._cache:
            return self._cache[row]
        picture = self._prepare([open_picture(self._paths[row])])[0]
        if (len(self._cache) + 1) * picture.nbytes <= self._cache_bytes:
            self._cache[row] = picture
        return picture
