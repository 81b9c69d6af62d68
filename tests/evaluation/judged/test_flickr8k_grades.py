"""Flickr8k's grades as protocols, by hand and by SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from bcls.errors import InputError
from bcls.evaluation import judge
from bcls.evaluation.judged.flickr8k_grades import flickr8k_truth

IMAGES = ["a.jpg", "b.jpg", "c.jpg"]
CAPTIONS = ["a.jpg#0", "b.jpg#0", "b.jpg#1", "c.jpg#0"]
SIMILARITY = np.array([[0.9, 0.1, 0.4, 0.3], [0.2, 0.8, 0.7, 0.5], [0.3, 0.6, 0.2, 0.9]])


@pytest.fixture
def truth():
    return flickr8k_truth(IMAGES, CAPTIONS)


def test_expert_by_hand(tmp_path, truth):
    file = tmp_path / "ExpertAnnotations.txt"
    file.write_text("c.jpg\tb.jpg#0\t2\t3\t3\na.jpg\tb.jpg#0\t1\t1\t2\na.jpg\ta.jpg#0\t4\t4\t4\n")
    metrics = judge("flickr8k-expert", SIMILARITY, truth, files=[file])
    # Scores .6 three times (grades 2, 3, 3) and .1 three times (1, 1, 2); the own caption is left out. Of the 9 pairs
    # across, 8 agree and one is tied in grade (2 and 2): C - D = 8. tau-c = 2 * 8 / (36 * 1 / 2) = 8/9.
    assert metrics["human_tau_c"] == pytest.approx(8 / 9)
    # tau-b: 15 pairs, 6 tied in score, 1 + 1 + 1 tied in grade (1 1, 2 2, 3 3): 8 / sqrt(9 * 12).
    assert metrics["human_tau_b"] == pytest.approx(8 / np.sqrt(9 * 12))
    assert metrics["graded_pairs"] == 6


def test_the_crowd_by_scipy(tmp_path, truth):
    pairs = [
        ("c.jpg", "a.jpg#0", 1, 2),
        ("a.jpg", "b.jpg#1", 0, 3),
        ("b.jpg", "c.jpg#0", 3, 0),
        ("b.jpg", "b.jpg#1", 3, 0),
    ]
    file = tmp_path / "CrowdFlowerAnnotations.txt"
    file.write_text("".join(f"{i}\t{c}\t{yes / (yes + no)}\t{yes}\t{no}\n" for i, c, yes, no in pairs))
    metrics = judge("flickr8k-cf", SIMILARITY, truth, files=[file])
    assert metrics["human_tau_b"] == pytest.approx(kendalltau([0.3, 0.4, 0.5], [1 / 3, 0, 1]).statistic)
    assert metrics["graded_pairs"] == 3


def test_ids_that_do_not_match_are_refused(tmp_path, truth):
    file = tmp_path / "ExpertAnnotations.txt"
    file.write_text("d.jpg\tb.jpg#0\t2\t3\t3\nc.jpg\te.jpg#0\t2\t3\t3\n")
    with pytest.raises(InputError, match=r"ExpertAnnotations\.txt: judged images: 1 are not there: 'd\.jpg'"):
        judge("flickr8k-expert", SIMILARITY, truth, files=[file])
    with pytest.raises(InputError, match="one file of grades is needed, got 2"):
        judge("flickr8k-expert", SIMILARITY, truth, files=[file, file])
    with pytest.raises(InputError, match=r"no caption id is of the form FILE#K of an image here, such as a\.jpg#0"):
        flickr8k_truth(IMAGES, ["1", "2"])
    with pytest.raises(InputError, match="there are no images"):
        flickr8k_truth([], [])
