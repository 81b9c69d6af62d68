"""Picture files: upright, on white, and named where they cannot be read."""

from __future__ import annotations

import struct

import pytest
from PIL import Image, ImageOps

from bcls.errors import InputError
from bcls.pictures import open_picture


@pytest.mark.parametrize(("mode", "colour"), [("L", 7), ("RGBA", (7, 7, 7, 0)), ("P", 7), ("1", 1), ("CMYK", (0,) * 4)])
def test_every_picture_becomes_rgb(tmp_path, mode, colour):
    file = tmp_path / ("p.tiff" if mode == "CMYK" else "p.png")
    Image.new(mode, (5, 3), colour).save(file)
    picture = open_picture(file)
    assert (picture.mode, picture.size) == ("RGB", (5, 3))


def test_a_picture_stands_upright(tmp_path):
    sideways = Image.new("RGB", (40, 20), "blue")
    sideways.paste("red", (0, 0, 20, 20))
    exif = sideways.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees to the right
    sideways.save(tmp_path / "p.jpg", exif=exif, quality=100)
    picture = open_picture(tmp_path / "p.jpg")
    assert picture.size == (20, 40)
    red, _, blue = picture.getpixel((10, 5))
    assert red > 200
    assert blue < 50


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_as_pillow_would_put_it(tmp_path, kind, orientation):
    drawn = Image.effect_noise((6, 4), 80).convert("RGB")
    exif = drawn.getexif()
    exif[0x0112] = orientation
    drawn.save(tmp_path / "p", kind, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(tmp_path / "p")).convert("RGB")
    picture = open_picture(tmp_path / "p")
    assert picture.tobytes() == expected.tobytes()
    assert ImageOps.exif_transpose(picture).size == picture.size  # nobody turns it again


def test_what_a_camera_writes_wrongly_beside_a_picture_does_not_make_it_unreadable(tmp_path):
    turned, resolution = struct.pack("<HHIHxx", 0x0112, 3, 1, 6), struct.pack("<HHIBxxx", 0x011A, 1, 1, 7)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + turned + resolution + bytes(4)
    Image.new("RGB", (40, 20)).save(tmp_path / "p.jpg", exif=exif)
    with pytest.raises(TypeError):
        ImageOps.exif_transpose(Image.open(tmp_path / "p.jpg"))
    assert open_picture(tmp_path / "p.jpg").size == (20, 40)


@pytest.mark.parametrize("gray", [0, 0x00FF, 0x0100, 0x80FF, 0xFFFF])
def test_a_gray_of_16_bits_stays_the_same_gray(tmp_path, gray):
    Image.new("I;16", (3, 2), gray).save(tmp_path / "p.png")
    assert open_picture(tmp_path / "p.png").getpixel((0, 0)) == (gray >> 8,) * 3


def test_what_is_transparent_is_white(tmp_path):
    Image.new("RGBA", (5, 3), (7, 7, 7, 0)).save(tmp_path / "p.png")
    assert open_picture(tmp_path / "p.png").getpixel((2, 1)) == (255, 255, 255)


def test_a_missing_picture_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.png: no such picture; run `bcls data check DATA`"):
        open_picture(tmp_path / "none.png")


@pytest.mark.parametrize("place", [8, 11, 20, 40])
def test_a_damaged_picture_is_named(tmp_path, place):
    Image.effect_noise((32, 32), 50).save(tmp_path / "p.png")
    whole = bytearray((tmp_path / "p.png").read_bytes())
    whole[place] = 1 if place == 11 else whole[place] ^ 255
    (tmp_path / "p.png").write_bytes(whole)
    with pytest.raises(InputError, match=r"p\.png: not a readable picture"):
        open_picture(tmp_path / "p.png")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_photograph_is_named(tmp_path, share):
    file = tmp_path / "p.jpg"
    Image.effect_noise((64, 64), 50).save(file)
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(InputError, match=r"p\.jpg: not a readable picture"):
        open_picture(file)


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(InputError, match="not a readable picture"):
        open_picture(tmp_path)


def test_a_picture_bomb_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    Image.new("1", (50, 50)).save(tmp_path / "bomb.png")
    with pytest.raises(InputError, match=r"bomb\.png: not a readable picture"):
        open_picture(tmp_path / "bomb.png")
