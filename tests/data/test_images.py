"""Images of a batch."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from PIL import Image

from bcls.data import FeatureStore
from bcls.data.images import FeatureImages, PictureImages, open_picture
from bcls.errors import InputError


@pytest.mark.parametrize("shape", [(4, 3), (4, 2, 3)])
def test_features_are_those_of_the_images_rows(shape):
    features = np.random.default_rng(0).random(shape).astype(np.float16)
    images = FeatureImages(FeatureStore([features[:1], features[1:]], list("abcd"), "here"), np.array([3, 1, 0]))
    assert len(images) == 3
    given = images.gather(np.array([2, 0, 2]))
    assert given.dtype == torch.float16
    np.testing.assert_array_equal(given.numpy(), features[[0, 3, 0]])


class Prepare:
    """Turns pictures into their first pixel and counts."""

    def __init__(self):
        self.seen = []
        self._lock = threading.Lock()

    def __call__(self, pictures):
        values = [float(picture.getpixel((0, 0))[0]) for picture in pictures]
        with self._lock:
            self.seen += values
        return torch.tensor(values)[:, None]


@pytest.fixture
def paths(tmp_path, write_pictures):
    folder = write_pictures(tmp_path, 8)
    return [folder / f"i{row}.png" for row in range(8)]


@pytest.mark.parametrize("threads", [1, 4])
def test_pictures_come_in_the_order_asked_for(paths, threads):
    images = PictureImages(paths, Prepare(), threads=threads)
    assert len(images) == 8
    for rows in ([5, 0, 7, 5, 1], [3, 2, 1, 0, 6, 7]):
        assert images.gather(np.array(rows)).tolist() == [[10.0 * row] for row in rows]


def test_a_picture_in_memory_is_not_read_again(paths):
    prepare = Prepare()
    images = PictureImages(paths, prepare)
    images.gather(np.array([0, 1]))
    paths[0].unlink()
    assert images.gather(np.array([1, 0, 2])).tolist() == [[10.0], [0.0], [20.0]]
    assert sorted(prepare.seen) == [0.0, 10.0, 20.0]


@pytest.mark.parametrize(("cache_bytes", "reads"), [(0, 16), (3 * 4, 13), (8 * 4, 8)])
def test_memory_for_pictures_is_bounded(paths, cache_bytes, reads):
    prepare = Prepare()
    images = PictureImages(paths, prepare, cache_bytes=cache_bytes, threads=1)
    for _ in range(2):
        assert images.gather(np.arange(8)).flatten().tolist() == [10.0 * row for row in range(8)]
    assert len(prepare.seen) == reads


def test_a_broken_picture_reaches_the_caller_and_the_next_batch_is_fine(paths):
    paths[1].write_bytes(b"no picture")
    images = PictureImages(paths, Prepare())
    with pytest.raises(InputError, match=r"i1\.png: not a readable picture"):
        images.gather(np.array([0, 1, 2]))
    assert images.gather(np.array([2])).tolist() == [[20.0]]


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


def test_what_is_transparent_is_white(tmp_path):
    Image.new("RGBA", (5, 3), (7, 7, 7, 0)).save(tmp_path / "p.png")
    assert open_picture(tmp_path / "p.png").getpixel((2, 1)) == (255, 255, 255)


def test_a_missing_picture_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.png: no such picture; run `bcls data check`"):
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
