"""The Kendall loss by compiled kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from bcls.losses.compiled.all_pairs import all_pairs_rows
from bcls.losses.compiled.extremes import BOUNDARY, FIRST, STRIDE, WINDOW
from bcls.losses.compiled.hinge import RowKernel, compiled_hinge
from bcls.losses.compiled.offenders import offender_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMS = {"boundary": BOUNDARY, "window": WINDOW, "stride": STRIDE, "first": FIRST}


def compiled_kendall(
    similarity: Tensor, relevance: Tensor, *, gap: float, margin: float, pairs: str, window: int | float
) -> Tensor:
    """`kendall_loss` for checked matrices on the CPU; equal in value and gradient to the torch implementation.

    Args:
        similarity: (images, captions) float32 or float64.
        relevance: (images, captions) float32 or float64, NaN = unknown.
        gap: the least difference of relevance that orders a pair.
        margin: by how much the more relevant candidate must be more similar.
        pairs: `all`, or a form of SW-HS.
        window: of SW-HS, in positions or as a share.
    """
    return compiled_hinge(similarity, relevance, kendall_rows(gap=gap, margin=margin, pairs=pairs, window=window))


def kendall_rows(*, gap: float, margin: float, pairs: str, window: int | float) -> RowKernel:
    """The kernel of a range of queries; see `compiled_kendall` for the settings."""

    def rows(
        scores: NDArray[Any], labels: NDArray[Any], start: int, stop: int, gradient: NDArray[Any]
    ) -> tuple[float, int]:
        # Compared in the matrices' own number format, as torch does.
        least, ahead = labels.dtype.type(gap), scores.dtype.type(margin)
        if pairs == "all":
            return all_pairs_rows(scores, labels, least, ahead, start, stop, gradient)
        width, share = (window, 0.0) if isinstance(window, int) else (0, window)
        return offender_rows(scores, labels, FORMS[pairs], width, share, least, ahead, start, stop, gradient)

    return rows
