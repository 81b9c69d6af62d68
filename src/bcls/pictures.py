"""Picture files as a person sees them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

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
        raise InputError(f"{path}: no such picture; run `bcls data check` to see all that are missing") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: not a readable picture ({error}); run `bcls data check` to see all") from None


def upright_rgb(picture: Image.Image) -> Image.Image:
    """A picture as a person sees it: turned as its camera says, transparent parts white.

    Example:
        >>> upright_rgb(Image.new("RGBA", (4, 2), (255, 0, 0, 0))).getpixel((0, 0))
        (255, 255, 255)
    """
    picture = ImageOps.exif_transpose(picture)
    if picture.has_transparency_data:
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture.convert("RGBA"))
        picture = ground
    return picture.convert("RGB")
