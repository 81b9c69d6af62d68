"""Image files as a person sees them: decoded, upright, in 8-bit RGB."""

from __future__ import annotations

import errno
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from bcls.contents import content_of
from bcls.errors import InputError, UnreadableImageError
from bcls.pictures.files import opened_formats
from bcls.pictures.gray import eight_bit_gray, has_deep_gray

LARGEST_RATIO = 500
"""How many times longer than the other a side may be: resizing by the shorter side would fill the memory."""
WAITS = (0.2, 1.0, 5.0)
"""Seconds before a file is tried again that a network drive did not deliver."""
TRANSIENT = frozenset(
    {
        errno.EIO,
        errno.EAGAIN,
        errno.EBUSY,
        errno.ETIMEDOUT,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENETRESET,
        errno.EHOSTUNREACH,
        errno.ECONNABORTED,
        errno.ECONNRESET,
        errno.ENOTCONN,
        getattr(errno, "ESTALE", errno.EIO),  # not on Windows
    }
)
"""Errors of a drive, not of a file."""


def open_picture(path: Path) -> Image.Image:
    """Open an image file, wholly decoded, as `upright_rgb`.

    Where a network drive fails for a moment, the file is tried again for six seconds.

    Args:
        path: of a file of any format that Pillow decodes, whatever its extension. At most 178,956,970 pixels (twice
            `PIL.Image.MAX_IMAGE_PIXELS`); neither side is more than 500 times the other.

    Raises:
        UnreadableImageError: the file is missing, damaged, no image, too large, or its gray has no known range,
            whatever its decoder raised; the message names it.
    """
    try:
        return _decoded(path)
    except FileNotFoundError:
        why = "no such picture; run `bcls data check DATA` to see all that are missing"
    except Exception as error:
        why = f"not a readable picture ({unreadable_reason(error, path)}); run `bcls data check DATA` to see all"
    raise UnreadableImageError(f"{path}: {why}")


def picture_fault(path: Path) -> str | None:
    """Why `open_picture` would refuse a file, without its name; None = it would not.

    Example:
        >>> picture_fault(Path("nowhere.jpg"))
        'no such file'
    """
    try:
        _decoded(path)
    except FileNotFoundError:
        return "no such file"
    except Exception as error:
        return f"not a readable picture ({unreadable_reason(error, path)})"
    return None


def upright_rgb(picture: Image.Image) -> Image.Image:
    """An image as a person sees it: turned as its camera says, transparent parts white, deep gray as 8 bits.

    Of several frames or pages it is the first. Colour profiles are not applied, as in transformers, open_clip and
    torchvision, so that embeddings equal theirs.

    Args:
        picture: of Pillow, in any mode; best as it was opened: `load` drops what some formats say about their pixels.

    Raises:
        InputError: gray of more than 8 bits without a known range (`eight_bit_gray`), a transparent colour of 16 bits,
            which Pillow confuses with others, no pixels, or one side more than 500 times the other.

    Example:
        >>> upright_rgb(Image.new("RGBA", (4, 2), (255, 0, 0, 0))).getpixel((0, 0))
        (255, 255, 255)
    """
    _refuse_shape(*picture.size)
    layout = _png_layout(picture)
    picture.load()  # what a camera says may stand behind the pixels
    turn = _TURNS.get(_orientation(picture))
    picture = _convertible(picture, layout)
    if turn is not None:
        picture = picture.transpose(turn)
        for said in _SAID_BY_CAMERA:  # else somebody might turn it again
            picture.info.pop(said, None)
    if picture.has_transparency_data:
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture.convert("RGBA"))
        picture = ground
    return picture.convert("RGB")


def unreadable_reason(error: Exception, path: Path) -> str:
    """What a decoder said, in a line of at most 200 characters.

    Args:
        error: what was raised.
        path: of the file, to tell what it is if no decoder knew it.
    """
    if isinstance(error, UnidentifiedImageError):
        if _is_postscript(path):
            return "PostScript is a program; convert it to PNG"
        return content_of(path) or "of no known image format"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    kind = "" if isinstance(error, InputError | OSError | SyntaxError | ValueError) else f"{type(error).__name__}: "
    said = " ".join(str(error).split())
    return f"{kind}{said}"[:200] if said else type(error).__name__


def _decoded(path: Path) -> Image.Image:
    for wait in (*WAITS, None):
        try:
            if path.exists() and not path.is_file():  # a pipe would be waited for
                raise InputError("not a file")
            with Image.open(path, formats=opened_formats()) as picture:
                return upright_rgb(picture)
        except OSError as error:
            if wait is None or error.errno not in TRANSIENT:
                raise
            time.sleep(wait)
    raise AssertionError("the last try returns or raises")


def _refuse_shape(width: int, height: int) -> None:
    if not width or not height:
        raise InputError(f"it has {width} x {height} pixels")
    if max(width, height) > LARGEST_RATIO * min(width, height):
        raise InputError(f"{width} x {height} pixels: one side is more than {LARGEST_RATIO} times the other")


def _is_postscript(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return file.read(4) in (b"%!PS", b"\xc5\xd0\xd3\xc6")
    return False


def _png_layout(picture: Image.Image) -> str:
    """How the pixels of a PNG lie in its file, e.g. `L;2`; `load` forgets it."""
    tiles = getattr(picture, "tile", None)
    return str(tiles[0][3]) if picture.format == "PNG" and tiles else ""


def _convertible(picture: Image.Image, layout: str) -> Image.Image:
    """An image in a mode that Pillow converts to RGB or RGBA rightly, with what is transparent."""
    clear = picture.info.get("transparency")
    if clear is not None and layout == "RGB;16B":
        raise InputError("a PNG of 16 bits a colour with a transparent colour is not supported; convert it to 8 bits")
    if isinstance(clear, int) and layout in _GRAY_STEPS:  # Pillow scales the pixels, not the transparent gray
        picture.info["transparency"] = clear * _GRAY_STEPS[layout]
    if has_deep_gray(picture):
        gray = eight_bit_gray(picture)
        if isinstance(clear, int):
            gray.putalpha(Image.fromarray(np.where(np.asarray(picture) == clear, 0, 255).astype(np.uint8)))
        return gray
    if picture.mode == "La":
        return picture.convert("LA")
    if picture.mode == "LAB":
        spaces = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, *spaces, outputMode="RGB")
        assert converted is not None  # it is None only where the image is changed in place
        return converted
    return picture


def _orientation(picture: Image.Image) -> object:
    try:
        return picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # whatever a camera wrote beside its picture, the picture is none the worse
        return None


_GRAY_STEPS = {"L;2": 85, "L;4": 17}
_SAID_BY_CAMERA = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
_TURNS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
