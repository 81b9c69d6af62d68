"""The package's own format."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.data import Caption, ImageRecord, RetrievalDataset, read_folder, write_dataset
from bcls.errors import InputError

words = st.text(st.characters(exclude_categories=["Cs"]))
records = st.builds(
    ImageRecord,
    id=words,
    file=st.none() | words,
    split=words,
    captions=st.lists(st.builds(Caption, id=words, text=words), max_size=3).map(tuple),
)


@given(images=st.lists(records, max_size=4), name=words)
@settings(deadline=None, max_examples=50)
def test_what_was_written_comes_back(tmp_path_factory, images, name):
    folder = tmp_path_factory.mktemp("written")
    write_dataset(folder, RetrievalDataset(name, images))
    read = read_folder(folder)
    assert read.images == tuple(images)
    assert read.name == name


@pytest.fixture
def folder(tmp_path, make_dataset):
    write_dataset(tmp_path / "set", make_dataset(splits=["train", "val", "train"]))
    return tmp_path / "set"


def test_the_file_tells_what_is_there(folder):
    about = json.loads((folder / "dataset.json").read_text())
    assert about["splits"] == {"train": 2, "val": 1}
    assert (about["images"], about["captions"]) == (3, 6)
    assert about["content_hash"] == read_folder(folder).content_hash()


def test_pictures_and_features_are_found(folder, write_pictures, save_array):
    assert read_folder(folder).image_folder is None
    write_pictures(folder / "images", 3)
    save_array(folder / "features" / "cnn" / "0.npy", (3, 2), ["i2", "i0", "i1"])
    dataset = read_folder(folder)
    assert dataset.image_path(1) == folder / "images" / "i1.png"
    assert dataset.feature_rows("cnn").tolist() == [1, 2, 0]


def test_a_record_may_leave_out_its_file_and_have_a_number_as_id(tmp_path, write_lines):
    (tmp_path / "dataset.json").write_text('{"name": "tiny", "version": 1}')
    rows = [{"id": 7, "split": "train", "captions": [{"id": 0, "text": "a dog"}]}, "", "  "]
    write_lines(tmp_path / "images.jsonl", rows)
    assert read_folder(tmp_path).images == (ImageRecord("7", None, "train", (Caption("0", "a dog"),)),)


def good(**changes):
    return {"id": "a", "file": None, "split": "train", "captions": [{"id": "0", "text": "x"}]} | changes


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"id": "a"', "not JSON"),
        ("[1, 2]", "not a JSON object"),
        ({"id": "a", "split": "train"}, "needs id, split and captions with id and text .*captions"),
        (good(captions=None), "needs id"),
        (good(captions=["a dog"]), "needs id"),
        (good(captions="a dog"), "needs id"),
        (good(captions=[{"id": "0"}]), "needs id.*text"),
        (good(captions=[{"id": "0", "text": None}]), "text is None, not text"),
        (good(id=None), "id is None"),
        (good(split=3), "split is 3"),
        (good(file=5), "file is 5"),
    ],
)
def test_a_malformed_record_is_named_by_its_line(folder, write_lines, row, message):
    write_lines(folder / "images.jsonl", [good(), "", row])
    with pytest.raises(InputError, match=rf"images\.jsonl: line 3: .*{message}"):
        read_folder(folder)


def test_a_record_that_is_not_utf8_is_named_by_its_line(folder):
    with (folder / "images.jsonl").open("ab") as file:
        file.write(b'{"id": "caf\xe9"}\n')
    with pytest.raises(InputError, match=r"images\.jsonl: line 4: not UTF-8 text"):
        read_folder(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "line 1: not JSON"),
        ("[]", "must hold a name and version 1"),
        ('{"name": "tiny", "version": 2}', "must hold a name and version 1"),
        ('{"version": 1}', "must hold a name and version 1"),
    ],
)
def test_a_malformed_dataset_file_is_named(folder, content, message):
    (folder / "dataset.json").write_text(content)
    with pytest.raises(InputError, match=rf"dataset\.json: {message}"):
        read_folder(folder)


@pytest.mark.parametrize("name", ["dataset.json", "images.jsonl"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: no such file"):
        read_folder(folder)


def test_records_that_changed_are_refused_until_that_is_said_to_be_meant(folder):
    records_file = folder / "images.jsonl"
    records_file.write_text(records_file.read_text().replace("picture 0", "painting 0", 1))
    with pytest.raises(InputError, match=r"images\.jsonl has changed.*remove content_hash"):
        read_folder(folder)
    about = json.loads((folder / "dataset.json").read_text())
    del about["content_hash"]
    (folder / "dataset.json").write_text(json.dumps(about))
    assert read_folder(folder).caption_texts[0] == "painting 0 in words 0"
