"""Karpathy's split files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bcls.data import Caption, ImageRecord, check_dataset, read_karpathy
from bcls.errors import InputError


def sentence(text, number=0):
    return {"tokens": text.split(), "raw": text, "imgid": 0, "sentid": number}


def entry(name, *texts, **more):
    return {
        "filename": name,
        "split": "train",
        "sentences": [sentence(text, 10 + n) for n, text in enumerate(texts)],
    } | more


@pytest.fixture
def write(tmp_path):
    def written(content, name="dataset_tiny.json"):
        file = tmp_path / name
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    return written


def test_captions_are_named_by_file_and_place(write):
    file = write({"dataset": "flickr8k", "images": [entry("a.jpg", "a dog", "A brown dog .")]})
    dataset = read_karpathy(file)
    assert dataset.name == "flickr8k"
    assert dataset.images == (
        ImageRecord("a.jpg", "a.jpg", "train", (Caption("a.jpg#0", "a dog"), Caption("a.jpg#1", "A brown dog ."))),
    )


def test_coco_has_folders_sentence_ids_and_splits_of_its_own(write):
    first = entry("a.jpg", "a dog", "a cat", filepath="val2014", cocoid=5, split="restval")
    dataset = read_karpathy(write({"images": [first, entry("b.jpg", "a cow", cocoid=6)]}, "dataset_coco.json"))
    assert dataset.name == "coco"
    assert dataset.images[0].file == "val2014/a.jpg"
    assert dataset.caption_ids == ["10", "11", "10"]
    assert dataset.splits == {"restval": 1, "train": 1}
    assert dataset.split(["train", "restval"]).image_ids == ["a.jpg", "b.jpg"]


def test_pictures_and_features_beside_it_are_found(write, tmp_path, write_pictures, save_array):
    file = write({"images": [entry("i0.png", "a dog")]})
    assert (read_karpathy(file).image_folder, read_karpathy(file).features) == (None, {})
    write_pictures(tmp_path / "images", 1)
    save_array(tmp_path / "features" / "cnn.npy", (1, 4), ["i0.png"])
    dataset = read_karpathy(file)
    assert dataset.image_path(0).is_file()
    assert check_dataset(dataset) == []
    assert dataset.features["cnn"].shape == (1, 4)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"split": "train", "sentences": []}, "filename"),
        (entry("b.jpg", split=None), "split is None"),
        ({"filename": "b.jpg", "split": "train"}, "sentences"),
        (entry("b.jpg", sentences=None), "not iterable"),
        (entry("b.jpg", sentences=["a dog"]), "indices"),
        (entry("b.jpg", sentences=[{"tokens": ["a"]}]), "raw"),
        (entry("b.jpg", sentences=[{"raw": None}]), "raw is None, not text"),
        (entry("b.jpg", "a dog", cocoid=1, sentences=[{"raw": "a dog"}]), "sentid"),
        (entry("b.jpg", "a dog", filepath=3), ""),
        (entry(None, "a dog"), "filename is None"),
        ("b.jpg", ""),
        (None, ""),
        ([], ""),
    ],
)
def test_a_malformed_entry_is_named_by_its_place(write, bad, message):
    file = write({"images": [entry("a.jpg", "a dog"), bad]})
    with pytest.raises(
        InputError, match=rf"dataset_tiny\.json: images\[1\]: needs filename, split and sentences with raw .*{message}"
    ):
        read_karpathy(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"images": [\n{]}', "line 2: not JSON"),
        ("[]", "not a Karpathy split file"),
        ("{}", "not a Karpathy split file"),
        ('{"images": {"a": 1}}', "not a Karpathy split file"),
    ],
)
def test_another_file_is_refused(write, content, message):
    with pytest.raises(InputError, match=rf"dataset_tiny\.json: {message}"):
        read_karpathy(write(content))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"dataset_x\.json: no such file"):
        read_karpathy(tmp_path / "dataset_x.json")


@pytest.fixture(scope="module")
def real(flickr8k):
    return read_karpathy(flickr8k / "dataset_flickr8k.json")


def test_flickr8k_is_read_whole(real, flickr8k):
    entries = json.loads((flickr8k / "dataset_flickr8k.json").read_text())["images"]
    assert real.name == "flickr8k"
    assert real.splits == {"train": 6000, "val": 1000}
    assert real.image_ids == [each["filename"] for each in entries]
    assert real.caption_texts == [part["raw"] for each in entries for part in each["sentences"]]
    assert real.caption_ids[5:7] == [f"{entries[1]['filename']}#0", f"{entries[1]['filename']}#1"]


def test_every_photograph_of_flickr8k_has_features(real):
    assert real.features["cnn_pooled"].shape == (7000, 2304)
    assert real.features["cnn_regions"].shape == (7000, 9, 256)
    for name, store in real.features.items():
        assert store.dtype == np.float16
        assert len(set(real.feature_rows(name).tolist())) == 7000


def test_the_val_photographs_of_flickr8k_have_no_fatal_problem(real):
    problems = check_dataset(real.split("val"), features=["cnn_pooled"])
    assert [str(problem) for problem in problems if problem.fatal] == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1, "caption": "x"}]}, "of COCO"),
        ([{"image": "a.jpg", "caption": ["x", "y"]}], "as ALBEF, BLIP and LAVIS use"),
        ([], "an object with a list 'images' is expected"),
    ],
)
def test_other_files_of_the_field_are_called_what_they_are(tmp_path, content, message):
    (tmp_path / "captions_val2017.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"captions_val2017\.json: not a Karpathy split file: .*{message}"):
        read_karpathy(tmp_path / "captions_val2017.json")


def test_sentences_that_are_fewer_than_their_ids_are_counted(tmp_path):
    images = [
        {"filename": f"{name}.jpg", "split": "train", "sentids": ids, "sentences": [{"raw": "x"}]}
        for name, ids in (("a", [0]), ("b", [1, 2, 3, 4, 5]), ("c", []))
    ]
    (tmp_path / "dataset_x.json").write_text(json.dumps({"dataset": None, "images": images}))
    dataset = read_karpathy(tmp_path / "dataset_x.json")
    (kind,) = dataset.left_out
    assert (kind.count, kind.example, dataset.name) == (2, "b.jpg", "x")
