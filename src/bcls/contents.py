"""What a file really is when it is not what its name says: downloads that failed, pointers, other formats."""

from __future__ import annotations

from pathlib import Path

HEAD_BYTES = 512
"""How many of the first bytes of a file are looked at."""

_BEGINNINGS = (
    (b"version https://git-lfs.github.com/", "a Git LFS pointer, not the file itself: run `git lfs pull`"),
    (b"/annex/objects/", "a git-annex pointer, not the file itself: run `git annex get`"),
    (b"\x1f\x8b", "compressed with gzip: unpack it first"),
    (b"\xfd7zXZ", "compressed with xz: unpack it first"),
    (b"BZh", "compressed with bzip2: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd: unpack it first"),
    (b"PK\x03\x04", "a zip archive: unpack it first"),
    (b"PAR1", "a parquet file: read it with Hugging Face `datasets` and `from_datasets`"),
    (b"%PDF", "a PDF document: export its pages as images"),
    (b"\xff\x0a", "a JPEG XL image, which Pillow does not decode: convert it to JPEG or PNG"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image, which Pillow does not decode: convert it to JPEG or PNG"),
    (b"\0\x05\x16\x07", "a file that macOS puts beside an image (AppleDouble), not an image: delete it"),
)
_MARKUP = (
    (b"<!doctype html", "an HTML page, as a failed download leaves it: download the file again"),
    (b"<html", "an HTML page, as a failed download leaves it: download the file again"),
    (b"<svg", "an SVG drawing, which Pillow does not decode: convert it to PNG"),
    (b"<?xml", "an XML document, as a failed download leaves it: download the file again"),
)
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def other_content(head: bytes) -> str | None:
    """What a file is by its first bytes, with the cure; None where it is nothing that is often found by mistake.

    Args:
        head: the first `HEAD_BYTES` bytes.

    Returns:
        A phrase that completes "it is ...".

    Example:
        >>> other_content(b"version https://git-lfs.github.com/spec/v1 ...")
        'a Git LFS pointer, not the file itself: run `git lfs pull`'
        >>> other_content(b"file,caption") is None
        True
    """
    for beginning, what in _BEGINNINGS:
        if head.startswith(beginning):
            return what
    if head[4:8] == b"ftyp":
        if head[8:12] in _HEIC:
            return "a HEIC image, which Pillow does not decode: convert it to JPEG"
        return None if head[8:12] in {b"avif", b"avis"} else "a video or another MP4 file, not an image"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for beginning, what in _MARKUP:
        if text.startswith(beginning):
            return "an SVG drawing, which Pillow does not decode: convert it to PNG" if b"<svg" in text else what
    return None


def content_of(path: Path) -> str | None:
    """`other_content` of a file; None also where it cannot be read.

    Example:
        >>> content_of(Path("nowhere.jpg")) is None
        True
    """
    try:
        with path.open("rb") as file:
            return other_content(file.read(HEAD_BYTES))
    except OSError:
        return None
