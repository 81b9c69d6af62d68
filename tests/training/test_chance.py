"""Chance is what random rankings come to."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.evaluation import RetrievalTruth, evaluate_similarity
from bcls.training.chance import Chance


@pytest.mark.parametrize(("images", "per_image"), [(30, 1), (24, 2), (12, 5)])
def test_it_is_that_of_random_rankings(images, per_image):
    random = np.random.default_rng(0)
    truth = RetrievalTruth.from_counts([per_image] * images)
    rsums = [evaluate_similarity(random.random((images, images * per_image)), truth)["rsum"] for _ in range(400)]
    chance = Chance.of(images, images * per_image)
    assert np.mean(rsums) == pytest.approx(chance.mean, abs=4 * chance.deviation / 20)
    assert 0.7 * chance.deviation < np.std(rsums) < 1.05 * chance.deviation


def test_what_is_always_found_has_no_deviation():
    assert Chance.of(1, 1) == Chance(mean=600.0, deviation=0.0)
