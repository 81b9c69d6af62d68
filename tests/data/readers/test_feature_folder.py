"""Features that lie beside a data set."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.data.left_out import Tally
from bcls.data.readers.feature_folder import features_beside
from bcls.errors import InputError


def test_without_a_folder_there_are_none(tmp_path):
    assert features_beside(tmp_path) == {}
    (tmp_path / "features").write_text("a file")
    assert features_beside(tmp_path) == {}


def test_folders_of_shards_and_single_files_are_named_after_themselves(tmp_path, save_array):
    place = tmp_path / "features"
    save_array(place / "clip-b.32" / "0.npy", (2, 3), ["a", "b"])
    save_array(place / "clip-b.16" / "0.npy", (1, 3), ["a"])
    pooled = save_array(place / "cnn_pooled.npy", (2, 4), ["b", "a"])
    save_array(place / "cnn_regions.npy", (2, 3, 4))
    (place / "notes").mkdir()
    found = features_beside(tmp_path)
    assert {name: store.shape for name, store in found.items()} == {
        "clip-b.32": (2, 3),
        "clip-b.16": (1, 3),
        "cnn_pooled": (2, 4),
        "cnn_regions": (2, 3, 4),
    }
    np.testing.assert_array_equal(found["cnn_pooled"].gather(found["cnn_pooled"].rows(["a"])), pooled[1:])


def test_ids_that_do_not_fit_are_refused_by_name(tmp_path, save_array):
    save_array(tmp_path / "features" / "cnn.npy", (2, 4), ["a"])
    with pytest.raises(InputError, match=r"cnn\.npy: 2 rows of features, but 1 ids"):
        features_beside(tmp_path)


def test_missing_ids_are_named(tmp_path, save_array):
    save_array(tmp_path / "features" / "cnn" / "0.npy", (2, 4))
    with pytest.raises(InputError, match=r"cnn/ids\.json: no such file"):
        features_beside(tmp_path)


def test_a_truncated_shard_is_named(tmp_path, save_array):
    save_array(tmp_path / "features" / "cnn" / "0.npy", (2, 4), ["a", "b", "c"])
    save_array(tmp_path / "features" / "cnn" / "1.npy", (1, 4))
    file = tmp_path / "features" / "cnn" / "1.npy"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"cnn/1\.npy: not a readable \.npy array"):
        features_beside(tmp_path)


def test_what_is_not_read_is_counted_with_an_example(tmp_path, save_array):
    place = tmp_path / "features"
    save_array(place / "cnn" / "0.NPY", (1, 3), ["a"])
    (place / "cnn" / "0.NPY.npy").rename(place / "cnn" / "0.NPY")
    for name in ("cnn/1.pt", "clip.npz", "vit.h5", ".hidden"):
        (place / name).write_bytes(b"")
    (place / "notes").mkdir()
    tally = Tally()
    assert list(features_beside(tmp_path, tally)) == ["cnn"]
    assert {(kind.count, kind.example) for kind in tally.kinds()} == {(3, "clip.npz"), (1, "cnn/1.pt")}


def test_a_folder_and_a_file_of_one_name_are_refused(tmp_path, save_array):
    save_array(tmp_path / "features" / "cnn" / "0.npy", (1, 3), ["a"])
    save_array(tmp_path / "features" / "cnn.npy", (1, 3), ["a"])
    with pytest.raises(InputError, match="two features are named 'cnn'"):
        features_beside(tmp_path)


def test_a_shard_that_is_a_link_to_nothing_is_named(tmp_path, save_array):
    save_array(tmp_path / "features" / "cnn" / "0.npy", (1, 3), ["a"])
    (tmp_path / "features" / "cnn" / "1.npy").symlink_to("annex/gone.npy")
    with pytest.raises(InputError, match=r"cnn/1\.npy: not a readable \.npy array .*No such file"):
        features_beside(tmp_path)
