"""Deep grays: every kind of file becomes the 8-bit ramp that it means, or is refused by name."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bcls.errors import InputError
from bcls.pictures import open_picture
from bcls.pictures.gray import eight_bit_gray

from .tiny_tiff import tiny_tiff

RAMP = np.arange(256)
DEEP = RAMP * 257  # 0 to 65,535
SHARE = RAMP / 255
LOWEST, HIGHEST = 340, 341


def ramp_of(path) -> list[int]:
    pixels = np.asarray(open_picture(path))
    assert pixels.shape == (1, 256, 3)
    assert (pixels == pixels[:, :, :1]).all()
    return pixels[0, :, 0].tolist()


def twelve_bits(values) -> bytes:
    """Two samples in three bytes, high bits first."""
    text = "".join(f"{value:012b}" for value in values)
    return int(text, 2).to_bytes(len(text) // 8, "big")


TIFFS = {
    "16 bits": tiny_tiff(DEEP.astype("<u2").tobytes(), (256, 1)),
    "16 bits, big-endian": tiny_tiff(DEEP.astype(">u2").tobytes(), (256, 1), order=">"),
    "16 bits, white is zero": tiny_tiff(DEEP[::-1].astype("<u2").tobytes(), (256, 1), photometric=0),
    "12 bits": tiny_tiff(twelve_bits(RAMP * 16), (256, 1), bits=12),
    "16 bits in a declared range": tiny_tiff(
        (RAMP * 4 + 100).astype("<u2").tobytes(), (256, 1), extra={LOWEST: ("H", 100), HIGHEST: ("H", 1120)}
    ),
    "signed 16 bits in a declared range": tiny_tiff(
        (RAMP * 8 - 1024).astype("<i2").tobytes(),
        (256, 1),
        sample_format=2,
        extra={LOWEST: ("h", -1024), HIGHEST: ("h", 1016)},
    ),
    "signed 16 bits, big-endian, in a declared range": tiny_tiff(
        (RAMP * 8 - 1024).astype(">i2").tobytes(),
        (256, 1),
        sample_format=2,
        order=">",
        extra={LOWEST: ("h", -1024), HIGHEST: ("h", 1016)},
    ),
    "signed 8 bits in a declared range": tiny_tiff(
        (RAMP - 128).astype("i1").tobytes(),
        (256, 1),
        bits=8,
        sample_format=2,
        extra={LOWEST: ("b", -128), HIGHEST: ("b", 127)},
    ),
    "signed 32 bits of 16": tiny_tiff(DEEP.astype("<i4").tobytes(), (256, 1), bits=32, sample_format=2),
    "signed 32 bits of 16, big-endian": tiny_tiff(
        DEEP.astype(">i4").tobytes(), (256, 1), bits=32, sample_format=2, order=">"
    ),
    "unsigned 32 bits of 16": tiny_tiff(DEEP.astype("<u4").tobytes(), (256, 1), bits=32),
    "unsigned 32 bits of 8": tiny_tiff(RAMP.astype("<u4").tobytes(), (256, 1), bits=32),
    "signed 32 bits in a declared range": tiny_tiff(
        (RAMP * 1_000_000 - 50).astype("<i4").tobytes(),
        (256, 1),
        bits=32,
        sample_format=2,
        extra={LOWEST: ("i", -50), HIGHEST: ("i", 254_999_950)},
    ),
    "float": tiny_tiff(SHARE.astype("<f4").tobytes(), (256, 1), bits=32, sample_format=3),
    "float, big-endian": tiny_tiff(SHARE.astype(">f4").tobytes(), (256, 1), bits=32, sample_format=3, order=">"),
    "float, white is zero": tiny_tiff(
        SHARE[::-1].astype("<f4").tobytes(), (256, 1), bits=32, sample_format=3, photometric=0
    ),
    "float, a hair beyond": tiny_tiff(
        (SHARE * 1.002 - 0.001).astype("<f4").tobytes(), (256, 1), bits=32, sample_format=3
    ),
    "float in a declared range": tiny_tiff(
        (SHARE * 300 - 20).astype("<f4").tobytes(),
        (256, 1),
        bits=32,
        sample_format=3,
        extra={LOWEST: ("f", -20.0), HIGHEST: ("f", 280.0)},
    ),
    "float in a declared range of doubles": tiny_tiff(
        (SHARE * 255).astype("<f4").tobytes(),
        (256, 1),
        bits=32,
        sample_format=3,
        extra={LOWEST: ("d", 0.0), HIGHEST: ("d", 255.0)},
    ),
}


@pytest.mark.parametrize("kind", TIFFS)
def test_a_tiff_is_the_ramp_that_it_means(tmp_path, kind):
    (tmp_path / "ramp.tif").write_bytes(TIFFS[kind])
    assert ramp_of(tmp_path / "ramp.tif") == RAMP.tolist()


REFUSED = {
    "signed 16 bits": (tiny_tiff(RAMP.astype("<i2").tobytes(), (256, 1), sample_format=2), "signed 16-bit gray"),
    "signed 8 bits": (tiny_tiff(RAMP.astype("u1").tobytes(), (256, 1), bits=8, sample_format=2), "signed 8-bit gray"),
    "32 bits, full": (
        tiny_tiff((RAMP * 0x01010101).astype("<u4").tobytes(), (256, 1), bits=32),
        "outside the range of 0 to 65535",
    ),
    "32 bits, negative": (
        tiny_tiff((DEEP - 1).astype("<i4").tobytes(), (256, 1), bits=32, sample_format=2),
        "gray values from -1 to",
    ),
    "float of 0 to 255": (
        tiny_tiff(RAMP.astype("<f4").tobytes(), (256, 1), bits=32, sample_format=3),
        "outside the range of 0 to 1",
    ),
    "float below 0": (
        tiny_tiff((SHARE - 0.5).astype("<f4").tobytes(), (256, 1), bits=32, sample_format=3),
        "outside the range of 0 to 1",
    ),
    "NaN": (
        tiny_tiff(np.full(256, np.nan, "<f4").tobytes(), (256, 1), bits=32, sample_format=3),
        "NaN or infinite",
    ),
    "infinite": (
        tiny_tiff(np.full(256, np.inf, "<f4").tobytes(), (256, 1), bits=32, sample_format=3),
        "NaN or infinite",
    ),
    "an empty range": (
        tiny_tiff(DEEP.astype("<u2").tobytes(), (256, 1), extra={LOWEST: ("H", 9), HIGHEST: ("H", 9)}),
        "no range of gray",
    ),
    "beyond the declared range": (
        tiny_tiff(DEEP.astype("<u2").tobytes(), (256, 1), extra={LOWEST: ("H", 9), HIGHEST: ("H", 99)}),
        "outside the range of 9 to 99",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_tiff_without_a_known_range_is_refused(tmp_path, kind):
    content, says = REFUSED[kind]
    (tmp_path / "ramp.tif").write_bytes(content)
    with pytest.raises(InputError, match=rf"ramp\.tif: not a readable picture \(.*{says}"):
        open_picture(tmp_path / "ramp.tif")


@pytest.mark.parametrize("maxval", [255, 300, 1023, 4095, 65535])
@pytest.mark.parametrize("plain", [False, True])
def test_a_pgm_goes_to_its_maxval(tmp_path, maxval, plain):
    values = np.round(SHARE * maxval).astype(int)
    kind, pixels = b"P5", values.astype(">u2" if maxval > 255 else "u1").tobytes()
    if plain:
        kind, pixels = b"P2", " ".join(map(str, values)).encode()
    (tmp_path / "ramp.pgm").write_bytes(kind + b" 256 1 %d\n" % maxval + pixels)
    assert np.abs(np.array(ramp_of(tmp_path / "ramp.pgm")) - RAMP).max() <= (0 if maxval in (255, 65535) else 1)


@pytest.mark.parametrize("scale", ["-1.0", "1.0"])
def test_a_pfm_is_of_0_to_1(tmp_path, scale):
    pixels = SHARE.astype("<f4" if scale[0] == "-" else ">f4").tobytes()
    (tmp_path / "ramp.pfm").write_bytes(b"Pf\n256 1\n" + scale.encode() + b"\n" + pixels)
    assert ramp_of(tmp_path / "ramp.pfm") == RAMP.tolist()
    (tmp_path / "ramp.pfm").write_bytes(b"Pf\n256 1\n" + scale.replace("1.0", "255").encode() + b"\n" + pixels)
    with pytest.raises(InputError, match="a PFM of scale 255"):
        open_picture(tmp_path / "ramp.pfm")


@pytest.mark.parametrize(("bits", "kind"), [(16, ">i2"), (32, ">i4"), (-32, ">f4")])
def test_a_deep_fits_is_refused(tmp_path, bits, kind):
    facts = {"SIMPLE": "T", "BITPIX": bits, "NAXIS": 2, "NAXIS1": 256, "NAXIS2": 1}
    head = "".join(f"{name:8}= {value:>20}".ljust(80) for name, value in facts.items()) + "END"
    (tmp_path / "ramp.fits").write_bytes(head.ljust(2880).encode() + RAMP.astype(kind).tobytes().ljust(2880, b"\0"))
    with pytest.raises(InputError, match=r"FITS of .* does not say what is black and white"):
        open_picture(tmp_path / "ramp.fits")


@pytest.mark.parametrize("end", ["png", "tif", "jp2", "im"])
def test_16_bits_that_pillow_writes(tmp_path, end):
    Image.fromarray(DEEP.astype(np.uint16)[None]).save(tmp_path / f"ramp.{end}")
    assert ramp_of(tmp_path / f"ramp.{end}") == RAMP.tolist()


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize(("kind", "values"), [(np.uint16, DEEP), (np.int32, DEEP), (np.float32, SHARE)])
def test_compression_changes_nothing(tmp_path, compression, kind, values):
    Image.fromarray(values.astype(kind)[None]).save(tmp_path / "ramp.tif", compression=compression)
    assert ramp_of(tmp_path / "ramp.tif") == RAMP.tolist()


@pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B"])
def test_modes_in_memory(mode):
    content = struct.pack(f"{'>' if mode[-1] == 'B' else '<'}256H", *DEEP.tolist())
    image = Image.frombytes(mode, (256, 1), content)
    assert np.asarray(eight_bit_gray(image))[0].tolist() == RAMP.tolist()


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=9), st.lists(st.integers(0, 65535), min_size=1, max_size=9))
def test_equal_values_are_equal_grays_whatever_else_an_image_holds(ours, theirs):
    alone, together = ours, ours + theirs
    first, second = (
        np.asarray(eight_bit_gray(Image.fromarray(np.array([values], np.uint16)))) for values in (alone, together)
    )
    assert first[0].tolist() == second[0, : len(alone)].tolist()


def test_every_chunk_of_rows_is_scaled(monkeypatch):
    monkeypatch.setattr("bcls.pictures.gray.CHUNK_ROWS", 7)
    deep = np.random.default_rng(0).integers(0, 65536, (50, 3)).astype(np.uint16)
    assert (np.asarray(eight_bit_gray(Image.fromarray(deep))) == deep // 256).all()
