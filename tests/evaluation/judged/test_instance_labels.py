"""Kinds of objects from COCO's instance annotations."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation.judged.instance_labels import CATEGORIES, read_instance_labels


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("instances")


def read(folder, content):
    path = folder / "instances.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_instance_labels(path)


@given(st.lists(st.tuples(st.integers(1, 600_000) | st.integers(1, 4), st.integers(1, CATEGORIES)), min_size=1))
@settings(deadline=None, max_examples=40)
def test_every_annotation_marks_its_image_and_nothing_else_does(folder, pairs):
    images, labels = read(folder, {"annotations": [{"image_id": i, "category_id": c, "area": 1.5} for i, c in pairs]})
    assert images.tolist() == sorted({image for image, _ in pairs})
    assert labels.shape == (images.size, CATEGORIES)
    assert labels.dtype == np.bool_
    row, column = np.nonzero(labels)
    assert set(zip(images[row].tolist(), (column + 1).tolist(), strict=True)) == set(pairs)


def test_the_first_and_the_last_kind_have_the_outer_columns(folder):
    _, labels = read(folder, {"annotations": [{"image_id": 3, "category_id": kind} for kind in (90, 1)]})
    assert np.flatnonzero(labels[0]).tolist() == [0, 89]


@pytest.mark.parametrize("content", [[], {}, {"annotations": []}, {"annotations": {"image_id": 1}}, 7, None])
def test_a_file_that_annotates_nothing_is_refused(folder, content):
    with pytest.raises(InputError, match=r"instances\.json: not COCO's instance annotations"):
        read(folder, content)


@pytest.mark.parametrize(
    ("entry", "got"),
    [
        ({"image_id": 5, "category_id": 0}, "got 5 and 0"),
        ({"image_id": 5, "category_id": 91}, "got 5 and 91"),
        ({"image_id": 5, "category_id": -1}, "got 5 and -1"),
        ({"image_id": 5, "category_id": 1.0}, "got 5 and 1.0"),
        ({"image_id": "5", "category_id": 1}, "got '5' and 1"),
        ({"category_id": 1}, "got None and 1"),
        ({"image_id": 5}, "got 5 and None"),
        ([5, 1], "got "),
        (None, "got "),
    ],
)
def test_an_entry_of_another_form_is_named_by_its_place(folder, entry, got):
    content = {"annotations": [{"image_id": 1, "category_id": 1}, entry]}
    message = rf"annotations\[1\] needs an image_id and a category_id of 1 to 90, {got}"
    with pytest.raises(InputError, match=message):
        read(folder, content)


def test_what_is_no_json_or_not_there_is_refused(folder):
    with pytest.raises(InputError, match=r"instances\.json: line 1: not JSON"):
        read(folder, "{")
    with pytest.raises(InputError, match=r"nowhere\.json: no such file"):
        read_instance_labels(folder / "nowhere.json")


@pytest.mark.parametrize("entry", [{"image_id": 2**70, "category_id": 1}, {"image_id": True, "category_id": 1}])
def test_numbers_that_cannot_be_ids_are_refused(tmp_path, entry):
    (tmp_path / "instances.json").write_text(json.dumps({"annotations": [entry]}))
    with pytest.raises(InputError, match=r"annotations\[0\] needs an image_id"):
        read_instance_labels(tmp_path / "instances.json")
