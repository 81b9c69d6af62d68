"""What the pictures of a study have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bcls.errors import MissingExtraError
from bcls.evaluation.difference_table import short_name
from bcls.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLES = {"ndcg@10": "NDCG@10", "ndcg": "NDCG", "tau_b": "tau-b"}


def require_plotting() -> None:
    """Refuse a picture that could not be drawn, before the work for it begins.

    Raises:
        MissingExtraError: matplotlib is not installed (the extra `plot`).
    """
    try:
        import matplotlib.figure  # noqa: F401, PLC0415
    except ImportError:
        raise MissingExtraError("the picture of a study", "plot") from None


def metric_title(metric: str) -> str:
    """A metric as heads and axes write it.

    Example:
        >>> metric_title("tau_b"), metric_title("text_to_image/recall@1")
        ('tau-b', 't2i R@1')
    """
    return TITLES.get(metric, short_name(metric))


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG, whole or not at all; the same figure gives the same file."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120, metadata={"Software": None})
