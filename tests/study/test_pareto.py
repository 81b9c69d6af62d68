"""The front of recipes against a double loop, and what its picture shows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import MissingExtraError
from bcls.study.config import Pareto
from bcls.study.pareto import draw_pareto, pareto_front

a_value = st.integers(0, 4).map(float) | st.just(np.nan)
some_points = st.lists(st.tuples(a_value, a_value), min_size=1, max_size=10)


def beaten(point, points) -> bool:
    """Whether another is as good in both and better in one."""
    return any(
        other[0] >= point[0] and other[1] >= point[1] and (other[0] > point[0] or other[1] > point[1])
        for other in points
    )


@given(some_points)
@settings(deadline=None, max_examples=100)
def test_the_front_is_what_none_beats(points):
    known = [point for point in points if not np.isnan(point).any()]
    expected = [row for row, point in enumerate(points) if not np.isnan(point).any() and not beaten(point, known)]
    front = pareto_front(np.array(points))
    assert sorted(front) == expected
    assert (np.diff(np.array(points)[front, 0]) >= 0).all()
    assert (np.diff(np.array(points)[front, 1]) <= 0).all()


def test_a_missing_metric_is_on_no_front():
    assert pareto_front(np.array([[1.0, 1.0], [np.nan, 5.0]])) == [0]


def test_equal_points_are_all_on_the_front():
    assert pareto_front(np.array([[2.0, 1.0], [1.0, 2.0], [1.0, 2.0]])) == [1, 2, 0]


def test_the_picture_holds_means_spreads_and_the_front(finding, drawn, tmp_path):
    findings = [
        finding("low", title="`low`", rsum=[298.0, 302.0], tau_b=[0.3, 0.5]),
        finding("left", rsum=[290.0], tau_b=[0.6]),
        finding("right", rsum=[310.0], tau_b=[0.5]),
        finding("unknown", rsum=[400.0]),
    ]
    assert draw_pareto(findings, Pareto(), tmp_path / "pareto.png")
    assert (tmp_path / "pareto.png").read_bytes().startswith(b"\x89PNG")
    (axes,) = drawn[0].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("rsum", "tau-b")
    points, bars = axes.collections[-1], axes.collections[:-1]
    np.testing.assert_allclose(points.get_offsets(), [[300.0, 0.4], [290.0, 0.6], [310.0, 0.5]])
    colours = points.get_facecolors()
    assert np.array_equal(colours[1], colours[2])
    assert not np.array_equal(colours[0], colours[1])
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [[290.0, 0.6], [310.0, 0.5]])
    across, up = (np.ptp(bar.get_segments()[0], axis=0) / 2 for bar in bars)
    np.testing.assert_allclose(across, [np.std([298, 302], ddof=1), 0], atol=1e-12)
    np.testing.assert_allclose(up, [0, np.std([0.3, 0.5], ddof=1)], atol=1e-12)
    assert [text.get_text() for text in axes.texts] == ["low", "left", "right"]


def test_the_metrics_are_those_asked_for(finding, drawn, tmp_path):
    findings = [finding(name, **{"image_to_text/recall@1": [1.0], "ndcg@10": [0.5]}) for name in ("a", "b")]
    assert draw_pareto(findings, Pareto("image_to_text/recall@1", "ndcg@10"), tmp_path / "pareto.png")
    assert (drawn[0].axes[0].get_xlabel(), drawn[0].axes[0].get_ylabel()) == ("i2t R@1", "NDCG@10")


def test_fewer_than_two_points_are_no_picture(finding, drawn, tmp_path):
    findings = [finding("a", rsum=[1.0], tau_b=[0.5]), finding("b", rsum=[2.0]), finding("c", tau_b=[0.1])]
    assert not draw_pareto(findings, Pareto(), tmp_path / "pareto.png")
    assert not draw_pareto([], Pareto(), tmp_path / "pareto.png")
    assert drawn == list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_extra_is_named(finding, without_matplotlib, tmp_path):
    findings = [finding(name, rsum=[1.0], tau_b=[0.5]) for name in ("a", "b")]
    with pytest.raises(MissingExtraError, match=r"the picture of a study needs an extra: pip install 'bcls\[plot\]'"):
        draw_pareto(findings, Pareto(), tmp_path / "pareto.png")
