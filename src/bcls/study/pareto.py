"""Recall against graded order: a recipe is a point, and those that none beats in both make the front."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.study.config import Pareto
from bcls.study.findings import Finding
from bcls.study.label_places import label_places
from bcls.study.pictures import metric_title, require_plotting, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


def pareto_front(points: NDArray[np.float64]) -> list[int]:
    """Rows that no other row beats: as good in both, and better in one. More is better.

    Args:
        points: (N, 2); a row with NaN is no point.

    Returns:
        Rows by their first value, rising.

    Example:
        >>> pareto_front(np.array([[1.0, 3.0], [2.0, 2.0], [1.5, 1.0], [3.0, 1.0]]))
        [0, 1, 3]
    """
    at_least = np.all(points[None] >= points[:, None], axis=2)
    better = np.any(points[None] > points[:, None], axis=2)
    front = np.flatnonzero(~np.any(at_least & better, axis=1) & ~np.any(np.isnan(points), axis=1))
    return [int(row) for row in front[np.lexsort((-points[front, 1], points[front, 0]))]]


def draw_pareto(findings: Sequence[Finding], pareto: Pareto, path: Path) -> bool:
    """Draw the mean of each setting with its standard deviation over seeds, and the front of the means.

    Args:
        findings: of a study.
        pareto: the two metrics.
        path: a PNG file, written whole or not at all.

    Returns:
        Whether there was anything to draw: two settings that have both metrics.

    Raises:
        MissingExtraError: matplotlib is not installed (the extra `plot`).
    """
    shown = [one for one in findings if not np.isnan([one.mean(pareto.across), one.mean(pareto.up)]).any()]
    if len(shown) < 2:
        return False
    require_plotting()
    from matplotlib.figure import Figure  # noqa: PLC0415

    points = np.array([[one.mean(pareto.across), one.mean(pareto.up)] for one in shown])
    spread = np.nan_to_num([[one.deviation(pareto.across), one.deviation(pareto.up)] for one in shown])
    figure = Figure(figsize=(9.5, 6.5), layout="constrained")
    axes = figure.add_subplot()
    front = pareto_front(points)
    colours = ["C3" if row in front else "C0" for row in range(len(shown))]
    x, y = points.T
    axes.plot(x[front], y[front], color="C3", linewidth=1, alpha=0.5, zorder=1)
    axes.errorbar(x, y, spread[:, 1], spread[:, 0], fmt="none", ecolor="0.6", elinewidth=1, capsize=2, zorder=2)
    axes.scatter(x, y, c=colours, s=30, zorder=3)
    axes.set(xlabel=metric_title(pareto.across), ylabel=metric_title(pareto.up))
    axes.margins(0.12)
    axes.grid(alpha=0.3)
    _write_labels(axes, points, [one.setting.title.replace("`", "") for one in shown])
    save_figure(figure, path)
    return True


def _write_labels(axes: Axes, points: NDArray[np.float64], titles: Sequence[str]) -> None:
    """Each point's title beside it, tied to it by a thin line."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    unit = figure.dpi / 72
    style: dict[str, Any] = {"fontsize": 8, "ha": "center", "va": "center"}
    texts = [axes.annotate(title, (x, y), **style) for title, (x, y) in zip(titles, points.tolist(), strict=True)]
    extents = [text.get_window_extent() for text in texts]
    sizes = np.array([[extent.width, extent.height] for extent in extents]) / unit
    frame = axes.get_window_extent()
    places = axes.transData.transform(points) / unit
    centres = label_places(places, sizes, (frame.x0 / unit, frame.y0 / unit, frame.x1 / unit, frame.y1 / unit))
    for text, offset, (x, y), title in zip(texts, centres - places, points.tolist(), titles, strict=True):
        text.remove()
        axes.annotate(
            title,
            (x, y),
            xytext=(float(offset[0]), float(offset[1])),
            textcoords="offset points",
            **style,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6},  # spreads are drawn behind
            arrowprops={"arrowstyle": "-", "color": "0.5", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3},
        )
