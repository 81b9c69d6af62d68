"""Batches that are spread over processes: embeddings gathered with their gradient, labels gathered as they are."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable

from bcls.errors import InputError
from bcls.losses.matrices import require_tensor


def gather_rows(rows: Tensor) -> Tensor:
    """The rows of all processes, in the order of the ranks, with a gradient to those of this process.

    Every process computes the loss of the whole batch from what it gathered. `DistributedDataParallel` then averages
    the gradients of the weights, and the average is the gradient that one process would have with the whole batch: that
    of the gathered rows is summed over the processes for this purpose. Without a process group the rows are returned
    as they are, so the same line serves one process.

    Args:
        rows: (rows, ...) embeddings, ids or other labels; the number of rows may differ from process to process, all
            else must be the same.

    Returns:
        (rows of all processes, ...).

    Raises:
        InputError: a tensor without rows to gather, i.e. without dimensions.

    Cost: one all-gather forward, padded to the longest; one all-reduce of the gathered gradient backward. Every process
    holds the whole (images, captions) matrix.

    Example:
        >>> captions = torch.nn.functional.normalize(torch.ones(2, 4, requires_grad=True))
        >>> gather_rows(captions) is captions  # here: a single process
        True
    """
    require_tensor(rows, "rows to gather")
    if rows.ndim == 0:
        raise InputError("rows to gather must have at least one dimension; a scalar has none")
    if not _is_distributed():
        return rows
    return cast(Tensor, _GatherRows.apply(rows))  # type: ignore[no-untyped-call]


def gather_relevance(relevance: Tensor) -> Tensor:
    """Labels of all processes' own blocks, for whoever has no labels across processes: those are unknown.

    Where the labels come from a source of the whole data set, gather row numbers by `gather_rows` and ask the source
    for the whole matrix instead: then every pair has its label.

    Args:
        relevance: (images, captions) of this process, in [0, 1], NaN = unknown.

    Returns:
        (images, captions) of all processes, in the order of the ranks, NaN between processes.

    Raises:
        InputError: not a floating-point matrix.

    Example:
        >>> gather_relevance(torch.eye(2))  # here: a single process
        tensor([[1., 0.],
                [0., 1.]])
    """
    require_tensor(relevance, "relevance")
    if relevance.ndim != 2:
        raise InputError(f"relevance must be an (images, captions) matrix, not {tuple(relevance.shape)}")
    if not relevance.is_floating_point():
        raise InputError(f"relevance must be floating point in [0, 1], not {relevance.dtype}")
    if not _is_distributed():
        return relevance
    shapes = gather_rows(torch.tensor([relevance.shape], device=relevance.device)).tolist()
    sizes = [images * captions for images, captions in shapes]
    values = torch.split(gather_rows(relevance.detach().reshape(-1)), sizes)
    rows, columns = (_borders([shape[side] for shape in shapes]) for side in (0, 1))
    whole = relevance.new_full((rows[-1], columns[-1]), torch.nan)
    for block, row, column in zip(values, pairwise(rows), pairwise(columns), strict=True):
        whole[slice(*row), slice(*column)] = block.reshape(row[1] - row[0], column[1] - column[0])
    return whole


class _GatherRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        counts = _row_counts(rows)
        padded = rows.new_zeros(max(counts), *rows.shape[1:])
        padded[: len(rows)] = rows
        gathered = [torch.empty_like(padded) for _ in counts]
        dist.all_gather(gathered, padded)
        ctx.own = _borders(counts)[dist.get_rank() :][:2]
        return torch.cat([part[:count] for part, count in zip(gathered, counts, strict=True)])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(gradient)
        return gradient[slice(*ctx.own)]


def _row_counts(rows: Tensor) -> list[int]:
    counts = [torch.zeros(1, dtype=torch.int64, device=rows.device) for _ in range(dist.get_world_size())]
    dist.all_gather(counts, torch.tensor([len(rows)], device=rows.device))
    return [int(count) for count in counts]


def _borders(counts: list[int]) -> list[int]:
    return [0, *accumulate(counts)]


def _is_distributed() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
