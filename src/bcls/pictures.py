"""Picture files as a person sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from bcls.errors import InputError


def open_picture(path: Path) -> Image.Image:
    """Open a picture file, wholly decoded, as `upright_rgb`.

    Raises:
        InputError: the file is missing, truncated or not a picture; the message names it.
    """
    try:
        with Image.open(path) as picture:
            return upright_rgb(picture)
    except FileNotFoundError:
        raise InputError(f"{path}: no such picture; run `bcls data check DATA` to see all that are missing") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: not a readable picture ({error}); run `bcls data check DATA` to see all") from None


def upright_rgb(picture: Image.Image) -> Image.Image:
    """A picture as a person sees it: turned as its camera says, transparent parts white, 16 bits of gray as 8.

    Example:
        >>> upright_rgb(Image.new("RGBA", (4, 2), (255, 0, 0, 0))).getpixel((0, 0))
        (255, 255, 255)
    """
    picture.load()  # what a camera says may stand behind the pixels
    turn = _TURNS.get(_orientation(picture))
    if turn is not None:
        picture = picture.transpose(turn)
        for said in _SAID_BY_CAMERA:  # else somebody might turn it again
            picture.info.pop(said, None)
    if picture.mode.startswith("I;16"):  # Pillow would make all but the darkest 256 of 65,536 grays white
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture.convert("RGBA"))
        picture = ground
    return picture.convert("RGB")


def _orientation(picture: Image.Image) -> object:
    try:
        return picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # whatever a camera wrote beside its picture, the picture is none the worse
        return None


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
