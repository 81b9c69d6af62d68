"""Images in blocks, in order: what can be read comes as the tower takes it, what cannot is told with its reason."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bcls.data import ImageRecord, RetrievalDataset, read_dataset, write_features
from bcls.embedding.images import BLOCK, FeatureReader, PictureReader, image_reader
from bcls.embedding.shards import Broken
from bcls.errors import InputError
from bcls.models import RetrievalModel
from bcls.pictures import open_picture


def size_and_colour(pictures) -> torch.Tensor:
    """Of one picture: width, height, and its first pixel."""
    return torch.tensor([[*picture.size, *picture.getpixel((0, 0))] for picture in pictures])


@pytest.fixture
def pictures(collection):
    return PictureReader(read_dataset(collection), size_and_colour, 3)


def told(blocks):
    return [(block.rows, block.images.tolist(), block.broken) for block in blocks]


def test_pictures_come_in_order_as_the_tower_takes_them(pictures, collection):
    rows = [7, 0, 3]
    files = [collection / "images" / f"p{row}.png" for row in rows]
    expected = [size_and_colour([open_picture(file)])[0].tolist() for file in files]
    assert told(pictures.blocks(rows)) == [(rows, expected, [])]


def test_no_rows_are_no_blocks(pictures, collection):
    assert list(pictures.blocks([])) == []
    assert list(FeatureReader(read_dataset(collection), "vectors").blocks([])) == []


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> RetrievalDataset:
    """150 pictures of sizes of their own; every seventh cannot be read."""
    folder = tmp_path_factory.mktemp("many")
    images = []
    for number in range(150):
        file = folder / f"{number}.png"
        if number % 7:
            Image.new("RGB", (1 + number, 1)).save(file)
        else:
            file.write_bytes(b"no picture")
        images.append(ImageRecord(str(number), file.name, "all", ()))
    return RetrievalDataset("many", images, folder)


@given(st.lists(st.integers(0, 149), unique=True, max_size=150), st.integers(1, 5))
@settings(deadline=None, max_examples=10)
def test_any_rows_in_any_order_on_any_number_of_threads(many, rows, workers):
    blocks = list(PictureReader(many, size_and_colour, workers).blocks(rows))
    assert [len(block.rows) + len(block.broken) for block in blocks] == [
        len(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)
    ]
    assert [row for block in blocks for row in block.rows] == [row for row in rows if row % 7]
    assert [one.id for block in blocks for one in block.broken] == [str(row) for row in rows if row % 7 == 0]
    for block in blocks:
        assert block.images.reshape(-1, 5)[:, 0].tolist() == [1 + row for row in block.rows]


def test_what_cannot_be_read_is_told_with_its_reason_and_the_others_go_on(pictures, collection):
    (collection / "images" / "p1.png").unlink()
    (collection / "images" / "p2.png").write_bytes(b"no picture")
    ((block),) = pictures.blocks(range(4))
    assert block.rows == [0, 3]
    gone, spoilt = block.broken
    assert (gone.id, gone.file) == ("p1", "p1.png")
    assert gone.why == f"{collection / 'images' / 'p1.png'}: no such picture"
    assert (spoilt.id, spoilt.file) == ("p2", "p2.png")
    assert spoilt.why.startswith(f"{collection / 'images' / 'p2.png'}: not a readable picture (")
    assert "bcls data check" not in spoilt.why


def test_a_block_of_nothing_but_broken_files_is_told_too(pictures, collection):
    for number in (4, 5):
        (collection / "images" / f"p{number}.png").unlink()
    ((block),) = pictures.blocks([4, 5])
    assert (block.rows, len(block.images), [one.id for one in block.broken]) == ([], 0, ["p4", "p5"])


@pytest.mark.parametrize(("error", "why"), [(RuntimeError("odd"), "odd"), (MemoryError(), "MemoryError")])
def test_whatever_a_tower_stumbles_over_is_told(collection, error, why):
    def prepare(pictures):
        if pictures[0].size[0] == 23:
            raise error
        return size_and_colour(pictures)

    ((block),) = PictureReader(read_dataset(collection), prepare, 2).blocks(range(5))
    assert block.rows == [0, 1, 2, 4]
    assert block.broken == [Broken("p3", "p3.png", why)]


def test_whether_a_file_is_readable_is_looked_at_anew(pictures, collection):
    file = collection / "images" / "p0.png"
    whole = file.read_bytes()
    assert pictures.readable(0)
    assert pictures.broken(0) is None
    file.write_bytes(whole[:30])
    assert not pictures.readable(0)
    assert pictures.broken(0).id == "p0"
    file.write_bytes(whole)
    assert pictures.readable(0)


def test_files_are_read_by_as_many_threads_as_were_asked_for(collection):
    meeting = threading.Barrier(3, timeout=10)

    def prepare(pictures):
        meeting.wait()
        return size_and_colour(pictures)

    ((block),) = PictureReader(read_dataset(collection), prepare, 3).blocks(range(9))
    assert block.rows == list(range(9))


FEATURES = np.random.default_rng(1).normal(size=(10, 6))


def test_whoever_stops_early_does_not_wait_for_the_rest(many):
    read = []

    def slowly(pictures) -> torch.Tensor:
        time.sleep(0.01)
        read.append(pictures)
        return torch.zeros(1, 1)

    reader = PictureReader(many, slowly, 1)
    blocks = reader.blocks(range(150))
    next(blocks)
    blocks.close()
    reader._pool.shutdown()
    assert len(read) < BLOCK + 10


def test_features_come_in_order(collection):
    ((block),) = FeatureReader(read_dataset(collection), "vectors").blocks([7, 0, 3])
    np.testing.assert_array_equal(block.images.numpy(), FEATURES[[7, 0, 3]].astype(np.float16))
    assert (block.rows, block.broken) == ([7, 0, 3], [])


def with_features(collection, values) -> FeatureReader:
    """Features of the first few images, with values that no features should have."""
    folder = collection / "features" / "few"
    write_features(folder, [f"p{row}" for row in range(len(values))], [np.nan_to_num(values, posinf=0)])
    np.save(folder / "00000.npy", values.astype(np.float16))
    return FeatureReader(read_dataset(collection), "few")


@pytest.mark.parametrize("shape", [(6,), (3, 6)])
def test_an_image_without_finite_features_is_told(collection, shape):
    values = np.random.default_rng(0).normal(size=(8, *shape))
    values[2].flat[-1] = np.nan
    values[5].flat[0] = np.inf
    reader = with_features(collection, values)
    ((block),) = reader.blocks([9, 5, 4, 2, 8, 0])
    assert block.rows == [4, 0]
    np.testing.assert_array_equal(block.images.numpy(), values[[4, 0]].astype(np.float16))
    assert block.broken == [
        Broken("p9", "p9.png", "no row in the features few"),
        Broken("p5", "p5.png", "not finite in the features few"),
        Broken("p2", "p2.png", "not finite in the features few"),
        Broken("p8", "p8.png", "no row in the features few"),
    ]
    assert [reader.readable(row) for row in (0, 2, 9)] == [True, False, False]


def test_a_block_of_images_without_features_is_told(collection):
    reader = with_features(collection, np.ones((1, 6)))
    ((block),) = reader.blocks([4, 5])
    assert (block.rows, len(block.images), [one.id for one in block.broken]) == ([], 0, ["p4", "p5"])


def test_features_that_there_are_not_are_refused(collection):
    with pytest.raises(InputError) as error:
        FeatureReader(read_dataset(collection), "regions")
    assert str(error.value).endswith(": no features 'regions'; there are: vectors")
    with pytest.raises(InputError, match="no features 'x'; there are: none"):
        FeatureReader(RetrievalDataset("bare", [], None), "x")


def test_a_tower_gets_what_it_takes_or_is_refused(collection, picture_model, feature_model):
    dataset = read_dataset(collection)
    of_pictures, of_features = (RetrievalModel.from_pretrained(path) for path in (picture_model, feature_model))
    assert isinstance(image_reader(dataset, None, of_pictures, 1), PictureReader)
    assert isinstance(image_reader(dataset, "vectors", of_features, 1), FeatureReader)
    ((block),) = image_reader(dataset, None, of_pictures, 1).blocks([0, 1])
    assert block.images.shape == (2, 3, 16, 16)
    with pytest.raises(InputError) as error:
        image_reader(dataset, None, of_features, 1)
    assert str(error.value) == (
        f"PooledFeatureTower takes features, not pictures: name them with --features (vectors are in {dataset.name})"
    )
    with pytest.raises(InputError, match=r"^ConvTower takes pictures: leave --features out$"):
        image_reader(dataset, "vectors", of_pictures, 1)
    with pytest.raises(InputError, match="no features 'x'"):
        image_reader(dataset, "x", of_features, 1)
