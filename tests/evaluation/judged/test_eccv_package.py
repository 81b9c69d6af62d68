"""The judgements of ECCV Caption's package: a gallery worked by hand, and what the package holds."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest

from bcls.errors import InputError, MissingExtraError
from bcls.evaluation import RetrievalTruth
from bcls.evaluation.judged import eccv_package as module
from bcls.evaluation.judged.eccv_package import eccv_package, read_id_lists
from bcls.evaluation.judged.task import Task

IMAGES = [5, 4, 3, 2, 1]
CAPTIONS = [50, 51, 40, 41, 30, 31, 20, 21, 10, 11]
IDS = list(map(str, IMAGES)), list(map(str, CAPTIONS))


def task_of(image_ids, caption_ids, caption_image=None) -> Task:
    rows = np.zeros(len(caption_ids), np.int64) if caption_image is None else np.array(caption_image)
    truth = RetrievalTruth(rows, len(image_ids), image_ids, caption_ids)
    return Task(np.zeros((len(image_ids), len(caption_ids))), truth)


def pairs(judged):
    return list(zip(judged.query.tolist(), judged.candidate.tolist(), strict=True))


def test_captions_keep_their_order_and_images_that_of_their_first_caption(small):
    assert small.caption_numbers.tolist() == CAPTIONS
    assert small.image_numbers.tolist() == IMAGES
    assert small.caption_image.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_positives_lie_in_positions_of_the_gallery(small):
    own = small.positives("original")
    assert pairs(own["image_to_text"]) == [(row // 2, row) for row in range(10)]
    assert pairs(own["text_to_image"]) == [(row, row // 2) for row in range(10)]
    cxc = small.positives("cxc")
    assert pairs(cxc["image_to_text"]) == [(4, 6), (4, 8), (4, 9)]
    assert pairs(cxc["text_to_image"]) == [(6, 3), (6, 4)]
    eccv = small.positives("eccv")
    assert pairs(eccv["image_to_text"]) == [(0, 0), (0, 2)]
    assert eccv["image_to_text"].beyond.tolist() == [0, 1]
    assert pairs(eccv["text_to_image"]) == [(2, 0), (2, 1)]
    assert (eccv["image_to_text"].queries, eccv["text_to_image"].queries) == (5, 10)


def test_folds_are_fifths_of_the_captions_with_their_images(small):
    folds = [(fold.images.tolist(), fold.captions.tolist()) for fold in small.folds()]
    assert folds == [([row], [2 * row, 2 * row + 1]) for row in range(5)]


def test_the_gallery_lies_where_its_ids_do(small):
    order = [3, 0, 9, 1, 2, 4, 5, 6, 8, 7]
    fold, left_out = small.gallery(task_of(IDS[0][::-1], ["77", *(IDS[1][row] for row in order)]))
    assert fold.images.tolist() == [4, 3, 2, 1, 0]
    assert fold.captions.tolist() == [1 + order.index(row) for row in range(10)]
    assert left_out == 1


@pytest.mark.parametrize(
    ("images", "captions", "rows", "message"),
    [
        (IDS[0][1:], IDS[1], None, "1 images of COCO's test split are not there: '5'"),
        (IDS[0], IDS[1][2:], None, "2 captions of COCO's test split are not there: '50', '51'"),
        ([*IDS[0], "77"], IDS[1], None, "1 images are not of COCO's test split: '77'"),
        (IDS[0], [*IDS[1], "77"], [0] * 10 + [-1], "1 captions are not of COCO's test split: '77'"),
        (["a", *IDS[0]], IDS[1], None, "image row 0: 'a' is no COCO image id"),
        (IDS[0], [*IDS[1], "50"], None, "caption row 10: '50' is the COCO caption of row 0 again"),
    ],
)
def test_a_gallery_that_does_not_match_is_refused(images, captions, rows, message, small):
    with pytest.raises(InputError, match=message):
        small.gallery(task_of(images, captions, rows))


def test_ids_tell_the_image_of_every_caption(small):
    truth = small.truth(["COCO_val2014_000000000002.jpg", "5"], ["51", "77", "COCO_val2014:sentid:20", "40"])
    assert truth.caption_image.tolist() == [1, -1, 0, -1]
    assert truth.images == 2
    assert truth.image_ids == ["COCO_val2014_000000000002.jpg", "5"]
    assert truth.caption_ids == ["51", "77", "COCO_val2014:sentid:20", "40"]


def test_ids_of_which_none_belongs_to_another_are_refused(small):
    with pytest.raises(InputError, match=r"8 captions of COCO's test split are not there: '10', '11', '20', \.\.\."):
        small.truth(["5"], ["30", "31"])
    with pytest.raises(InputError, match="captions of COCO's test split are not there"):
        small.truth(IDS[0], ["77"])
    with pytest.raises(InputError, match="5 images of COCO's test split are not there: '1', '2', '3'"):
        small.truth(["77"], IDS[1])


def test_lists_of_ids_have_whole_numbers_as_keys(tmp_path):
    file = tmp_path / "lists.json"
    file.write_text('{"7": [3, 1], "012": []}')
    assert read_id_lists(file) == {7: [3, 1], 12: []}


@pytest.mark.parametrize(
    "content", [[], {}, {"a": [1]}, {"-1": [1]}, {"1.5": [1]}, {"1": 2}, {"1": [2], "2": "3"}, None]
)
def test_a_file_of_another_form_is_refused(content, tmp_path):
    file = tmp_path / "lists.json"
    file.write_text(json.dumps(content))
    message = r"lists\.json: must be one object that holds a list of ids for each whole-number id$"
    with pytest.raises(InputError, match=message):
        read_id_lists(file)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.json"):
        read_id_lists(tmp_path / "none.json")


def test_without_the_package_its_extra_is_named(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: importlib.util.find_spec(f"{name}_that_is_not_there"))
    message = r"^a protocol with the judgements of ECCV Caption needs an extra: pip install 'bcls\[eccv\]'$"
    with pytest.raises(MissingExtraError, match=message):
        eccv_package()


def test_the_package_holds_what_is_published(package):
    assert (package.image_numbers.size, package.caption_numbers.size) == (5000, 25_000)
    eccv = package.positives("eccv")
    assert (eccv["image_to_text"].asked.size, eccv["text_to_image"].asked.size) == (1261, 1332)
    assert eccv["image_to_text"].query.size + eccv["image_to_text"].beyond.size == 22_550
    assert eccv["image_to_text"].beyond.size == 2
    assert eccv["text_to_image"].query.size == 11_279
    assert package.positives("cxc")["text_to_image"].query.size == 35_585
