"""Pictures from strangers: what is decoded, how large, and how it is written again."""

from __future__ import annotations

import io
import warnings
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from bcls.errors import InputError
from bcls.pictures import opened_formats, upright_rgb

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
FORMATS_OF_OURS = opened_formats()
"""What is read in the folder that was indexed, which no stranger writes to: all that can be indexed."""
MEDIA_TYPES = {  # MPO: a JPEG with further pictures behind it, as many telephones write
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}
LONGEST_SIDE = 65_500
"""What a JPEG, as which pictures are kept, can hold."""


def decode_picture(content: bytes, *, max_pixels: int, formats: tuple[str, ...] = FORMATS) -> Image.Image:
    """A picture as upright RGB, its size checked before a pixel is decoded.

    Only JPEG, PNG, WebP and GIF (its first frame) are tried, so that no rarer decoder is ever reached. Transparent
    parts become white.

    Args:
        content: the bytes of a file.
        max_pixels: the most that width times height may be.
        formats: as Pillow names them, where others are tried.

    Raises:
        InputError: empty, none of these formats, damaged, cut short, or too large.

    Example:
        >>> held = io.BytesIO()
        >>> Image.new("RGB", (4, 2), "red").save(held, "PNG")
        >>> decode_picture(held.getvalue(), max_pixels=8).size
        (4, 2)
    """
    if not content:
        raise InputError("the picture is empty (0 bytes)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=formats) as opened:
                width, height = opened.size
                if width * height > max_pixels:
                    raise InputError(f"the picture has {width} x {height} pixels; at most {max_pixels:,} are taken")
                if max(width, height) > LONGEST_SIDE:
                    raise InputError(f"the picture has {width} x {height} pixels; a side has at most {LONGEST_SIDE:,}")
                return upright_rgb(opened)
    except InputError:
        raise
    except Image.DecompressionBombError:
        raise InputError(f"the picture has far too many pixels; at most {max_pixels:,} are taken") from None
    except UnidentifiedImageError:
        raise InputError("not a picture that can be read: JPEG, PNG, WebP and GIF can") from None
    except Exception as error:  # a decoder raises nearly every kind
        raise InputError(f"the picture is damaged or cut short ({_reason(error)})") from None


def encode_picture(picture: Image.Image) -> bytes:
    """The picture alone as a JPEG file: nothing that hid in the original (metadata, a second format) survives."""
    return _jpeg(picture, quality=92)


def thumbnail_of(content: bytes, *, side: int, max_pixels: int) -> bytes:
    """A small JPEG of a picture file of ours.

    Raises:
        InputError: as `decode_picture`.
    """
    picture = decode_picture(content, max_pixels=max_pixels, formats=FORMATS_OF_OURS)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return _jpeg(picture, quality=85)


def shown(file: BinaryIO, *, max_pixels: int) -> tuple[bytes, str] | None:
    """A picture file of ours as a browser takes it, and its media type; None = none of the formats that are shown.

    Raises:
        InputError: as `decode_picture`, for a picture that has to be written again.
    """
    try:
        with Image.open(file, formats=FORMATS_OF_OURS) as opened:
            kind = MEDIA_TYPES.get(opened.format or "")
    except Exception:  # a decoder raises nearly every kind
        return None
    file.seek(0)
    if kind is not None:
        return file.read(), kind
    return encode_picture(decode_picture(file.read(), max_pixels=max_pixels, formats=FORMATS_OF_OURS)), "image/jpeg"


def _jpeg(picture: Image.Image, *, quality: int) -> bytes:
    pixels = Image.new("RGB", picture.size)
    pixels.paste(picture)  # a copy would carry comments along, which a JPEG may have no room for
    held = io.BytesIO()
    pixels.save(held, "JPEG", quality=quality)  # `optimize` fails where noise takes more bytes than it has pixels
    return held.getvalue()


def _reason(error: BaseException) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
