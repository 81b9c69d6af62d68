"""The picture of an audit: ratings against values, and agreement against gap."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bcls.errors import InputError, MissingExtraError
from bcls.files import replacing
from bcls.relevance.audit.scorer_audit import ScorerAudit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

KINDS = (".png", ".svg")
BINS = 20
LEAST_IN_BIN = 20
DOTS = 1500


def require_plotting(path: Path) -> None:
    """Refuse a picture that could not be drawn, before the work for it begins.

    Raises:
        MissingExtraError: matplotlib is not installed (the extra `plot`).
        InputError: neither PNG nor SVG.
    """
    if path.suffix not in KINDS:
        raise InputError(f"{path}: the picture must be a .png or .svg file")
    try:
        import matplotlib.figure  # noqa: F401, PLC0415
    except ImportError:
        raise MissingExtraError("the picture of an audit", "plot") from None


def draw_audits(audits: Sequence[ScorerAudit], path: Path) -> None:
    """Draw one panel a scorer, and two that compare them.

    Above, for each scorer: rated pairs as dots, bands from the 5th to the 95th and from the 25th to the 75th percentile
    of the ratings of pairs with like values, and the calibration. Below: agreement with people against the gap, and
    against the share of comparisons that survive it, which does not depend on a scorer's scale.

    Args:
        audits: at least one.
        path: a `.png` or `.svg` file, written whole or not at all.

    Raises:
        MissingExtraError: matplotlib is not installed (the extra `plot`).
        InputError: another kind of file, or no audit.
    """
    require_plotting(path)
    if not audits:
        raise InputError("no scorer to draw")
    from matplotlib.figure import Figure  # noqa: PLC0415

    columns = 2 * len(audits)
    figure = Figure(figsize=(max(7.0, 3.2 * len(audits)), 6.4), layout="constrained")
    grid = figure.add_gridspec(2, columns)
    for number, audit in enumerate(audits):
        _ratings_panel(figure.add_subplot(grid[0, 2 * number : 2 * number + 2]), audit, f"C{number}")
    by_gap = figure.add_subplot(grid[1, : columns // 2])
    by_share = figure.add_subplot(grid[1, columns // 2 :], sharey=by_gap)
    _agreement_panels(by_gap, by_share, audits)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})


def _ratings_panel(axes: Axes, audit: ScorerAudit, colour: str) -> None:
    rows = np.random.default_rng(0).permutation(len(audit.values))[:DOTS]
    axes.plot(audit.values[rows], audit.ratings[rows], ".", color="0.6", markersize=1.5, alpha=0.6)
    centres, quantiles = _quantile_bands(audit)
    if len(centres):
        axes.fill_between(centres, quantiles[:, 0], quantiles[:, 4], color=colour, alpha=0.15, linewidth=0)
        axes.fill_between(centres, quantiles[:, 1], quantiles[:, 3], color=colour, alpha=0.25, linewidth=0)
    axes.plot(audit.calibration.values, audit.calibration.relevance, color=colour, linewidth=2)
    title = f"{audit.scorer}\nSpearman {audit.whole.spearman.value:.2f}"
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="scorer's value", title=title)
    axes.set_ylabel("human rating, rescaled")


def _quantile_bands(audit: ScorerAudit) -> tuple[list[float], NDArray[np.float64]]:
    """Median value of each bin of equally many pairs, and the 5, 25, 50, 75, 95% quantiles of their ratings."""
    bins = min(BINS, len(audit.values) // LEAST_IN_BIN)
    parts = np.array_split(np.argsort(audit.values, kind="stable"), bins) if bins else []
    quantiles = [np.quantile(audit.ratings[part], [0.05, 0.25, 0.5, 0.75, 0.95]) for part in parts]
    return [float(np.median(audit.values[part])) for part in parts], np.array(quantiles).reshape(-1, 5)


def _agreement_panels(by_gap: Axes, by_share: Axes, audits: Sequence[ScorerAudit]) -> None:
    for number, audit in enumerate(audits):
        points = audit.order.curve()
        agreement = [point.agreement for point in points]
        by_gap.plot([point.gap for point in points], agreement, color=f"C{number}", label=audit.scorer)
        sharing = audit.sharing.curve()
        by_gap.plot([p.gap for p in sharing], [p.agreement for p in sharing], "--", color=f"C{number}", linewidth=1)
        by_share.plot([point.share for point in points], agreement, color=f"C{number}")
    by_gap.set(xlabel="gap (dashed: pairs that share a caption)", ylabel="ordered as people order them", xlim=(0, None))
    by_share.set(xlabel="share of comparisons left by the gap", xlim=(1, 0))
    for axes in (by_gap, by_share):
        axes.axhline(0.9, color="0.5", linewidth=0.8, linestyle=":")
        axes.grid(alpha=0.3)
    by_gap.legend(fontsize=8, loc="lower right")
