"""Given relevance of every kind of file, by one reader."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bcls.data.relevance_files import file_of, read_relevance_file
from bcls.errors import InputError

ROWS, COLUMNS = np.arange(3), np.arange(6)


@pytest.fixture
def part(make_dataset):
    return make_dataset((2, 1, 3))


def whole(path, part, **scale):
    return read_relevance_file(path, part, **scale).matrix(ROWS, COLUMNS)


def test_a_table_and_a_matrix_say_the_same(tmp_path, part):
    matrix = np.full((3, 6), np.nan, dtype=np.float32)
    matrix[part.caption_image, COLUMNS] = 1
    matrix[0, 3], matrix[2, 0], matrix[1, 2] = 0.5, 0.25, 0.75
    (tmp_path / "t.csv").write_text("image_id,caption_id,score\ni0,i2#0,0.5\ni2,i0#0,0.25\ni1,i1#0,0.75\n")
    np.save(tmp_path / "m.npy", matrix)
    save_file({"relevance": torch.from_numpy(matrix), "other": torch.zeros(1)}, tmp_path / "m.safetensors")
    for name in ("t.csv", "m.npy", "m.safetensors:relevance"):
        np.testing.assert_array_equal(whole(f"{tmp_path}/{name}", part), matrix)
        assert file_of(f"{tmp_path}/{name}").is_file()


def test_the_scale_holds_for_tables_and_matrices(tmp_path, part):
    (tmp_path / "t.csv").write_text("image_id,caption_id,score\ni0,i2#0,4\n")
    assert whole(tmp_path / "t.csv", part, lowest=1.0, highest=5.0)[0, 3] == 0.75
    np.save(tmp_path / "m.npy", np.full((3, 6), 4))
    assert (whole(tmp_path / "m.npy", part, lowest=1.0, highest=5.0) == 0.75).all()
    np.save(tmp_path / "hole.npy", np.array([[np.nan] * 6] * 3))
    assert np.isnan(whole(tmp_path / "hole.npy", part, lowest=1.0, highest=5.0)).all()


@pytest.mark.parametrize(
    ("array", "scale", "message"),
    [
        (np.zeros((6, 3)), {}, "must be the images and its columns the captions"),
        (np.full((3, 6), 4.0), {}, r"row 0, column 0 is 4\.0, not between 0 and 1"),
        (np.full((3, 6), 6.0), {"lowest": 1.0, "highest": 5.0}, r"6\.0 at \[0, 0\] is not in \[1, 5\]"),
        (np.full((3, 6), 1.0), {"lowest": 5.0, "highest": 1.0}, "must be above lowest"),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused(tmp_path, part, array, scale, message):
    np.save(tmp_path / "m.npy", array)
    with pytest.raises(InputError, match=message):
        whole(tmp_path / "m.npy", part, **scale)


@pytest.mark.parametrize("name", ["m.txt", "m.npz", "m", "m.csv.gz"])
def test_a_file_of_another_kind_is_refused(tmp_path, part, name):
    (tmp_path / name).touch()
    with pytest.raises(
        InputError, match=r"read from a table \(\.csv, \.parquet\) or a matrix \(\.npy, \.safetensors\)"
    ):
        whole(tmp_path / name, part)
