"""Pictures inside the page: each one once, as a style rule with a data address."""

from __future__ import annotations

import base64
import io
import logging
from html import escape
from pathlib import Path

from PIL import Image

from bcls.errors import UnreadableImageError
from bcls.pictures import open_picture

logger = logging.getLogger("bcls")

SIDE = 128


class Pictures:
    """Collects the pictures that a page shows and embeds each once, at most 128 pixels a side."""

    def __init__(self) -> None:
        self._names: dict[Path, str] = {}
        self._rules: list[str] = []
        self._unread: set[Path] = set()

    def tag(self, path: Path, alternative: str) -> str:
        """An element that shows an image; its name alone, and a warning, where the file cannot be read.

        What was measured does not depend on it, so one damaged file ends no report.

        Args:
            path: the image file.
            alternative: what a screen reader says, already escaped.
        """
        if path not in self._names:
            self._names[path] = f"p{len(self._names)}"
            try:
                self._rules.append(f".{self._names[path]}{{background-image:url({_data_address(path)})}}")
            except UnreadableImageError as error:
                logger.warning("%s; the report shows its name alone", error)
                self._unread.add(path)
        if path in self._unread:
            return f'<span class="picture">{alternative} ({escape(path.name)} cannot be read)</span>'
        return f'<span class="picture {self._names[path]}" role="img" aria-label="{alternative}"></span>'

    def rules(self) -> str:
        """The style rules of all pictures."""
        return "\n".join(self._rules)


def _data_address(path: Path) -> str:
    picture = open_picture(path)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    held = io.BytesIO()
    kind = "PNG" if picture.width * picture.height <= 64 * 64 else "JPEG"
    picture.save(held, kind, quality=80, optimize=True)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(held.getvalue()).decode()}"
