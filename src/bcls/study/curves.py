"""What a swept field does: metrics against its values, one line a variant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bcls.study.config import StudyConfig, Sweep
from bcls.study.findings import Finding
from bcls.study.pictures import metric_title, require_plotting, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3


def draw_sweep(study: StudyConfig, name: str, findings: Sequence[Finding], path: Path) -> bool:
    """Draw one panel a metric: the mean over seeds at each value, with a band of one standard deviation.

    Values that are all numbers lie where they belong, others side by side.

    Args:
        study: the study.
        name: of the sweep.
        findings: of the study; those of other sweeps are left out.
        path: a PNG file, written whole or not at all.

    Returns:
        Whether there was anything to draw: a metric that some finished run has.

    Raises:
        MissingExtraError: matplotlib is not installed (the extra `plot`).
    """
    shown = [one for one in findings if one.setting.sweep == name]
    metrics = [metric for metric in study.metrics if not np.isnan([one.mean(metric) for one in shown]).all()]
    if not shown or not metrics:
        return False
    require_plotting()
    from matplotlib.figure import Figure  # noqa: PLC0415

    columns = min(COLUMNS, len(metrics))
    rows = -(-len(metrics) // columns)
    figure = Figure(figsize=(3.4 * columns, 0.5 + 2.6 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, metric in zip(panels, metrics, strict=False):
        _panel(axes, metric, study.sweeps[name], shown)
    for axes in panels[len(metrics) :]:
        axes.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    if len(labels) > 1:
        figure.legend(handles, labels, loc="outside upper center", ncols=min(3, len(labels)), fontsize=8)
    save_figure(figure, path)
    return True


def _panel(axes: Axes, metric: str, sweep: Sweep, findings: Sequence[Finding]) -> None:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in sweep.values)
    for line, (model, variant) in enumerate(
        dict.fromkeys((one.setting.model, one.setting.variant) for one in findings)
    ):
        own = [one for one in findings if (one.setting.model, one.setting.variant) == (model, variant)]
        if numbers:
            own.sort(key=lambda one: float(one.setting.value))
        x = [one.setting.value if numbers else sweep.values.index(one.setting.value) for one in own]
        mean = np.array([one.mean(metric) for one in own])
        deviation = np.nan_to_num([one.deviation(metric) for one in own])
        axes.plot(x, mean, "o-", color=f"C{line}", markersize=3, linewidth=1.2, label=own[0].setting.line)
        axes.fill_between(x, mean - deviation, mean + deviation, color=f"C{line}", alpha=0.2, linewidth=0)
    if not numbers:
        axes.set_xticks(range(len(sweep.values)), [str(value) for value in sweep.values])
    axes.set(xlabel=sweep.title or sweep.field, title=metric_title(metric))
    axes.grid(alpha=0.3)
