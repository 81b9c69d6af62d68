"""A damaged file of any format is refused by name, whatever its decoder raises, and never takes long."""

from __future__ import annotations

import errno
import io
import os
import random
import time
import zlib

import pytest
from PIL import Image

from bcls.errors import InputError
from bcls.pictures import open_picture, opened_formats, picture_fault
from bcls.pictures import opening as opening_module

WAYS = 200
FORMATS = sorted((set(opened_formats()) & Image.SAVE.keys()) | {"MPO", "EPS"})


def whole_file(kind: str, mode: str) -> bytes:
    image = Image.linear_gradient("L").resize((24, 24)).convert("RGB").convert(mode)
    held = io.BytesIO()
    image.save(held, kind, **({"speed": 10} if kind == "AVIF" else {}))
    return held.getvalue()


def damaged(content: bytes, way: int, chance: random.Random) -> bytes:
    """Cut short, one bit or byte changed, a length made huge, or a few bytes taken out."""
    damage = bytearray(content)
    place = chance.randrange(len(damage))
    early = chance.randrange(min(len(damage), 256))
    match way % 5:
        case 0:
            del damage[place:]
        case 1:
            damage[place] ^= 1 << chance.randrange(8)
        case 2:
            damage[early] = chance.randrange(256)
        case 3:
            damage[early : early + 4] = b"\xff" * 4
        case _:
            del damage[place : place + chance.randrange(1, 16)]
    return bytes(damage)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.filterwarnings("ignore")  # Pillow warns of some damage that it reads over
def test_only_input_errors_come_out(tmp_path, kind):
    wholes = []
    for mode in ("RGB", "P", "L", "1"):
        try:
            wholes.append(whole_file(kind, mode))
        except (OSError, ValueError, KeyError):  # a mode that this format does not hold
            continue
    chance = random.Random(zlib.crc32(kind.encode()))
    file = tmp_path / "damaged"
    started, refused = time.monotonic(), 0
    for way in range(WAYS):
        file.write_bytes(damaged(wholes[way % len(wholes)], way, chance))
        if (fault := picture_fault(file)) is None:
            open_picture(file)
            continue
        refused += 1
        with pytest.raises(InputError) as caught:
            open_picture(file)
        assert str(caught.value).startswith(f"{file}: {fault}")
        assert "\n" not in str(caught.value)
    assert refused >= 10
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(
    "raised",
    [
        RuntimeError("Failed to decode frame 0: Decoding of color planes failed"),
        SystemError("<built-in> returned a result with an exception set"),
        NotImplementedError("Unimplemented pixel format"),
        IndexError("index out of range"),
        KeyError("x"),
        ZeroDivisionError("division by zero"),
        OverflowError("too large"),
        MemoryError(),
        RecursionError("maximum recursion depth exceeded"),
        EOFError(),
        AssertionError(),
        SyntaxError("broken PNG file"),
        Image.DecompressionBombError("bomb"),
        Image.DecompressionBombWarning("bomb"),
        UserWarning("an error where warnings are"),
        zlib.error("invalid stored block lengths"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
        ValueError("a message\nof two lines"),
    ],
    ids=lambda raised: type(raised).__name__,
)
def test_whatever_a_decoder_raises_is_told_with_the_files_name(tmp_path, monkeypatch, raised):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")

    def broken(self):
        raise raised

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", broken)
    with pytest.raises(InputError, match=r"a\.png: not a readable picture \(.+\)"):
        open_picture(tmp_path / "a.png")
    assert str(picture_fault(tmp_path / "a.png")).startswith("not a readable picture (")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_who_interrupts_is_heard(tmp_path, monkeypatch, stop):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")

    def interrupted(self):
        raise stop

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", interrupted)
    with pytest.raises(stop):
        open_picture(tmp_path / "a.png")


class Drive:
    """`Image.open`, of a drive that fails a few times first."""

    def __init__(self, failures: int, number: int) -> None:
        self.failures, self.number, self.tries = failures, number, 0
        self.real = Image.open

    def __call__(self, *args, **settings):
        self.tries += 1
        if self.tries <= self.failures:
            raise OSError(self.number, os.strerror(self.number))
        return self.real(*args, **settings)


@pytest.fixture
def waited(monkeypatch):
    seconds: list[float] = []
    monkeypatch.setattr(opening_module.time, "sleep", seconds.append)
    return seconds


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ECONNRESET])
def test_a_file_is_tried_again_where_the_drive_fails(tmp_path, monkeypatch, waited, number):
    Image.new("RGB", (4, 4), "red").save(tmp_path / "a.png")
    drive = Drive(2, number)
    monkeypatch.setattr(Image, "open", drive)
    assert open_picture(tmp_path / "a.png").getpixel((0, 0)) == (255, 0, 0)
    assert (drive.tries, waited) == (3, [0.2, 1.0])


def test_a_drive_that_keeps_failing_is_told_with_the_files_name(tmp_path, monkeypatch, waited):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    drive = Drive(99, errno.EIO)
    monkeypatch.setattr(Image, "open", drive)
    with pytest.raises(InputError, match=r"a\.png: not a readable picture \(Input/output error\)"):
        open_picture(tmp_path / "a.png")
    assert (drive.tries, waited) == (4, [0.2, 1.0, 5.0])


def test_a_damaged_file_is_not_waited_for(tmp_path, waited):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert picture_fault(tmp_path / "a.png")
    assert waited == []


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a\.png: not a readable picture \(not a file\)"):
        open_picture(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a\0b.png", "\ud800.png", "x" * 300 + ".png"])
def test_a_name_that_no_file_can_have_is_told(tmp_path, name):
    with pytest.raises(InputError, match=r"no such picture|not a readable picture"):
        open_picture(tmp_path / name)


def test_a_huge_size_is_refused_before_its_pixels_are_made(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 60000 60000 255\n")
    with pytest.raises(InputError, match="exceeds limit of 178956970 pixels"):
        open_picture(tmp_path / "a.pgm")
    assert Image.MAX_IMAGE_PIXELS == 89_478_485  # what the documentation says is twice this
