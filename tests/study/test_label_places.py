"""Names beside points."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.study.label_places import POINT, label_places

FRAME = (0.0, 0.0, 500.0, 400.0)


@pytest.mark.parametrize("seed", range(5))
def test_no_label_covers_another_or_a_point_or_leaves_the_frame(seed):
    random = np.random.default_rng(seed)
    points = np.concatenate(
        [random.normal((380, 300), (40, 30), (14, 2)), random.uniform((60, 60), (300, 200), (4, 2))]
    )
    points = np.clip(points, 10, (490, 390))
    sizes = np.stack([random.uniform(30, 110, 18), np.full(18, 10.0)], axis=1)
    centres = label_places(points, sizes, FRAME)
    low, high = centres - sizes / 2, centres + sizes / 2
    assert (low >= FRAME[:2]).all()
    assert (high <= FRAME[2:]).all()
    for row in range(len(points)):
        others = np.arange(len(points)) != row
        assert not ((low[row] < high[others]) & (low[others] < high[row])).all(axis=1).any()
        assert not ((low[row] < points + POINT) & (points - POINT < high[row])).all(axis=1).any()


def test_a_lone_point_has_its_label_at_its_side():
    centre = label_places(np.array([[100.0, 100.0]]), np.array([[40.0, 10.0]]), FRAME)[0]
    assert centre[1] == 100
    assert 120 < centre[0] < 135


def test_no_points_no_labels():
    assert label_places(np.empty((0, 2)), np.empty((0, 2)), FRAME).shape == (0, 2)
