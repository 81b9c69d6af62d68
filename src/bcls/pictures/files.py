"""Which files count as images: every file that Pillow can decode, whatever its name ends in."""

from __future__ import annotations

import mimetypes
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageFile

NOT_DECODED = frozenset({"MPEG"})
"""Formats that Pillow identifies and never decodes, beside its stubs (BUFR, GRIB, HDF5, WMF)."""
SIGNED = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "JPEG2000", "PSD", "QOI")
"""Formats whose first bytes are enough to know them."""
SIGNED_WITHOUT_EXTENSION = (*SIGNED, "TIFF")
"""A camera's raw file begins like a TIFF, and Pillow would open its small preview; it has an extension of its own."""
APPLE_DOUBLE = b"\0\5\x16\7"


@lru_cache(maxsize=1)
def image_extensions() -> frozenset[str]:
    """The extensions of all formats that Pillow decodes, in lower case, with the dot.

    A plugin that registered itself before the first call counts too (`pillow_heif.register_heif_opener()`).

    Example:
        >>> {".jpg", ".jfif", ".avif", ".jp2", ".pgm", ".tiff"} <= image_extensions()
        True
        >>> image_extensions() & {".h5", ".mpg", ".pdf", ".svg", ".txt"}
        frozenset()
    """
    decoded = decoded_formats()
    return frozenset(end for end, kind in Image.registered_extensions().items() if kind in decoded)


@lru_cache(maxsize=1)
def decoded_formats() -> frozenset[str]:
    """The formats that Pillow decodes, as Pillow names them.

    Example:
        >>> "JPEG" in decoded_formats(), "HDF5" in decoded_formats()
        (True, False)
    """
    Image.preinit()  # so that `Image.ID` begins with the common formats
    Image.init()
    factories = {kind: factory for kind, (factory, _) in Image.OPEN.items() if kind not in NOT_DECODED}
    return frozenset(kind for kind, factory in factories.items() if not _is_stub(factory))


@lru_cache(maxsize=1)
def opened_formats() -> tuple[str, ...]:
    """The formats that are opened, the common ones first: all that are decoded but EPS.

    EPS is a program in PostScript, which Pillow would have Ghostscript run, perhaps for ever.

    Example:
        >>> "EPS" in opened_formats(), "JPEG" in opened_formats()
        (False, True)
    """
    decoded = decoded_formats() - {"EPS"}
    return tuple(kind for kind in Image.ID if kind in decoded)


def is_image_file(path: Path) -> bool:
    """Whether a file is to be taken for an image: by its extension, or by its first bytes where that says nothing.

    An extension of an image format counts in either case, even if the file is damaged: it is then reported, not passed
    over. A file without an extension, or with one that no common type of file has (`photo.jpg_large`, `scan.bin`), is
    an image if it begins like one. What macOS puts beside a file on foreign drives (`._photo.jpg`) is none.

    Args:
        path: of the file.

    Returns:
        False also where there is no regular file, or where its first bytes would be needed and cannot be read.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> Image.new("RGB", (4, 2)).save(folder / "no extension", "PNG")
        >>> _ = (folder / "notes.txt").write_text("a photo")
        >>> [is_image_file(folder / name) for name in ("no extension", "notes.txt", "missing.jpg")]
        [True, False, False]
    """
    try:
        if not path.is_file() or (path.name.startswith("._") and _first_bytes(path).startswith(APPLE_DOUBLE)):
            return False
        suffix = path.suffix.lower()
        if suffix in image_extensions():
            return True
        if _common_type(suffix):
            return False
        first = _first_bytes(path)
    except OSError:
        return False
    return any(_begins(first, kind) for kind in (SIGNED if suffix else SIGNED_WITHOUT_EXTENSION))


def _is_stub(factory: object) -> bool:
    return isinstance(factory, type) and issubclass(factory, ImageFile.StubImageFile)


@lru_cache(maxsize=1024)
def _common_type(suffix: str) -> bool:
    """Whether an extension says that a file is something else than an image that Pillow decodes."""
    known = _TYPES.guess_type(f"file{suffix}", strict=False)[0]
    return known not in (None, "application/octet-stream") or suffix in _ENCODINGS


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def _begins(first: bytes, kind: str) -> bool:
    accepts = Image.OPEN[kind][1] if kind in Image.OPEN else None
    return accepts is not None and bool(accepts(first) is True)


_TYPES = mimetypes.MimeTypes()  # Python's own list, the same on every machine
_ENCODINGS = frozenset(_TYPES.encodings_map)
