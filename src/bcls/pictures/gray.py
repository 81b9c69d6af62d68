"""Gray images of more than 8 bits as 8 bits, by the range that their file declares."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bcls.errors import InputError

TOLERANCE = 1 / 510
"""How far outside its range a value may lie, as a share of the range: half a step of 8 bits."""
CHUNK_ROWS = 256
DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_SAMPLE_FORMAT, _BITS, _PHOTOMETRIC, _LOWEST, _HIGHEST = 339, 258, 262, 340, 341
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3


class GrayRange(NamedTuple):
    """What is black and what is white.

    Attributes:
        black: the value of black.
        white: the value of white, greater.
        inverted: the file means white by its `black`.
    """

    black: float
    white: float
    inverted: bool = False


def has_deep_gray(image: Image.Image) -> bool:
    """Whether an image is gray of more than 8 bits, or of 8 bits with a sign.

    Example:
        >>> has_deep_gray(Image.new("I;16", (2, 2))), has_deep_gray(Image.new("L", (2, 2)))
        (True, False)
    """
    return image.mode in DEEP_MODES or (image.mode == "L" and _tag(image, _SAMPLE_FORMAT, _UNSIGNED) == _SIGNED)


def eight_bit_gray(image: Image.Image) -> Image.Image:
    """A gray image of more than 8 bits as 8 bits (mode `L`).

    The range of gray is, in this order:

    1. `SMinSampleValue` to `SMaxSampleValue` of a TIFF that has both;
    2. the whole range of unsigned integers of 12 or 16 bits (a PGM's `maxval` is their end);
    3. 0 to 1 of floating-point numbers;
    4. of 32-bit integers, which no image fills: 0 to 255 if no value is greater, else 0 to 65,535.

    Nothing else of an image's content matters, so that equal values in two files of a kind are equal grays. Integers
    are cut to their highest 8 bits, as Pillow does with colours of 16 bits; other values are rounded.

    Args:
        image: of Pillow, loaded, as it was opened.

    Raises:
        InputError: the range is not known (signed 8 or 16 bits, FITS), or values lie outside it or are not finite.

    Example:
        >>> deep = Image.fromarray(np.array([[0, 0x1234, 0xFFFF]], np.uint16))
        >>> np.asarray(eight_bit_gray(deep)).tolist()
        [[0, 18, 255]]
    """
    values = np.asarray(image)
    if image.mode == "L":
        values = values.view(np.int8)
    found = _range_of(image, values)
    gray = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        gray[rows] = _scaled(values[rows], found)
    return Image.fromarray(gray if not found.inverted else 255 - gray)


def _range_of(image: Image.Image, values: NDArray[Any]) -> GrayRange:
    if image.format == "FITS":
        raise InputError(f"FITS of {values.dtype} does not say what is black and white; convert it to 8 bits")
    if image.format == "PPM" and image.info.get("scale", 1.0) != 1.0:
        raise InputError(f"a PFM of scale {image.info['scale']:g} is not of the range 0 to 1; convert it")
    inverted = _tag(image, _PHOTOMETRIC, 1) == 0
    black, white = _tag(image, _LOWEST, None), _tag(image, _HIGHEST, None)
    if black is not None and white is not None:
        if not (np.isfinite(black) and np.isfinite(white) and black < white):
            raise InputError(f"SMinSampleValue is {black} and SMaxSampleValue {white}: no range of gray")
        return GrayRange(float(black), float(white), inverted)
    if image.mode == "F":
        return GrayRange(0.0, 1.0, inverted)
    if image.mode != "I":
        bits = int(_tag(image, _BITS, 16))
        if image.mode == "L":
            raise _unknown("signed 8-bit")
        return GrayRange(0, 2**bits - 1, inverted)
    if image.format in ("PPM", "PNG"):  # a PGM is scaled to this by Pillow; a PNG of 16 bits is `I` before Pillow 11
        return GrayRange(0, 65535)
    if _tag(image, _BITS, 32) == 16:
        raise _unknown("signed 16-bit")
    return GrayRange(0, 255 if values.min() >= 0 and values.max() <= 255 else 65535, inverted)


def _unknown(kind: str) -> InputError:
    return InputError(
        f"{kind} gray does not say what is black and white; declare SMinSampleValue and SMaxSampleValue, or convert "
        "it to unsigned integers"
    )


def _scaled(values: NDArray[Any], found: GrayRange) -> NDArray[np.uint8]:
    span = found.white - found.black
    if found.black == 0 and found.white in (255, 4095, 65535) and values.dtype.kind in "iu":
        _refuse_outside(values, found, 0.0)
        shift = int(found.white).bit_length() - 8
        return (values >> shift).astype(np.uint8)
    _refuse_outside(values, found, span * TOLERANCE)
    share = (values.astype(np.float64) - found.black) / span
    return np.round(share.clip(0.0, 1.0) * 255).astype(np.uint8)


def _refuse_outside(values: NDArray[Any], found: GrayRange, tolerance: float) -> None:
    if not np.isfinite(values).all():
        raise InputError("gray values are NaN or infinite")
    low, high = values.min(), values.max()
    if low < found.black - tolerance or high > found.white + tolerance:
        raise InputError(
            f"gray values from {low:g} to {high:g} lie outside the range of {found.black:g} to {found.white:g}; "
            "declare SMinSampleValue and SMaxSampleValue in a TIFF, or convert the image to 8 or 16 bits"
        )


def _tag(image: Image.Image, number: int, default: Any) -> Any:
    """The first value of a TIFF tag; `default` for another format, and where the tag is absent."""
    tags = getattr(image, "tag_v2", None)
    value = default if tags is None else tags.get(number, default)
    return value[0] if isinstance(value, tuple) else value
