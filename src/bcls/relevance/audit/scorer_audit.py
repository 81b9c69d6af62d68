"""What an audit found out about one scorer, and the gap that follows from it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bcls.relevance.audit.correlation import Correlation
from bcls.relevance.audit.order import GapPoint, OrderAgreement
from bcls.relevance.calibration import Calibration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVELS = (0.8, 0.9, 0.95)
RECOMMENDED = (0.9, 0.8)
LEAST_KEPT = 0.1


@dataclass(frozen=True)
class ScorerAudit:
    """What an audit found out about one scorer.

    Attributes:
        scorer: its name.
        fitted_on: in words, where its document frequencies came from.
        values: (P,) its similarity of each rated pair, the first caption as the reference.
        ratings: (P,) what people said, in [0, 1].
        whole: rank correlation over all rated pairs.
        bands: the same within five equal bands of the human scale, by name, e.g. `0-1`.
        groups: the same within each group of pairs.
        every_comparison: whether all comparisons of two rated pairs were counted, or a seeded sample of a million.
        order: agreement with people over comparisons of any two rated pairs.
        sharing: the same over those that have a caption in common, as the candidates of one query do.
        group_orders: the same over any two rated pairs of one group.
        calibrated: the same as `order` for calibrated values.
        calibration: from its values to the human scale.
        error: mean absolute error of the calibration on pairs that it was not fitted on (five folds), in [0, 1].
    """

    scorer: str
    fitted_on: str
    values: NDArray[np.float64]
    ratings: NDArray[np.float64]
    whole: Correlation
    bands: dict[str, Correlation]
    groups: dict[str, Correlation]
    every_comparison: bool
    order: OrderAgreement
    sharing: OrderAgreement
    group_orders: dict[str, OrderAgreement]
    calibrated: OrderAgreement
    calibration: Calibration
    error: float

    @property
    def recommended(self) -> GapPoint | None:
        """The gap for training: see `recommended_gap`."""
        return recommended_gap(self.order)

    def summary(self) -> dict[str, Any]:
        """All numbers, JSON-able; what is not defined is None."""
        orders = {"order": self.order, "sharing_a_caption": self.sharing, "calibrated_order": self.calibrated}
        found: dict[str, Any] = _without_nan(
            {
                "scorer": self.scorer,
                "settings": self.calibration.settings,
                "fitted_on": self.fitted_on,
                "pairs": self.whole.pairs,
                "correlation": asdict(self.whole),
                "bands": {name: asdict(part) for name, part in self.bands.items()},
                "groups": {name: asdict(part) for name, part in self.groups.items()},
                "comparisons": "all" if self.every_comparison else "sampled",
                **{name: _told(order) for name, order in orders.items()},
                "group_orders": {name: _told(order) for name, order in self.group_orders.items()},
                "calibration": {"hash": self.calibration.hash, "error": self.error},
            }
        )
        return found


def recommended_gap(order: OrderAgreement) -> GapPoint | None:
    """The smallest gap whose survivors people order the same way nine times in ten.

    If fewer than a tenth of the comparisons survive it, that for eight times in ten; if they do not survive that
    either, there is none to recommend.
    """
    for level in RECOMMENDED:
        point = order.reaching(level)
        if point is not None and point.share >= LEAST_KEPT:
            return point
    return None


def _told(order: OrderAgreement) -> dict[str, Any]:
    def told(point: GapPoint | None) -> dict[str, float] | None:
        return None if point is None else point._asdict()

    return {
        "comparisons": len(order),
        "reaching": {f"{level:g}": told(order.reaching(level)) for level in LEVELS},
        "recommended": told(recommended_gap(order)),
        "curve": [point._asdict() for point in order.curve()],
    }


def _without_nan(value: Any) -> Any:
    """The same with named tuples as dicts and NaN as None."""
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    return [_without_nan(part) for part in value] if isinstance(value, list) else value
