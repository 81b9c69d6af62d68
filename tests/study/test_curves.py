"""What the picture of a sweep shows: lines, bands, axes."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import MissingExtraError
from bcls.study.config import StudyConfig, Sweep, Variant
from bcls.study.curves import draw_sweep


def swept(values, metrics=("rsum",), title=None) -> StudyConfig:
    return StudyConfig(
        base=[],
        variants={"bcls": Variant(), "triplet": Variant()},
        output="unused",
        sweeps={"gap": Sweep("loss.gap", values, title=title), "other": Sweep("loss.width", [1])},
        metrics=list(metrics),
    )


def points_of(finding, name, metric, by_value):
    return [finding(name, sweep="gap", value=value, **{metric: values}) for value, values in by_value.items()]


def shown(axes):
    return {line.get_label(): line.get_xydata().tolist() for line in axes.lines}


def test_numbers_lie_where_they_belong_with_a_band_of_one_deviation(finding, drawn, tmp_path):
    findings = [
        *points_of(finding, "bcls", "rsum", {0.5: [310.0, 314.0], 0.0: [300.0, 301.0], 0.1: [305.0, 305.0]}),
        *points_of(finding, "triplet", "rsum", {0.5: [299.0], 0.0: [298.0]}),
        finding("bcls", sweep="other", value=1, rsum=[1.0]),
        finding("bcls", rsum=[2.0]),
    ]
    assert draw_sweep(swept([0.5, 0.0, 0.1]), "gap", findings, tmp_path / "gap.png")
    assert (tmp_path / "gap.png").read_bytes().startswith(b"\x89PNG")
    (axes,) = drawn[0].axes
    assert shown(axes) == {
        "bcls": [[0.0, 300.5], [0.1, 305.0], [0.5, 312.0]],
        "triplet": [[0.0, 298.0], [0.5, 299.0]],
    }
    corners = axes.collections[0].get_paths()[0].vertices
    for x, mean, deviation in [(0.0, 300.5, np.sqrt(0.5)), (0.1, 305.0, 0.0), (0.5, 312.0, np.sqrt(8))]:
        edges = corners[np.isclose(corners[:, 0], x), 1]
        assert (edges.min(), edges.max()) == pytest.approx((mean - deviation, mean + deviation))
    single = axes.collections[1].get_paths()[0].vertices
    assert set(single[:, 1]) == {298.0, 299.0}
    assert (axes.get_xlabel(), axes.get_title()) == ("loss.gap", "rsum")
    assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == ["bcls", "triplet"]


@pytest.mark.parametrize("values", [["tfidf", "cider", "none"], [False, True], [0.5, "half"]])
def test_other_values_stand_side_by_side_in_their_order(values, finding, drawn, tmp_path):
    findings = points_of(finding, "bcls", "rsum", {value: [300.0 + row] for row, value in enumerate(values)})
    assert draw_sweep(swept(values, title="a title"), "gap", findings, tmp_path / "gap.png")
    (axes,) = drawn[0].axes
    assert shown(axes)["bcls"] == [[row, 300.0 + row] for row in range(len(values))]
    assert list(axes.get_xticks()) == list(range(len(values)))
    assert [text.get_text() for text in axes.get_xticklabels()] == [str(value) for value in values]
    assert axes.get_xlabel() == "a title"
    assert drawn[0].legends == []


def test_each_known_metric_has_a_panel(finding, drawn, tmp_path):
    metrics = ["rsum", "unknown", "tau_b", "ndcg@10", "image_to_text/recall@1"]
    told = {metric: [1.0] for metric in metrics if metric != "unknown"}
    findings = [finding("bcls", sweep="gap", value=value, **told) for value in (0.0, 0.1)]
    assert draw_sweep(swept([0.0, 0.1], metrics), "gap", findings, tmp_path / "gap.png")
    panels = [axes for axes in drawn[0].axes if axes.axison]
    assert [axes.get_title() for axes in panels] == ["rsum", "tau-b", "NDCG@10", "i2t R@1"]


def test_a_metric_that_some_points_have_is_drawn_there(finding, drawn, tmp_path):
    findings = [finding("bcls", sweep="gap", value=0.0, rsum=[300.0]), finding("bcls", sweep="gap", value=0.1)]
    assert draw_sweep(swept([0.0, 0.1]), "gap", findings, tmp_path / "gap.png")
    np.testing.assert_array_equal(drawn[0].axes[0].lines[0].get_ydata(), [300.0, np.nan])


def test_nothing_to_draw(finding, drawn, tmp_path):
    study = swept([0.0, 0.1])
    for findings in ([], [finding("bcls", rsum=[1.0])], [finding("bcls", sweep="gap", value=0.0, tau_b=[1.0])]):
        assert not draw_sweep(study, "gap", findings, tmp_path / "gap.png")
    assert drawn == list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_extra_is_named(finding, without_matplotlib, tmp_path):
    findings = points_of(finding, "bcls", "rsum", {0.0: [1.0]})
    with pytest.raises(MissingExtraError, match=r"the picture of a study needs an extra: pip install 'bcls\[plot\]'"):
        draw_sweep(swept([0.0]), "gap", findings, tmp_path / "gap.png")
