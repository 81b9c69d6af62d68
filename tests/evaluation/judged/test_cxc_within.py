"""Captions by captions and images by images: against a sort of every query's candidates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation import CosineSimilarity, RetrievalTruth, judge
from bcls.evaluation.judged import cxc_within
from bcls.evaluation.judged.cxc_within import ranks_within
from bcls.evaluation.judged.positives import JudgedPositives

HEADERS = {"sts": "caption1,caption2,agg_score,sampling_method", "sis": "image1,image2,agg_score,sampling_method"}


def write(path, task, pairs):
    path.write_text("\n".join([HEADERS[task], *(f"{one},{other},{rating},x" for one, other, rating in pairs)]) + "\n")
    return path


def naive_ranks(embeddings, positives):
    """Sort the others of each row by falling cosine, of equal ones the positives last; look for the first positive."""
    units = np.asarray(embeddings, np.float64)
    units = units / np.linalg.norm(units, axis=1, keepdims=True)
    ranks = []
    for query, own in enumerate(positives):
        others = [row for row in range(len(units)) if row != query]
        others.sort(key=lambda row: (-round(float(units[query] @ units[row]), 6), row in own))
        ranks.append(next((place for place, row in enumerate(others, start=1) if row in own), np.nan))
    return ranks


def judged_of(positives):
    pairs = [(query, row) for query, own in enumerate(positives) for row in own]
    query, candidate = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return JudgedPositives.of_pairs(query, candidate, len(positives), len(positives))


@st.composite
def galleries(draw):
    """Small whole-number embeddings, so that many cosines are equal, and any positives."""
    rows = draw(st.integers(1, 9))
    number = st.integers(-2, 2)
    embeddings = [[*draw(st.tuples(number, number)), 1] for _ in range(rows)]
    others = [sorted(set(range(rows)) - {row}) for row in range(rows)]
    return embeddings, [draw(st.sets(st.sampled_from(one))) if one else set() for one in others]


@given(galleries())
@settings(deadline=None, max_examples=60)
def test_ranks_are_those_of_a_sort(gallery):
    embeddings, positives = gallery
    np.testing.assert_array_equal(ranks_within(embeddings, judged_of(positives)), naive_ranks(embeddings, positives))


def test_blocks_and_threads_change_nothing(monkeypatch):
    random = np.random.default_rng(0)
    embeddings = random.normal(size=(57, 5))
    positives = [set(random.choice(57, random.integers(0, 4), replace=False)) - {row} for row in range(57)]
    whole = ranks_within(embeddings, judged_of(positives))
    np.testing.assert_array_equal(whole, naive_ranks(embeddings, positives))
    monkeypatch.setattr(cxc_within, "rows_in_block", lambda *_: 5)
    np.testing.assert_array_equal(ranks_within(embeddings, judged_of(positives)), whole)


@pytest.fixture
def task(tmp_path):
    """Four images with captions 10, 11 | 20 | 30, 31 | none, and ratings at and about the two least ones."""
    truth = RetrievalTruth(
        np.array([0, 0, 1, 2, 2]), 4, ["1", "2", "3", "COCO_val2014_000000000004.jpg"], ["10", "11", "20", "30", "31"]
    )
    images = [[1.0, 0.0], [0.9, 0.1], [0.1, 0.9], [0.0, 1.0]]
    captions = [[1.0, 0.0], [0.0, 1.0], [0.9, 0.1], [0.8, 0.2], [0.1, 0.9]]
    sts = write(tmp_path / "sts_test.csv", "sts", [(20, 10, 3.0), (20, 30, 2.99), (10, 11, 0.5), (30, 30, 5.0)])
    sis = write(tmp_path / "sis_test.csv", "sis", [(1, 3, 2.5), (2, 4, 2.49), (1, 2, 1.0)])
    return truth, CosineSimilarity(images, captions), sts, sis


def test_a_case_by_hand(task):
    """Captions: 10 and 20 were rated 3 and find each other first; 10 and 11, 30 and 31 are of one image, and far apart.

    Images: only 1 and 3 were rated 2.5 or more; for each the other is not the first.
    """
    truth, cosine, sts, sis = task
    metrics = judge("cxc-within", cosine, truth, files=[sts, sis])
    assert metrics["text_to_text/queries"] == 5
    assert metrics["text_to_text/positives"] == 6
    assert metrics["text_to_text/recall@1"] == pytest.approx(100 * 2 / 5)
    assert metrics["text_to_text/recall@5"] == 100
    assert metrics["image_to_image/queries"] == metrics["image_to_image/positives"] == 2
    assert metrics["image_to_image/recall@1"] == 0
    assert metrics["image_to_image/recall@5"] == 100
    alone = judge("cxc-within", cosine, truth, files=[sis])
    assert alone == {name: value for name, value in metrics.items() if name.startswith("image_to_image")}


def test_captions_of_one_image_need_not_lie_together(task):
    truth, cosine, sts, _ = task
    order = np.array([3, 0, 2, 1, 4])
    moved = RetrievalTruth(truth.caption_image[order], 4, truth.image_ids, [truth.caption_ids[row] for row in order])
    turned = CosineSimilarity(cosine.images, cosine.captions[order])
    assert judge("cxc-within", turned, moved, files=[sts]) == judge("cxc-within", cosine, truth, files=[sts])


def test_what_cannot_be_judged_is_refused(task, tmp_path):
    truth, cosine, sts, sis = task
    with pytest.raises(InputError, match="this protocol needs embeddings"):
        judge("cxc-within", np.zeros((4, 5)), truth, files=[sts])
    with pytest.raises(InputError, match="ratings of sis were given already"):
        judge("cxc-within", cosine, truth, files=[sis, sis])
    sits = tmp_path / "sits_test.csv"
    sits.write_text("caption,image,agg_score,sampling_method\n10,1,4.0,x\n")
    with pytest.raises(InputError, match=r"sits_test\.csv: rates captions with images; .* use the protocol 'cxc'"):
        judge("cxc-within", cosine, truth, files=[sits])
    low = write(tmp_path / "low.csv", "sis", [(1, 3, 2.4)])
    with pytest.raises(InputError, match=r"low\.csv: no pair is rated 2\.5 or more"):
        judge("cxc-within", cosine, truth, files=[low])
    foreign = write(tmp_path / "foreign.csv", "sis", [(1, 77, 4.0)])
    with pytest.raises(InputError, match=r"foreign\.csv: 1 rated images are not there: '77'"):
        judge("cxc-within", cosine, truth, files=[foreign])
