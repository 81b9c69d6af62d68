"""Small versions of pictures, made once and kept in memory."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bcls.server.pictures import thumbnail_of
from bcls.server.recent import Recent


class Thumbnails:
    """Makes thumbnails on two threads; one that is being made is not made twice.

    Args:
        side: longest side, in pixels.
        max_pixels: of the original.
        room: bytes that all thumbnails may take.
    """

    def __init__(self, *, side: int, max_pixels: int, room: int) -> None:
        self._side = side
        self._max_pixels = max_pixels
        self._kept: Recent[tuple[Path, int, int], bytes] = Recent(room, len)
        self._being_made: dict[tuple[Path, int, int], asyncio.Future[bytes]] = {}
        self._threads = ThreadPoolExecutor(2, "bcls-thumbnail")

    async def of(self, path: Path) -> bytes:
        """A JPEG no larger than the side; made anew when the file has changed.

        Raises:
            InputError: the file is no picture that can be read.
            OSError: the file is gone.
        """
        about = path.stat()
        key = (path, about.st_mtime_ns, about.st_size)
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        if key not in self._being_made:
            making = asyncio.get_running_loop().run_in_executor(self._threads, self._make, path)
            self._being_made[key] = making
            making.add_done_callback(lambda _: self._being_made.pop(key))
        made = await asyncio.shield(self._being_made[key])
        self._kept.put(key, made)
        return made

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown()

    def _make(self, path: Path) -> bytes:
        return thumbnail_of(path.read_bytes(), side=self._side, max_pixels=self._max_pixels)


def tag_of(content: bytes) -> str:
    """An ETag of some content."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'
