"""Every mode and kind of image file becomes the RGB that it means, the same in training, embedding and serving."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, ImageOps

from bcls.data import ImageRecord, RetrievalDataset
from bcls.data.images import PictureImages
from bcls.embedding.images import PictureReader
from bcls.errors import InputError
from bcls.models import ConvTower
from bcls.models.pretrained.pictures import PictureProcessor
from bcls.pictures import open_picture, opened_formats, upright_rgb
from bcls.server.pictures import decode_picture

from .tiny_tiff import tiny_tiff

WHITE, RED, BLUE = [255, 255, 255], [255, 0, 0], [0, 0, 255]


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, depth: int, colours: int, row: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG of one row, written from the specification."""
    header = struct.pack(">IIBBBBB", width, 1, depth, colours, 0, 0, 0)
    parts = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def shorts(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


def saved(image: Image.Image, kind: str, **settings: object) -> bytes:
    held = io.BytesIO()
    image.save(held, kind, **settings)
    return held.getvalue()


def pixels_of(path) -> list[list[int]]:
    return np.asarray(open_picture(path))[0].tolist()


def grays(*values: int) -> list[list[int]]:
    return [[value] * 3 for value in values]


PNGS = {
    "1 bit": (png(2, 1, 0, b"\x40"), grays(0, 255)),
    "1 bit, black is transparent": (png(2, 1, 0, b"\x40", (b"tRNS", shorts(0))), grays(255, 255)),
    "2 bits": (png(4, 2, 0, b"\x1b"), grays(0, 85, 170, 255)),
    "2 bits, one gray is transparent": (png(4, 2, 0, b"\x1b", (b"tRNS", shorts(1))), grays(0, 255, 170, 255)),
    "4 bits, one gray is transparent": (png(2, 4, 0, b"\x1f", (b"tRNS", shorts(1))), grays(255, 255)),
    "4 bits, another gray is transparent": (png(2, 4, 0, b"\x12", (b"tRNS", shorts(1))), grays(255, 34)),
    "8 bits, one gray is transparent": (png(2, 8, 0, bytes([5, 6]), (b"tRNS", shorts(5))), grays(255, 6)),
    "16 bits": (png(3, 16, 0, shorts(0, 0x80FF, 0xFFFF)), grays(0, 128, 255)),
    "16 bits, one gray is transparent": (
        png(3, 16, 0, shorts(0x1234, 0x1235, 0x3412), (b"tRNS", shorts(0x1234))),
        grays(255, 0x12, 0x34),
    ),
    "16 bits and alpha": (png(2, 16, 4, shorts(0x1234, 0xFFFF, 0x1234, 0)), grays(0x12, 255)),
    "colours": (png(2, 8, 2, bytes([1, 2, 3, 4, 5, 6])), [[1, 2, 3], [4, 5, 6]]),
    "a transparent colour": (png(2, 8, 2, bytes([1, 2, 3, 4, 5, 6]), (b"tRNS", shorts(1, 2, 3))), [WHITE, [4, 5, 6]]),
    "colours of 16 bits": (png(1, 16, 2, shorts(0x1234, 0x5678, 0x9ABC)), [[0x12, 0x56, 0x9A]]),
    "colours of 16 bits and alpha": (
        png(2, 16, 6, shorts(0x1234, 0x5678, 0x9ABC, 0xFFFF, 0, 0, 0, 0)),
        [[0x12, 0x56, 0x9A], WHITE],
    ),
    "a palette": (png(2, 8, 3, b"\0\1", (b"PLTE", bytes([*RED, *BLUE]))), [RED, BLUE]),
    "a palette with one transparent colour": (
        png(2, 8, 3, b"\0\1", (b"PLTE", bytes([*RED, *BLUE])), (b"tRNS", b"\xff\0")),
        [RED, WHITE],
    ),
    "a palette with half transparent colours": (
        png(2, 8, 3, b"\0\1", (b"PLTE", bytes([*RED, *BLUE])), (b"tRNS", b"\0\x80")),
        [WHITE, [127, 127, 255]],
    ),
    "a palette of 1 bit": (png(2, 1, 3, b"\x40", (b"PLTE", bytes([*RED, *BLUE]))), [RED, BLUE]),
}


@pytest.mark.parametrize("kind", PNGS)
def test_a_png_is_what_its_pixels_mean(tmp_path, kind):
    content, expected = PNGS[kind]
    (tmp_path / "a.png").write_bytes(content)
    assert pixels_of(tmp_path / "a.png") == expected


def test_a_transparent_colour_of_16_bits_is_refused(tmp_path):
    row = shorts(0, 0, 0, 1, 1, 1)  # Pillow takes both for the same black
    (tmp_path / "a.png").write_bytes(png(2, 16, 2, row, (b"tRNS", shorts(0, 0, 0))))
    with pytest.raises(InputError, match=r"a\.png: .*a transparent colour is not supported; convert it to 8 bits"):
        open_picture(tmp_path / "a.png")


@pytest.mark.parametrize("end", ["tif", "jpg"])
def test_cmyk(tmp_path, end):
    """Also as a JPEG, where Adobe's way is to store it inverted."""
    inks = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # magenta and yellow are red
    inks.save(tmp_path / f"a.{end}")
    assert np.abs(np.array(pixels_of(tmp_path / f"a.{end}")) - RED).max() <= 2


def test_ycbcr(tmp_path):
    Image.new("RGB", (16, 16), (200, 50, 100)).convert("YCbCr").save(tmp_path / "a.jpg", quality=100)
    assert np.abs(np.array(pixels_of(tmp_path / "a.jpg")) - [200, 50, 100]).max() <= 3


def test_lab(tmp_path):
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (1, 50, 3), dtype=np.uint8))
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    ImageCms.profileToProfile(colours, *profiles, outputMode="LAB").save(tmp_path / "a.tif")
    with Image.open(tmp_path / "a.tif") as opened:
        assert opened.mode == "LAB"
    difference = np.array(pixels_of(tmp_path / "a.tif")) - np.asarray(colours)[0]
    assert np.abs(difference).mean() < 3  # 8 bits of lightness and colour are no finer


def test_transparent_grays_in_memory():
    for mode, pixel in (("LA", (40, 0)), ("La", (0, 0)), ("RGBa", (0, 0, 0, 0)), ("RGBA", (1, 2, 3, 0))):
        assert list(upright_rgb(Image.new(mode, (1, 1), pixel)).getpixel((0, 0))) == WHITE
    assert upright_rgb(Image.new("La", (1, 1), (40, 255))).getpixel((0, 0)) == (40, 40, 40)
    assert upright_rgb(Image.new("PA", (1, 1), (0, 0))).getpixel((0, 0)) == (255, 255, 255)


def test_hsv_in_memory():
    assert upright_rgb(Image.new("HSV", (1, 1), (0, 255, 255))).getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO", "AVIF"])
def test_of_several_frames_or_pages_it_is_the_first(tmp_path, kind):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "lime")]
    settings = {"lossless": True} if kind == "WEBP" else {}
    frames[0].save(tmp_path / "a", kind, save_all=True, append_images=frames[1:], **settings)
    with Image.open(tmp_path / "a") as opened:
        assert opened.n_frames == 3
    assert np.abs(np.array(pixels_of(tmp_path / "a")) - RED).max() <= 2


def test_a_first_frame_with_transparent_parts(tmp_path):
    first = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    first.putpixel((1, 0), (0, 0, 0, 0))
    first.save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("RGBA", (2, 1), "blue")], disposal=2)
    assert pixels_of(tmp_path / "a.gif") == [RED, WHITE]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "MPO"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_stands_upright_in_every_format(tmp_path, kind, orientation):
    """Oracle: an image whose corners tell how it was turned, saved with the inverse of its turn."""
    upright = Image.new("RGB", (48, 32), "white")
    upright.paste("red", (0, 0, 24, 16))
    upright.paste("blue", (24, 0, 48, 16))
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = Image.fromarray(np.asarray(upright))
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    turned.getexif()[0x0112] = inverse
    stored = Image.fromarray(np.asarray(ImageOps.exif_transpose(turned)))
    stored.save(tmp_path / "a", kind, exif=exif)
    image = open_picture(tmp_path / "a")
    assert image.size == (48, 32)
    assert np.abs(np.asarray(image, dtype=int) - np.asarray(upright)).mean() < 12
    assert ImageOps.exif_transpose(image).tobytes() == image.tobytes()  # nobody turns it again


def test_a_deep_gray_stands_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.array([[0, 65535]], np.uint16)).save(tmp_path / "a.png", exif=exif)
    assert np.asarray(open_picture(tmp_path / "a.png"))[:, :, 0].tolist() == [[0], [255]]


def test_a_colour_profile_changes_nothing(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8))
    colours.save(tmp_path / "a.png", icc_profile=profile)
    assert open_picture(tmp_path / "a.png").tobytes() == colours.tobytes()


@pytest.mark.parametrize("kind", ["EPS", "empty", "flat", "long", "text"])
def test_what_is_refused_says_why(tmp_path, kind):
    content, says = {
        "EPS": (saved(Image.new("RGB", (4, 4)), "EPS"), "PostScript is a program; convert it to PNG"),
        "empty": (b"", "of no known image format"),
        "text": (b"a photograph of a dog", "of no known image format"),
        "flat": (b"P5 0 4 255\n", "it has 0 x 4 pixels|of no known"),
        "long": (saved(Image.new("1", (5001, 10)), "PNG"), "5001 x 10 pixels: one side is more than 500 times"),
    }[kind]
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.png: not a readable picture \(.*({says})"):
        open_picture(tmp_path / "a.png")


def kinds_for_all_readers() -> dict[str, bytes]:
    """One file of every format that Pillow writes and of every kind above."""
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    kinds = {name: content for name, (content, _) in PNGS.items()}
    kinds["TIFF 12 bits"] = tiny_tiff(bytes(range(96)), (64, 1), bits=12)
    shares = Image.fromarray(np.asarray(colours.convert("L"), np.float32) / 255)
    for kind in sorted(set(opened_formats()) & Image.SAVE.keys()):
        for image in (colours, colours.convert("L"), colours.convert("1"), shares):
            if kind == "SPIDER" and image is not shares:
                continue  # written as floating-point numbers from 0 to 255, whose range nothing tells
            with suppress(OSError, ValueError, KeyError):  # a mode that this format does not hold
                kinds[f"{kind} {image.mode}"] = saved(image, kind)
    return kinds


def test_training_embedding_and_serving_see_the_same_pixels(tmp_path):
    tower = ConvTower(dim=4, image_size=16)
    kinds = kinds_for_all_readers()
    assert len(kinds) > 60
    records = []
    for number, content in enumerate(kinds.values()):
        (tmp_path / f"{number}").write_bytes(content)
        records.append(ImageRecord(f"{number}", f"{number}", "all", ()))
    rows = np.arange(len(kinds))
    trained = PictureImages([tmp_path / name.id for name in records], tower.prepare).gather(rows)
    dataset = RetrievalDataset("kinds", records, tmp_path)
    blocks = list(PictureReader(dataset, tower.prepare, 2).blocks(rows.tolist()))
    assert not any(block.broken for block in blocks)
    assert torch.equal(torch.cat([block.images for block in blocks]), trained)
    for row, (name, content) in enumerate(kinds.items()):
        served = decode_picture(content, max_pixels=2_000_000, formats=opened_formats())
        assert torch.equal(tower.prepare([served])[0], trained[row]), name


@pytest.mark.parametrize("mode", ["I;16", "I", "F", "LA", "P", "RGBA"])
def test_an_image_that_somebody_else_opened_is_prepared_alike(tmp_path, mode):
    from transformers import CLIPImageProcessorPil

    values = np.arange(64 * 64).reshape(64, 64) * 16
    of_mode = {"I;16": values.astype(np.uint16), "I": values.astype(np.int32), "F": values.astype(np.float32) / 65535}
    gray = Image.fromarray((values >> 8).astype(np.uint8))
    image = Image.fromarray(of_mode[mode]) if mode in of_mode else gray.convert("RGB").convert(mode)
    file = tmp_path / ("a.tif" if mode in ("I", "F") else "a.png")
    image.save(file)
    size = {"height": 16, "width": 16}
    for prepare in (
        ConvTower(dim=4, image_size=16).prepare,
        PictureProcessor(CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size=size)).prepare,
    ):
        with Image.open(file) as opened:
            assert torch.equal(prepare([opened]), prepare([open_picture(file)]))
