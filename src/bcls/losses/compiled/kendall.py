"""The Kendall loss by compiled kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from bcls.losses.compiled.all_pairs import all_pairs_rows
from bcls.losses.compiled.extremes import BOUNDARY, FIRST, STRIDE, WINDOW
from bcls.losses.compiled.hinge import RowKernel, compiled_hinge, hinge_and_gradient
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
    if torch.compiler.is_compiling():  # the operator costs more to call
        width, share = _width_and_share(window)
        value: Tensor = _kendall_operator(similarity, relevance, gap, margin, pairs, width, share)[0]
        return value
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
        width, share = _width_and_share(window)
        return offender_rows(scores, labels, FORMS[pairs], width, share, least, ahead, start, stop, gradient)

    return rows


def _width_and_share(window: int | float) -> tuple[int, float]:
    """A window as the kernels and the operator take it: positions, or 0 positions and a share."""
    return (window, 0.0) if isinstance(window, int) else (0, window)


@torch.library.custom_op(
    "bcls::compiled_kendall",
    mutates_args=(),
    device_types="cpu",
    schema=(
        "(Tensor similarity, Tensor relevance, float gap, float margin, str pairs, int width, float share)"
        " -> (Tensor, Tensor)"
    ),
)
def _kendall_operator(
    similarity: Tensor, relevance: Tensor, gap: float, margin: float, pairs: str, width: int, share: float
) -> tuple[Tensor, Tensor]:
    """The value and its gradient, as one node of a graph that `torch.compile` need not look into."""
    rows = kendall_rows(gap=gap, margin=margin, pairs=pairs, window=width if width > 0 else share)
    return hinge_and_gradient(similarity.detach(), relevance, rows)


@_kendall_operator.register_fake
def _shapes(similarity: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    return similarity.new_empty(()), similarity.new_empty(similarity.shape)


def _keep_gradient(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:  # noqa: ARG001
    ctx.save_for_backward(output[1])


def _backward(ctx: Any, of_value: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    (gradient,) = ctx.saved_tensors
    return of_value * gradient, None, None, None, None, None, None


_kendall_operator.register_autograd(_backward, setup_context=_keep_gradient)
