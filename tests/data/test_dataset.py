"""A data set in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bcls.data import Caption, FeatureStore, RetrievalDataset
from bcls.errors import InputError


def test_captions_come_image_by_image(make_dataset):
    dataset = make_dataset((2, 0, 3))
    assert dataset.image_ids == ["i0", "i1", "i2"]
    assert dataset.caption_ids == ["i0#0", "i0#1", "i2#0", "i2#1", "i2#2"]
    assert dataset.caption_texts[2] == "picture 2 in words 0"
    assert dataset.caption_image.tolist() == [0, 0, 2, 2, 2]
    assert dataset.caption_image.dtype == np.int64


def test_a_split_keeps_the_order_and_counts_its_own_rows(make_dataset):
    dataset = make_dataset((1, 2, 3, 1), splits=["val", "train", "val", "restval"])
    assert dataset.splits == {"val": 2, "train": 1, "restval": 1}
    val = dataset.split("val")
    assert val.image_ids == ["i0", "i2"]
    assert val.caption_image.tolist() == [0, 1, 1, 1]
    assert dataset.split(["restval", "train"]).image_ids == ["i1", "i3"]
    assert dataset.split(["train+restval", "val"]).image_ids == ["i0", "i1", "i2", "i3"]


def test_several_splits_are_joined_by_a_plus(make_dataset):
    dataset = make_dataset()
    both = "+".join(sorted(dataset.splits))
    assert dataset.split(both).image_ids == dataset.split(sorted(dataset.splits)).image_ids == dataset.image_ids
    with pytest.raises(InputError, match="no split 'nothing'"):
        dataset.split(f"{both}+nothing")


def test_a_split_keeps_pictures_and_features(make_dataset):
    store = FeatureStore([np.zeros((2, 1), dtype=np.float16)], ["i1", "i0"], "here")
    val = make_dataset((1, 1), ["train", "val"], Path("pictures"), {"cnn": store}).split("val")
    assert val.image_path(0) == Path("pictures/i1.png")
    assert val.feature_rows("cnn").tolist() == [0]


@pytest.mark.parametrize("names", ["dev", ["train", "dev"]])
def test_an_unknown_split_is_refused(make_dataset, names):
    dataset = make_dataset((1, 1), splits=["train", "val"])
    with pytest.raises(InputError, match="tiny: no split 'dev'; there are train, val"):
        dataset.split(names)


def test_the_hash_is_of_ids_texts_splits_and_order(make_dataset):
    dataset = make_dataset()
    first, *rest = dataset.images
    others = [
        [replace(first, id="x"), *rest],
        [replace(first, split="val"), *rest],
        [replace(first, captions=first.captions[:1]), *rest],
        [replace(first, captions=first.captions[::-1]), *rest],
        [replace(first, captions=(Caption("x", first.captions[0].text), *first.captions[1:])), *rest],
        [replace(first, captions=(Caption("i0#0", "x"), *first.captions[1:])), *rest],
        [*rest, first],
        rest,
    ]
    hashes = [RetrievalDataset("tiny", images).content_hash() for images in others]
    assert len({*hashes, dataset.content_hash()}) == len(others) + 1
    assert RetrievalDataset("another name", dataset.images, Path("here")).content_hash() == dataset.content_hash()


@pytest.mark.parametrize(("folder", "files"), [(None, True), (Path("pictures"), False)])
def test_without_a_picture_the_path_is_refused(make_dataset, folder, files):
    dataset = make_dataset((1,), image_folder=folder, files=files)
    with pytest.raises(InputError, match="tiny: image i0 has no picture file"):
        dataset.image_path(0)


def test_unknown_features_are_refused(make_dataset):
    store = FeatureStore([np.zeros((1, 1), dtype=np.float16)], ["i0"], "here")
    with pytest.raises(InputError, match="tiny: no features 'clip'; there are: cnn"):
        make_dataset((1,), features={"cnn": store}).feature_rows("clip")
    with pytest.raises(InputError, match="no features 'clip'; there are: none"):
        make_dataset((1,)).feature_rows("clip")
    with pytest.raises(InputError, match="here: 1 of 2 images have no features"):
        make_dataset((1, 1), features={"cnn": store}).feature_rows("cnn")
