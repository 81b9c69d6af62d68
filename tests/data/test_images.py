"""Images of a batch."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from bcls.data import FeatureStore
from bcls.data.images import FeatureImages, PictureImages
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
