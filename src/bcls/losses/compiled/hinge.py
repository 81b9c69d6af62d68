"""Runs a row kernel over both directions on threads, and hands its gradient to autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from bcls.threads import over_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

RowKernel: TypeAlias = "Callable[[NDArray[Any], NDArray[Any], int, int, NDArray[Any]], tuple[float, int]]"
WORTH_THREADS = 1 << 17
"""Scores from which a second thread is quicker than it is late."""
ONE_PART = 1 << 15
"""Scores that a thread takes at a time."""


def compiled_hinge(similarity: Tensor, relevance: Tensor, rows: RowKernel) -> Tensor:
    """The mean hinge of each direction's pairs, averaged over the directions.

    Args:
        similarity: (images, captions) float32 or float64 on the CPU.
        relevance: (images, captions) on the CPU, NaN = unknown.
        rows: `(similarity, relevance, start, stop, gradient) -> (sum, pairs)` for a range of rows; fills the gradient
            of the sum.

    Returns:
        A scalar; 0 with a zero gradient where nothing is ordered. The gradient is counted together with the value, so
        that the backward pass is one multiplication and keeps one array of the similarity's size.
    """
    value: Tensor = _CompiledHinge.apply(similarity, relevance, rows)  # type: ignore[no-untyped-call]
    return value


class _CompiledHinge(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, similarity: Tensor, relevance: Tensor, rows: RowKernel) -> Tensor:
        value, gradient = hinge_and_gradient(similarity.detach(), relevance, rows)
        ctx.save_for_backward(gradient)
        return value

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradients[0] * gradient, None, None


def hinge_and_gradient(similarity: Tensor, relevance: Tensor, rows: RowKernel) -> tuple[Tensor, Tensor]:
    """`compiled_hinge` and its gradient, (images, captions), of a similarity without a gradient."""
    (value, scale, gradient), (turned_value, turned_scale, turned_gradient) = (
        (total / max(1, pairs), 0.5 / max(1, pairs), slope)
        for total, pairs, slope in _run([(similarity, relevance), (similarity.mT, relevance.mT)], rows)
    )
    # Copied before it is added: to add a transposed matrix is several times slower.
    gradient.mul_(scale).add_(turned_gradient.mT.contiguous(), alpha=turned_scale)
    return similarity.new_tensor((value + turned_value) / 2), gradient


def run_rows(similarity: Tensor, relevance: Tensor, rows: RowKernel) -> tuple[float, int, Tensor]:
    """The sum of some queries' hinges, the number of their pairs, and the gradient of the sum, on torch's threads.

    Args:
        similarity: (queries, candidates) float32 or float64 on the CPU, without a gradient.
        relevance: (queries, candidates) on the CPU, NaN = unknown.
        rows: as in `compiled_hinge`.
    """
    return _run([(similarity, relevance)], rows)[0]


def _run(directions: Sequence[tuple[Tensor, Tensor]], rows: RowKernel) -> list[tuple[float, int, Tensor]]:
    """`run_rows` of several matrices, shared out to the threads together."""
    arrays = [(scores.contiguous().numpy(), labels.contiguous().numpy()) for scores, labels in directions]
    gradients = [np.empty_like(scores) for scores, _ in arrays]
    parts = []
    for number, (scores, _) in enumerate(arrays):
        step = max(1, ONE_PART // scores.shape[1])
        parts += [(number, start, min(start + step, len(scores))) for start in range(0, len(scores), step)]

    def work(first: int, last: int) -> list[tuple[float, int]]:
        return [rows(*arrays[number], start, stop, gradients[number]) for number, start, stop in parts[first:last]]

    alone = sum(scores.size for scores, _ in arrays) < WORTH_THREADS
    sums = [one for some in over_rows(work, len(parts), len(parts) if alone else 1) for one in some]
    found = []
    for number, gradient in enumerate(gradients):
        own = [one for one, part in zip(sums, parts, strict=True) if part[0] == number]
        found.append((sum(total for total, _ in own), sum(pairs for _, pairs in own), torch.from_numpy(gradient)))
    return found
