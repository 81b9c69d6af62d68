"""The reader is chosen by looking at what is there."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bcls.data import read_dataset, write_dataset
from bcls.errors import InputError


def own_folder(folder, make_dataset):
    write_dataset(folder, make_dataset((1, 1)))
    return "tiny"


def karpathy(folder, make_dataset):
    images = [{"filename": name, "split": "train", "sentences": [{"raw": "x"}]} for name in "ab"]
    (folder / "dataset_flickr8k.json").write_text(json.dumps({"dataset": "flickr8k", "images": images}))
    return "flickr8k"


def precomp(folder, make_dataset):
    (folder / "dev_caps.txt").write_text("a\nb\n")
    np.save(folder / "dev_ims.npy", np.eye(2))
    return folder.name


def csv_table(folder, make_dataset):
    (folder / "table.csv").write_text("file,caption\na.png,a dog\nb.png,a cat\n")
    return "table"


def json_table(folder, make_dataset):
    (folder / "table.jsonl").write_text("".join(f'{{"file": "{n}.png", "caption": "a dog"}}\n' for n in "ab"))
    return "table"


@pytest.mark.parametrize("make", [own_folder, karpathy, precomp, csv_table, json_table])
def test_a_folder_of_any_format_is_read(tmp_path, make_dataset, make):
    name = make(tmp_path, make_dataset)
    for path in (tmp_path, str(tmp_path)):
        dataset = read_dataset(path)
        assert (dataset.name, len(dataset.images)) == (name, 2)


@pytest.mark.parametrize(
    ("make", "file"),
    [
        (own_folder, "dataset.json"),
        (karpathy, "dataset_flickr8k.json"),
        (csv_table, "table.csv"),
        (json_table, "table.jsonl"),
    ],
)
def test_the_file_itself_may_be_named(tmp_path, make_dataset, make, file):
    name = make(tmp_path, make_dataset)
    assert read_dataset(tmp_path / file).name == name


def test_the_own_format_comes_first(tmp_path, make_dataset):
    csv_table(tmp_path, make_dataset)
    karpathy(tmp_path, make_dataset)
    assert read_dataset(tmp_path).name == "flickr8k"
    own_folder(tmp_path, make_dataset)
    assert read_dataset(tmp_path).name == "tiny"


def test_two_tables_are_not_guessed_among(tmp_path, make_dataset):
    csv_table(tmp_path, make_dataset)
    json_table(tmp_path, make_dataset)
    with pytest.raises(InputError, match=r"2 files may be the data set \(.*\.csv, .*\.jsonl\): name the file"):
        read_dataset(tmp_path)


def test_two_formats_in_one_folder_are_not_guessed_among(tmp_path, make_dataset):
    karpathy(tmp_path, make_dataset)
    precomp(tmp_path, make_dataset)
    with pytest.raises(InputError, match=r"files may be the data set \(dataset_.*_caps\.txt\): name the file"):
        read_dataset(tmp_path)


def test_two_split_files_are_not_passed_over_for_a_table(tmp_path, make_dataset):
    csv_table(tmp_path, make_dataset)
    karpathy(tmp_path, make_dataset)
    file = next(tmp_path.glob("dataset_*.json"))
    (tmp_path / "dataset_other.json").write_text(file.read_text())
    with pytest.raises(InputError, match=r"2 files may be the data set"):
        read_dataset(tmp_path)


def test_what_is_left_out_is_counted_and_logged(tmp_path, make_dataset, caplog):
    karpathy(tmp_path, make_dataset)
    csv_table(tmp_path, make_dataset)
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "clip.pt").write_bytes(b"")
    dataset = read_dataset(tmp_path)
    assert {kind.example for kind in dataset.left_out} == {"clip.pt", next(tmp_path.glob("*.csv")).name}
    assert caplog.text.count("left out: 1 ") == 2
    assert dataset.split(next(iter(dataset.splits))).left_out == dataset.left_out


def test_what_is_no_data_set_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InputError, match=f"{tmp_path.name}: no data set of a known format"):
        read_dataset(tmp_path)
    with pytest.raises(InputError, match=r"notes\.txt: not a data set"):
        read_dataset(tmp_path / "notes.txt")
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        read_dataset(tmp_path / "nowhere")


def test_flickr8k_is_recognised(flickr8k):
    assert read_dataset(flickr8k).splits == {"train": 6000, "val": 1000}
