"""Runs a row kernel over both directions on threads, and hands its gradient to autograd."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

RowKernel: TypeAlias = "Callable[[NDArray[Any], NDArray[Any], int, int, NDArray[Any]], tuple[float, int]]"
ELEMENTS_WORTH_A_THREAD = 1 << 15
PARTS_A_THREAD = 4


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
        value, gradient = _one_direction(similarity.detach(), relevance, rows)
        turned_value, turned_gradient = _one_direction(similarity.detach().mT, relevance.mT, rows)
        ctx.save_for_backward(gradient.add_(turned_gradient.mT))
        return similarity.new_tensor((value + turned_value) / 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradients[0] * gradient, None, None


def _one_direction(similarity: Tensor, relevance: Tensor, rows: RowKernel) -> tuple[float, Tensor]:
    total, pairs, gradient = run_rows(similarity, relevance, rows)
    return total / max(1, pairs), gradient.div_(2 * max(1, pairs))


def run_rows(similarity: Tensor, relevance: Tensor, rows: RowKernel) -> tuple[float, int, Tensor]:
    """The sum of some queries' hinges, the number of their pairs, and the gradient of the sum, on torch's threads.

    Args:
        similarity: (queries, candidates) float32 or float64 on the CPU, without a gradient.
        relevance: (queries, candidates) on the CPU, NaN = unknown.
        rows: as in `compiled_hinge`.
    """
    scores, labels = similarity.contiguous().numpy(), relevance.contiguous().numpy()
    gradient = np.empty_like(scores)
    threads = min(torch.get_num_threads(), 1 + scores.size // ELEMENTS_WORTH_A_THREAD)
    if threads == 1:
        results = [rows(scores, labels, 0, len(scores), gradient)]
    else:
        ends = np.linspace(0, len(scores), threads * PARTS_A_THREAD + 1).astype(int).tolist()
        with ThreadPoolExecutor(threads) as pool:
            results = list(
                pool.map(lambda start, stop: rows(scores, labels, start, stop, gradient), ends[:-1], ends[1:])
            )
    return sum(total for total, _ in results), sum(count for _, count in results), torch.from_numpy(gradient)
