"""Thumbnails: made once, made anew when the file changes, forgotten when there is no room."""

from __future__ import annotations

import asyncio
import io
import os
import threading

import pytest
from PIL import Image

import bcls.server.thumbnails as room
from bcls.errors import InputError
from bcls.server.thumbnails import Thumbnails, tag_of


@pytest.fixture
def made(monkeypatch):
    """Which files thumbnails were made of, in order."""
    contents = []

    def counting(content, **settings):
        contents.append(content)
        return making(content, **settings)

    making = room.thumbnail_of
    monkeypatch.setattr(room, "thumbnail_of", counting)
    return contents


@pytest.fixture
def thumbnails():
    """Makes collections of thumbnails, whose threads end with the test."""
    opened = []

    def make(**settings):
        opened.append(Thumbnails(**({"side": 16, "max_pixels": 10_000, "room": 1 << 20} | settings)))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def picture(path, colour="red", size=(80, 40)):
    Image.new("RGB", size, colour).save(path)
    return path


def colour_of(jpeg: bytes) -> str:
    red, _, blue = Image.open(io.BytesIO(jpeg)).convert("RGB").getpixel((0, 0))
    return "red" if red > blue else "blue"


def test_a_thumbnail_is_a_small_jpeg_of_the_same_shape(thumbnails, tmp_path):
    found = Image.open(io.BytesIO(asyncio.run(thumbnails().of(picture(tmp_path / "a.png")))))
    assert (found.format, found.size) == ("JPEG", (16, 8))


def test_it_is_made_once(thumbnails, made, tmp_path):
    kept, path = thumbnails(), picture(tmp_path / "a.png")
    first, second = asyncio.run(kept.of(path)), asyncio.run(kept.of(path))
    assert first == second
    assert len(made) == 1


def test_whoever_asks_meanwhile_waits_for_the_same_one(thumbnails, made, tmp_path):
    kept, path = thumbnails(), picture(tmp_path / "a.png")

    async def many():
        return await asyncio.gather(*(kept.of(path) for _ in range(5)))

    assert len(set(asyncio.run(many()))) == 1
    assert len(made) == 1


def test_whoever_gives_up_does_not_take_it_from_the_others(thumbnails, monkeypatch, tmp_path):
    kept, path, go = thumbnails(), picture(tmp_path / "a.png"), threading.Event()
    monkeypatch.setattr(room, "thumbnail_of", lambda content, **settings: go.wait(10) and b"made")

    async def two():
        impatient, patient = (asyncio.create_task(kept.of(path)) for _ in range(2))
        await asyncio.sleep(0.01)
        impatient.cancel()
        await asyncio.sleep(0.01)
        go.set()
        return await asyncio.gather(impatient, patient, return_exceptions=True)

    gave_up, waited = asyncio.run(two())
    assert isinstance(gave_up, asyncio.CancelledError)
    assert waited == b"made"


def test_a_file_that_has_changed_is_read_again(thumbnails, made, tmp_path):
    kept, path = thumbnails(), picture(tmp_path / "a.png", "red")
    assert colour_of(asyncio.run(kept.of(path))) == "red"
    picture(path, "blue")
    os.utime(path, ns=(1, 1))
    assert colour_of(asyncio.run(kept.of(path))) == "blue"
    assert len(made) == 2


def test_what_does_not_fit_is_made_again(thumbnails, made, tmp_path):
    paths = [picture(tmp_path / f"{colour}.png", colour) for colour in ("red", "blue")]
    sizes = [len(asyncio.run(thumbnails().of(path))) for path in paths]
    made.clear()
    kept = thumbnails(room=max(sizes))
    for path in (*paths, paths[1], paths[0]):
        asyncio.run(kept.of(path))
    assert len(made) == 3  # the last one asked for stays, the one before it is gone


def test_what_is_no_picture_or_too_large_is_refused_each_time(thumbnails, tmp_path):
    kept = thumbnails()
    (tmp_path / "a.png").write_bytes(b"no picture")
    for _ in range(2):
        with pytest.raises(InputError, match="not a picture that can be read"):
            asyncio.run(kept.of(tmp_path / "a.png"))
    with pytest.raises(InputError, match="pixels"):
        asyncio.run(kept.of(picture(tmp_path / "b.png", size=(200, 51))))


def test_a_file_that_failed_is_made_once_it_is_mended(thumbnails, tmp_path):
    kept, path = thumbnails(), tmp_path / "a.png"
    path.write_bytes(b"no picture")
    with pytest.raises(InputError):
        asyncio.run(kept.of(path))
    assert colour_of(asyncio.run(kept.of(picture(path, "blue")))) == "blue"


def test_a_file_that_is_gone_is_not_given_out_from_memory(thumbnails, tmp_path):
    kept, path = thumbnails(), picture(tmp_path / "a.png")
    asyncio.run(kept.of(path))
    path.unlink()
    with pytest.raises(FileNotFoundError):
        asyncio.run(kept.of(path))


def test_a_tag_tells_contents_apart_and_is_quoted():
    assert tag_of(b"a") == tag_of(b"a") != tag_of(b"b")
    assert tag_of(b"")[0] == tag_of(b"")[-1] == '"'
    assert len(tag_of(b"")) == 34
