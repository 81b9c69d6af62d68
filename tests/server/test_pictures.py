"""Pictures from strangers: what is refused, and that nothing hides in what is kept."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from bcls.errors import InputError
from bcls.server.pictures import decode_picture, encode_picture, shown, thumbnail_of

from .conftest import picture_bytes

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bomb() -> bytes:
    """A PNG of some 100 bytes that says it has 60,000 x 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = _chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + pixels + _chunk(b"IEND", b"")


def cut_jpeg() -> bytes:
    whole = io.BytesIO()
    Image.effect_noise((200, 200), 60).convert("RGB").save(whole, "JPEG")
    return whole.getvalue()[:4000]


def polyglot() -> bytes:
    """A JPEG that is a web page and an archive as well."""
    held = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(held, "JPEG", comment=b"<script>alert('in a comment')</script>")
    return held.getvalue() + b"<html><script>alert('at the end')</script></html>PK\x03\x04"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "0 bytes"),
        (SVG, "not a picture"),
        (b"GIF89a", "damaged|not a picture"),
        (bomb(), "too many pixels"),
        (picture_bytes(size=(2000, 1000)), "2000 x 1000"),
        (cut_jpeg(), "cut short"),
        (b"\xff\xd8\xff" + bytes(100), "damaged|not a picture"),
        (picture_bytes(kind="TIFF"), "not a picture"),
        (picture_bytes(kind="ICO"), "not a picture"),
        (picture_bytes(kind="PNG")[:60], "damaged|cut short|not a picture"),
    ],
    ids=["empty", "svg", "half a GIF", "bomb", "large", "cut JPEG", "JPEG of nothing", "TIFF", "ICO", "cut PNG"],
)
def test_refused(content, says):
    with pytest.raises(InputError, match=says):
        decode_picture(content, max_pixels=1_000_000)


def test_a_side_is_at_most_what_a_jpeg_can_hold():
    with pytest.raises(InputError, match="65,500"):
        decode_picture(picture_bytes(kind="PNG", size=(65_501, 1)), max_pixels=1_000_000)


def test_a_sliver_is_refused_before_resizing_by_its_short_side_fills_the_memory():
    with pytest.raises(InputError, match="1 x 60000 pixels: one side is more than 500 times the other"):
        decode_picture(picture_bytes(size=(1, 60_000)), max_pixels=1_000_000)


@pytest.mark.parametrize(
    "raised", [RuntimeError("decoding failed"), NotImplementedError("kind"), RecursionError(), ZeroDivisionError()]
)
def test_whatever_a_decoder_raises_is_a_refusal(monkeypatch, raised):
    def broken(self):
        raise raised

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", broken)
    with pytest.raises(InputError, match="the picture is damaged or cut short"):
        decode_picture(picture_bytes(), max_pixels=1_000_000)
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile._open", broken)
    assert shown(io.BytesIO(picture_bytes()), max_pixels=1_000_000) is None


def test_the_limit_is_of_pixels():
    assert decode_picture(picture_bytes(size=(40, 25)), max_pixels=1000).size == (40, 25)
    with pytest.raises(InputError, match="at most 999"):
        decode_picture(picture_bytes(size=(40, 25)), max_pixels=999)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_formats_that_are_taken(kind):
    picture = decode_picture(picture_bytes("blue", kind=kind), max_pixels=10_000)
    assert picture.mode == "RGB"
    assert picture.getpixel((5, 5))[2] > 240


def test_what_is_transparent_becomes_white():
    assert decode_picture(picture_bytes((255, 0, 0, 0)), max_pixels=10_000).getpixel((0, 0)) == (255, 255, 255)


def test_a_picture_that_was_turned_is_upright():
    held = io.BytesIO()
    sideways = Image.new("RGB", (40, 20))
    exif = sideways.getexif()
    exif[0x0112] = 6
    sideways.save(held, "JPEG", exif=exif)
    assert decode_picture(held.getvalue(), max_pixels=10_000).size == (20, 40)


def test_nothing_that_hides_in_a_file_survives():
    content = polyglot()
    assert b"<script>" in content
    written = encode_picture(decode_picture(content, max_pixels=10_000))
    assert b"script" not in written
    assert b"PK\x03\x04" not in written


@pytest.mark.parametrize("side", [300, 320, 1000])
def test_noise_is_written_again_like_anything_else(side):
    pixels = np.random.default_rng(0).integers(0, 2, (side, side, 3), dtype=np.uint8) * 255
    assert Image.open(io.BytesIO(encode_picture(Image.fromarray(pixels)))).size == (side, side)


def test_a_thumbnail_leaves_comments_behind_that_no_jpeg_could_hold():
    held = io.BytesIO()
    Image.new("P", (40, 30)).save(held, "GIF", comment=b"x" * 200_000)
    assert len(thumbnail_of(held.getvalue(), side=20, max_pixels=10_000)) < 5000


def test_a_photograph_with_further_pictures_behind_it_is_a_jpeg():
    held = io.BytesIO()
    Image.new("RGB", (40, 30)).save(held, "MPO", save_all=True, append_images=[Image.new("RGB", (40, 30), "blue")])
    assert shown(held, max_pixels=10_000) == (held.getvalue(), "image/jpeg")


def test_a_thumbnail_is_small_and_keeps_its_shape():
    small = Image.open(io.BytesIO(thumbnail_of(picture_bytes(size=(400, 200)), side=100, max_pixels=100_000)))
    assert small.size == (100, 50)
    assert small.format == "JPEG"
