"""ECCV Caption's and CxC's metrics against the package `eccv_caption` itself."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import CosineSimilarity, RetrievalTruth, compiled
from bcls.evaluation.judged import best_ranks
from bcls.evaluation.judged.cxc import judge_cxc
from bcls.evaluation.judged.eccv import judge_eccv
from bcls.evaluation.judged.task import Task


def similarities(judged):
    random = np.random.default_rng(5)
    own = judged.caption_image == np.arange(judged.image_numbers.size)[:, None]
    noise = random.standard_normal(own.shape)
    repeated = (own + noise).astype(np.float32)
    repeated[1:20] = repeated[0]
    return {
        "random": noise,
        "good model, single precision": (2.5 * own + noise).astype(np.float32),
        "ties": np.round(own + noise),
        "two levels": (noise > 1).astype(np.float32),
        "all alike": np.zeros(own.shape),
        "negative": -np.abs(noise) - 1,
        "negative ties": -np.round(np.abs(noise)) - 3,
        "one image repeated": repeated,
        "whole numbers": np.round(3 * own + noise).astype(np.int64),
    }


def task_of(judged, similarity):
    ids = ([str(number) for number in numbers] for numbers in (judged.image_numbers, judged.caption_numbers))
    return Task(similarity, judged.truth(*ids))


@pytest.fixture
def check_equal(package_metrics, ranked_lists):
    def check(judged, similarity, length=None):
        _check_equal(judged, similarity, package_metrics(judged.folder), ranked_lists, length)

    return check


def _check_equal(judged, similarity, oracle, ranked_lists, length):
    metrics = judge_eccv(task_of(judged, similarity), judged)
    positives = {name: judged.positives(name) for name in ("original", "cxc", "eccv")}
    lists = {name: ranked_lists(similarity, judged, one, length) for name, one in positives.items()}
    for cutoff in (1, 5, 10):
        for short, direction in (("i2t", "image_to_text"), ("t2i", "text_to_image")):
            for ours, theirs, name in (
                ("cxc_recall", oracle.cxc_recalls, "cxc"),
                ("recall", oracle.eccv_recalls, "eccv"),
                ("coco_5k_recall", oracle.coco_5k_recalls, "original"),
            ):
                assert metrics[f"{direction}/{ours}@{cutoff}"] == 100 * theirs(lists[name], "all", K=cutoff)[short]
            if length is None:
                of_folds = oracle.coco_1k_recalls(lists["original"], "all", K=cutoff)[short]
                assert metrics[f"{direction}/coco_1k_recall@{cutoff}"] == pytest.approx(100 * of_folds, rel=1e-14)
    found = oracle.eccv_metrics(lists["eccv"], "all")
    for short, direction in (("i2t", "image_to_text"), ("t2i", "text_to_image")):
        assert metrics[f"{direction}/map@r"] == pytest.approx(100 * found["eccv_map_at_r"][short], abs=1e-11)
        assert metrics[f"{direction}/r_precision"] == pytest.approx(100 * found["eccv_rprecision"][short], abs=1e-11)
        assert metrics[f"{direction}/recall@1"] == 100 * found["eccv_r1"][short]
    assert metrics["map@r"] == pytest.approx(50 * sum(found["eccv_map_at_r"].values()), abs=1e-11)
    own = judge_cxc(task_of(judged, similarity), judged)
    assert own["image_to_text/recall@5"] == metrics["image_to_text/cxc_recall@5"]
    assert own["rsum"] == metrics["cxc_rsum"]


NAMES = (
    "random",
    "good model, single precision",
    "ties",
    "two levels",
    "all alike",
    "negative",
    "negative ties",
    "one image repeated",
    "whole numbers",
)


@pytest.mark.parametrize("way", ["numpy", "compiled, all columns", "compiled, few columns"])
@pytest.mark.parametrize("name", NAMES)
def test_equals_the_package(part, name, way, monkeypatch, check_equal):
    if way != "numpy":
        pytest.importorskip("numba")
        monkeypatch.setattr(compiled, "COMPILED_FROM", 0)
        monkeypatch.setattr(best_ranks, "FEW", 2 if way == "compiled, few columns" else 0)
    check_equal(part, similarities(part)[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["random", "good model, single precision", "two levels", "negative ties"])
def test_equals_the_package_on_all_of_cocos_test_split(package, name, check_equal):
    check_equal(package, similarities(package)[name], length=100)


def test_rows_in_any_order_and_ids_in_any_form_give_the_same(part):
    similarity = similarities(part)["ties"]
    expected = judge_eccv(task_of(part, similarity), part)
    random = np.random.default_rng(1)
    images, captions = random.permutation(part.image_numbers.size), random.permutation(part.caption_numbers.size)
    image_ids = [f"COCO_val2014_{number:012d}.jpg" for number in part.image_numbers[images]]
    caption_ids = [f"COCO_val2014:sentid:{number}" for number in part.caption_numbers[captions]]
    shuffled = Task(similarity[np.ix_(images, captions)], part.truth(image_ids, caption_ids))
    assert judge_eccv(shuffled, part) == expected

    def ask(image_rows, caption_rows):
        return shuffled.similarity[np.ix_(image_rows, caption_rows)]

    assert judge_eccv(Task(ask, shuffled.truth), part) == expected


def test_embeddings_are_judged_by_their_cosine(part):
    random = np.random.default_rng(2)
    cosine = CosineSimilarity(random.normal(size=(50, 8)), random.normal(size=(250, 8)))
    matrix = cosine(np.arange(50), np.arange(250))
    assert judge_eccv(task_of(part, cosine), part) == judge_eccv(task_of(part, matrix), part)


def test_a_sixth_caption_of_a_test_image_is_left_out_and_counted(part):
    similarity = similarities(part)["random"]
    truth = task_of(part, similarity).truth
    more = np.hstack([similarity, np.full((50, 1), 99.0)])
    told = RetrievalTruth(np.append(truth.caption_image, 3), 50, truth.image_ids, [*truth.caption_ids, "1"])
    metrics = judge_eccv(Task(more, told), part)
    assert metrics == judge_eccv(Task(similarity, truth), part) | {"left_out_captions": 1.0}


def test_ids_that_do_not_match_are_refused(part):
    similarity = similarities(part)["random"]
    truth = task_of(part, similarity).truth
    images, captions = list(truth.image_ids), list(truth.caption_ids)
    for image_ids, caption_ids, message in [
        (["cat.jpg", *images[1:]], captions, "image row 0: 'cat.jpg' is no COCO image id such as COCO_val2014"),
        ([images[1], *images[1:]], captions, f"image row 1: '{images[1]}' is the COCO image of row 0 again"),
        (["77", *images[1:]], captions, f"1 images of COCO's test split are not there: '{images[0]}'"),
        (images, ["77", *captions[1:]], f"1 captions of COCO's test split are not there: '{captions[0]}'"),
        (images, ["a#0", *captions[1:]], "caption row 0: 'a#0' is no COCO caption id such as 770337"),
    ]:
        wrong = RetrievalTruth(truth.caption_image, 50, image_ids, caption_ids)
        with pytest.raises(InputError, match=message):
            judge_eccv(Task(similarity, wrong), part)
    nobody = RetrievalTruth(np.append(truth.caption_image, -1), 50, images, [*captions, "1"])
    with pytest.raises(InputError, match="1 captions are not of COCO's test split: '1'"):
        judge_eccv(Task(np.zeros((50, 251)), nobody), part)
    with pytest.raises(InputError, match="finds its images by their ids: name them with --image_ids"):
        judge_eccv(Task(similarity, RetrievalTruth(truth.caption_image, 50)), part)


def test_a_score_that_is_not_finite_is_named(part):
    similarity = similarities(part)["random"]
    similarity[3, 7] = np.nan
    with pytest.raises(InputError, match=r"image row 3 .* caption row 7 .* is nan, not a finite number"):
        judge_eccv(task_of(part, similarity), part)
