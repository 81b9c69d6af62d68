"""ECCV Caption's plausible-match R-Precision: by hand, and by the package itself."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, judge
from bcls.evaluation.judged import pmrp_eccv
from bcls.evaluation.judged.eccv_package import read_id_lists
from bcls.evaluation.judged.pmrp_eccv import judge_pmrp_eccv
from bcls.evaluation.judged.positives import positives_from_ids
from bcls.evaluation.judged.task import Task

IMAGE_FILE, CAPTION_FILE = "pm_image_to_caption.json", "pm_caption_to_image.json"
IMAGES = [5, 4, 3, 2, 1]
CAPTIONS = [50, 51, 40, 41, 30, 31, 20, 21, 10, 11]


@pytest.fixture
def files(tmp_path):
    """`files({5: [50]}, {50: [5]})`: both files of plausible matches, the captions' first."""

    def write(of_images, of_captions):
        for name, found in ((IMAGE_FILE, of_images), (CAPTION_FILE, of_captions)):
            (tmp_path / name).write_text(json.dumps(found))
        return tmp_path / CAPTION_FILE, tmp_path / IMAGE_FILE

    return write


def task_of(judged, similarity, files):
    return Task(similarity, judged.truth(list(map(str, IMAGES)), list(map(str, CAPTIONS))), files=files)


def test_a_case_by_hand(small, files):
    """Image 5 has four positives, one of them elsewhere; of its first four captions 50 and 51 are right. Image 4: none.

    Caption 10 has two; of its first two images, 1 and 5, one is right.
    """
    similarity = np.zeros((5, 10))
    similarity[0] = [9, 8, 5, 7, 6, 0, 0, 0, 0, 0]
    similarity[1] = [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]
    similarity[:, 8] = [3, 0, 0, 2, 4]
    found = files({5: [50, 51, 40, 999], 4: [20]}, {10: [1, 2]})
    metrics = judge_pmrp_eccv(task_of(small, similarity, found), small)
    assert metrics == {
        "image_to_text/pmrp_eccv": 100 * np.mean([2 / 4, 0]),
        "text_to_image/pmrp_eccv": 50.0,
        "pmrp_eccv": 37.5,
        "left_out_captions": 0.0,
    }


def naive(scores, positives, beyond):
    """Share of a query's R positives among its first R candidates, of equal scores the positives last."""
    order = sorted(range(len(scores)), key=lambda row: (-scores[row], row in positives))
    wanted = len(positives) + beyond
    return sum(row in positives for row in order[:wanted]) / wanted


@pytest.mark.parametrize("block", [1, 3, 100])
def test_every_query_by_a_sort_in_blocks_of_any_size(block, small, files, monkeypatch):
    monkeypatch.setattr(pmrp_eccv, "rows_in_block", lambda *_: block)
    random = np.random.default_rng(block)
    similarity = random.integers(0, 3, (5, 10)).astype(float)

    def some(ids, most):
        return random.choice(ids, random.integers(1, most), replace=False).tolist()

    of_images = {one: some([*CAPTIONS, 998, 999], 6) for one in IMAGES}
    of_captions = {one: some([*IMAGES, 9], 4) for one in CAPTIONS[::2]}
    metrics = judge_pmrp_eccv(task_of(small, similarity, files(of_images, of_captions)), small)
    for direction, asking, candidates, found, scores in (
        ("image_to_text", IMAGES, CAPTIONS, of_images, similarity),
        ("text_to_image", CAPTIONS, IMAGES, of_captions, similarity.T),
    ):
        values = []
        for query, ids in found.items():
            here = {candidates.index(one) for one in ids if one in candidates}
            values.append(naive(scores[asking.index(query)], here, len(ids) - len(here)))
        assert metrics[f"{direction}/pmrp_eccv"] == pytest.approx(100 * np.mean(values))
    assert metrics["pmrp_eccv"] == pytest.approx(
        (metrics["image_to_text/pmrp_eccv"] + metrics["text_to_image/pmrp_eccv"]) / 2
    )


def test_rows_in_any_order_and_further_captions_change_nothing(small, files):
    random = np.random.default_rng(0)
    similarity = random.normal(size=(5, 10))
    found = files({5: [50, 40], 1: [11, 10, 20]}, {50: [5, 3], 21: [2]})
    expected = judge_pmrp_eccv(task_of(small, similarity, found), small)
    images, captions = random.permutation(5), random.permutation(10)
    ids = [str(IMAGES[row]) for row in images], [*(str(CAPTIONS[row]) for row in captions), "12"]
    more = np.hstack([similarity[np.ix_(images, captions)], np.full((5, 1), 99.0)])
    own = [*(list(images).index(row // 2) for row in captions), 2]
    metrics = judge_pmrp_eccv(Task(more, RetrievalTruth(np.array(own), 5, *ids), files=found), small)
    assert metrics == expected | {"left_out_captions": 1.0}


def test_the_packages_definition(part, package_metrics, ranked_lists, tmp_path):
    random = np.random.default_rng(9)
    images, captions = part.image_numbers, part.caption_numbers
    found = {
        "pm_image_to_caption.json": {
            str(image): random.choice(captions, random.integers(3, 90), replace=False).tolist() for image in images[:30]
        },
        "pm_caption_to_image.json": {
            str(caption): random.choice(images, random.integers(1, 30), replace=False).tolist() for caption in captions
        },
    }
    for name, content in found.items():
        (tmp_path / name).write_text(json.dumps(content))
    similarity = np.round(random.normal(size=(50, 250)), 1)
    truth = part.truth(*([str(one) for one in ids] for ids in (images, captions)))
    metrics = judge_pmrp_eccv(Task(similarity, truth, files=tuple(tmp_path / name for name in found)), part)

    positives = {
        "image_to_text": positives_from_ids(read_id_lists(tmp_path / "pm_image_to_caption.json"), images, captions, ""),
        "text_to_image": positives_from_ids(read_id_lists(tmp_path / "pm_caption_to_image.json"), captions, images, ""),
    }
    oracle = package_metrics(part.folder)
    oracle.set_pm_gts(*(str(tmp_path / name) for name in found))
    expected = oracle.pmrp(ranked_lists(similarity, part, positives), "all")
    assert metrics["image_to_text/pmrp_eccv"] == pytest.approx(100 * expected["i2t"], abs=1e-10)
    assert metrics["text_to_image/pmrp_eccv"] == pytest.approx(100 * expected["t2i"], abs=1e-10)


@pytest.mark.parametrize("names", [[], [IMAGE_FILE], [IMAGE_FILE, "a.json"], [IMAGE_FILE, CAPTION_FILE, "a.json"]])
def test_other_files_are_refused(names, small, tmp_path):
    paths = tuple(tmp_path / name for name in names)
    with pytest.raises(InputError, match=r"^pmrp-eccv takes pm_image_to_caption\.json and pm_caption_to_image\.json"):
        judge_pmrp_eccv(task_of(small, np.zeros((5, 10)), paths), small)


def test_by_its_name_the_files_are_told_before_the_package_is_asked(tmp_path):
    with pytest.raises(InputError, match=r"takes pm_image_to_caption\.json and pm_caption_to_image\.json, got a\.json"):
        judge("pmrp-eccv", np.zeros((5, 10)), RetrievalTruth.from_counts([2] * 5), files=["a.json"])


@pytest.mark.parametrize(
    ("of_images", "of_captions", "message"),
    [
        ({7: [50]}, {50: [5]}, "1 images of the gallery are not there: '7'"),
        ({5: [50]}, {7: [5]}, "1 captions of the gallery are not there: '7'"),
        ({5: ["a"]}, {50: [5]}, "the positives of images of the gallery must be whole-number ids, got 'a'"),
        ({"a": [50]}, {50: [5]}, r"pm_image_to_caption\.json: must be one object that holds a list of ids"),
    ],
)
def test_ids_that_do_not_match_are_refused(of_images, of_captions, message, small, files):
    with pytest.raises(InputError, match=message):
        judge_pmrp_eccv(task_of(small, np.zeros((5, 10)), files(of_images, of_captions)), small)
