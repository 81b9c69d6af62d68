"""Shards of features: gone on with, damaged, finished."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.data import FeatureStore
from bcls.data.feature_writer import FeatureWriter
from bcls.data.readers.feature_folder import features_beside
from bcls.errors import InputError

ABOUT = {"encoder": "a", "sizes": (1, 2)}


@pytest.fixture
def begun(tmp_path):
    """Two shards of three, at `features/vectors`."""
    folder = tmp_path / "features" / "vectors"
    writer = FeatureWriter(folder, ABOUT)
    writer.write(0, ["a", "b"], np.arange(6.0).reshape(2, 3))
    writer.write(2, ["c"], np.full((1, 3), 7.0))
    return folder


def test_an_unfinished_computation_is_not_seen_as_features(begun, tmp_path):
    assert not begun.exists()
    assert features_beside(tmp_path) == {}
    with pytest.raises(InputError, match="1 of 3 shards are missing"):
        FeatureWriter(begun, ABOUT).finish(3)


def test_goes_on_and_is_finished(begun):
    writer = FeatureWriter(begun, ABOUT)
    assert [writer.ids(number) for number in range(3)] == [["a", "b"], None, ["c"]]
    writer.write(1, [], np.zeros((0, 1)))
    store = writer.finish(3)
    assert store.ids == ["a", "b", "c"]
    assert store.dtype == np.float16
    assert store.about == {"encoder": "a", "sizes": [1, 2]}
    np.testing.assert_array_equal(store.gather(np.array([2, 0])), [[7, 7, 7], [0, 1, 2]])
    assert sorted(file.name for file in begun.iterdir()) == ["000000.npy", "000002.npy", "about.json", "ids.json"]
    assert [place.name for place in begun.parent.iterdir()] == ["vectors"]
    assert FeatureStore.open(begun).about == store.about


def test_what_a_killed_process_left_is_no_shard(begun, tmp_path):
    writer = FeatureWriter(begun, ABOUT)
    shard = next(tmp_path.rglob("000000.npy"))
    left = shard.with_name(".000001.abcd.npy")
    left.write_bytes(shard.read_bytes())
    writer.write(1, [], np.zeros((0, 1)))
    assert writer.finish(3).ids == ["a", "b", "c"]
    assert not list(tmp_path.rglob(".*.npy"))
    (begun / left.name).write_bytes((begun / shard.name).read_bytes())
    assert FeatureStore.open(begun).ids == features_beside(tmp_path)["vectors"].ids == ["a", "b", "c"]


def test_a_damaged_shard_is_not_done(begun):
    shards = begun.with_name(".vectors.part") / "shards"
    (shards / "000000.npy").write_bytes(b"half")
    (shards / "000002.json").write_text("{")
    writer = FeatureWriter(begun, ABOUT)
    assert [writer.ids(number) for number in (0, 2)] == [None, None]


def test_something_else_is_not_gone_on_with(begun):
    with pytest.raises(InputError, match="was begun with another encoder, kind; remove it to begin anew"):
        FeatureWriter(begun, {**ABOUT, "encoder": "b", "kind": "pooled"})


def test_features_that_are_there_are_not_replaced(begun):
    writer = FeatureWriter(begun, ABOUT)
    writer.write(1, ["d"], np.zeros((1, 3)))
    writer.finish(3)
    with pytest.raises(InputError, match="exists already"):
        FeatureWriter(begun, ABOUT)


def test_numbers_out_of_range_are_refused(begun):
    with pytest.raises(InputError, match="not finite in float16"):
        FeatureWriter(begun, ABOUT).write(1, ["d"], np.array([[1e6, 0, 0]]))


def test_no_image_at_all_is_refused(tmp_path):
    writer = FeatureWriter(tmp_path / "vectors", ABOUT)
    writer.write(0, [], np.zeros((0, 1)))
    with pytest.raises(InputError, match="no image could be read"):
        writer.finish(1)
