"""The three matrices that a loss sees, checked: similarity, relevance, positives."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from bcls.errors import InputError
from bcls.precision import at_least_single

TOLERANCE = 1e-5


def require_tensor(value: object, name: str) -> None:
    """Refuse what is no plain torch tensor, which a loss would fail on or misread.

    Raises:
        InputError: another type, a tensor without numbers (`meta`), or a masked, nested or sparse one.

    Example:
        >>> require_tensor([[1.0]], "relevance")
        Traceback (most recent call last):
        bcls.errors.InputError: relevance must be a torch tensor, not list
    """
    if not isinstance(value, Tensor):
        hint = ": use torch.from_numpy(...)" if type(value).__module__ == "numpy" else ""
        raise InputError(f"{name} must be a torch tensor, not {type(value).__name__}{hint}")
    if value.is_meta:
        raise InputError(f"{name} is on the device 'meta', so that it has no numbers")
    if value.is_nested or value.layout is not torch.strided:
        raise InputError(f"{name} must be a dense tensor, not a nested or sparse one")
    if hasattr(value, "get_mask"):
        raise InputError(f"{name} must be a plain tensor, not a masked one: fill what is masked with NaN = unknown")


def check_similarity(similarity: Tensor, *, validate: bool = True) -> Tensor:
    """The scores of all (image, caption) pairs, in a number format fit for sums.

    Args:
        similarity: (images, captions), floating point, finite.
        validate: whether to check the values too; without, nothing waits for the device.

    Returns:
        The same values; float16 and bfloat16 become float32.

    Raises:
        InputError: not a tensor, not a non-empty floating-point matrix, or a score is NaN or infinite (the first is
            named).
    """
    require_tensor(similarity, "similarity")
    if similarity.ndim != 2 or similarity.numel() == 0:
        raise InputError(f"similarity must be a non-empty (images, captions) matrix, not {tuple(similarity.shape)}")
    if not similarity.is_floating_point():
        raise InputError(f"similarity must be floating point, not {similarity.dtype}")
    similarity = at_least_single(similarity)
    if validate and not all(map(math.isfinite, _extremes(similarity))):
        row, column = _first(~torch.isfinite(similarity))
        raise InputError(
            f"similarity of image {row} and caption {column} is {similarity[row, column].item()}: scores must be "
            "finite (a diverging model or a division by a zero norm gives such scores)"
        )
    return similarity


def require_relevance(relevance: Tensor | None) -> Tensor:
    """The labels, or `InputError` where there are none."""
    if relevance is None:
        raise InputError("this loss needs relevance: an (images, captions) matrix in [0, 1], NaN = unknown")
    return relevance


def check_relevance(
    similarity: Tensor, relevance: Tensor | None, *, first: tuple[int, int] = (0, 0), validate: bool = True
) -> Tensor:
    """Continuous labels of all pairs, or of a block of them.

    Args:
        similarity: (images, captions), for the shape and the device.
        relevance: (images, captions) in [0, 1], NaN = unknown.
        first: the image and the caption that the block begins with, for the message.
        validate: whether to check the values too; without, nothing waits for the device.

    Returns:
        The labels without a gradient; float16 and bfloat16 become float32.

    Raises:
        InputError: missing, another shape, not floating point, or outside [0, 1] (the first is named).
    """
    relevance = require_relevance(relevance)
    require_tensor(relevance, "relevance")
    if relevance.shape != similarity.shape:
        raise InputError(f"relevance is {tuple(relevance.shape)}, but similarity is {tuple(similarity.shape)}")
    if not relevance.is_floating_point():
        raise InputError(f"relevance must be floating point in [0, 1], not {relevance.dtype}")
    relevance = at_least_single(relevance)
    if validate:
        least, most = _extremes(relevance)
        if not (least >= -TOLERANCE and most <= 1 + TOLERANCE):  # also where a label is NaN
            _refuse_outside(relevance, first)
    return relevance.detach().to(similarity.device)


def check_positives(similarity: Tensor, positives: Tensor | None, *, validate: bool = True) -> Tensor:
    """Binary labels of all pairs.

    Args:
        similarity: (images, captions), for the shape and the device.
        positives: (images, captions) bool; None = the diagonal of a square matrix.
        validate: whether to check the values too; without, nothing waits for the device.

    Returns:
        (images, captions) bool.

    Raises:
        InputError: another shape, not bool, no positive at all, or None for a matrix that is not square.
    """
    if positives is None:
        if similarity.shape[0] != similarity.shape[1]:
            raise InputError(
                f"similarity is {tuple(similarity.shape)}: without positives the diagonal is meant, which needs a "
                "square matrix; give positives, an (images, captions) bool matrix"
            )
        return torch.eye(similarity.shape[0], dtype=torch.bool, device=similarity.device)
    require_tensor(positives, "positives")
    if positives.shape != similarity.shape:
        raise InputError(f"positives are {tuple(positives.shape)}, but similarity is {tuple(similarity.shape)}")
    if positives.dtype != torch.bool:
        raise InputError(f"positives must be bool, not {positives.dtype}")
    if validate and not bool(positives.any()):
        raise InputError("no pair is positive: a binary loss has nothing to learn from")
    return positives.to(similarity.device)


def both_directions(one: Callable[..., Tensor], *matrices: Tensor) -> Tensor:
    """The mean of a loss over rows (image to text) and over columns (text to image).

    Relevance is not symmetric: the column direction sees the transpose of every matrix, each its own.
    """
    return (one(*matrices) + one(*(matrix.mT for matrix in matrices))) / 2


def _extremes(matrix: Tensor) -> tuple[float, float]:
    """The least and the largest number, NaN where there is one: one pass, where a mask of all would take several."""
    least, most = torch.stack(torch.aminmax(matrix.detach())).tolist()
    return least, most


def _refuse_outside(relevance: Tensor, first: tuple[int, int]) -> None:
    outside = (relevance < -TOLERANCE) | (relevance > 1 + TOLERANCE)
    if bool(outside.any()):
        row, column = _first(outside)
        raise InputError(
            f"relevance of image {first[0] + row} and caption {first[1] + column} is "
            f"{relevance[row, column].item():.6g}: it must lie in [0, 1]; rescale the labels (NaN means unknown)"
        )


def _first(mask: Tensor) -> tuple[int, int]:
    row, column = mask.nonzero()[0].tolist()
    return int(row), int(column)
