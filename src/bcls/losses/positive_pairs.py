"""Binary labels as a list of positive pairs, for batches whose (images, captions) matrix is too large to hold."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from bcls.errors import InputError
from bcls.losses.matrices import require_tensor

Positives = Tensor | tuple[Tensor, Tensor] | None


class PositivePairs(NamedTuple):
    """The positive pairs, one an entry.

    Attributes:
        images: (pairs,) row of the image.
        captions: (pairs,) row of the caption.
    """

    images: Tensor
    captions: Tensor


class Tile(NamedTuple):
    """A block of the matrix: its rows, its columns, and where its pairs stand in the list."""

    rows: slice
    columns: slice
    pairs: slice


def find_positive_pairs(positives: Positives, images: int, captions: int, device: torch.device) -> PositivePairs:
    """The positive pairs of a batch from any form of binary labels.

    Args:
        positives: None = image i with caption i; an (images, captions) bool matrix; a (pairs,) tensor of integer image
            ids shared by image i and caption i; or the two tensors (image ids, image id of each caption). Equal ids
            are positive.
        images: how many images.
        captions: how many captions.
        device: where the pairs are wanted.

    Raises:
        InputError: another shape or number format, no positive at all, or a form that needs as many images as captions.

    Cost: O(pairs), after a sort of the ids or a pass over the matrix.

    Example:
        >>> pairs = find_positive_pairs(torch.tensor([7, 8, 7]), 3, 3, torch.device("cpu"))
        >>> list(zip(pairs.images.tolist(), pairs.captions.tolist()))
        [(0, 0), (0, 2), (1, 1), (2, 0), (2, 2)]
    """
    if isinstance(positives, Tensor) and positives.ndim == 1:
        positives = (positives, positives)
    if isinstance(positives, tuple):
        if len(positives) != 2:
            raise InputError(f"positives are {len(positives)} tensors; two are needed: ids of images and of captions")
        for ids in positives:
            require_tensor(ids, "positives")
        pairs = _equal_ids(*positives, images, captions)
    elif positives is None:
        if images != captions:
            raise InputError(
                f"{images} images and {captions} captions: without positives image i belongs to caption i, which needs "
                "as many of both; give positives, a bool matrix or (image ids, image id of each caption)"
            )
        pairs = PositivePairs(torch.arange(images), torch.arange(images))
    else:
        require_tensor(positives, "positives")
        if positives.shape != (images, captions):
            raise InputError(f"positives are {tuple(positives.shape)}, but similarity is {(images, captions)}")
        if positives.dtype != torch.bool:
            raise InputError(f"positives must be bool, not {positives.dtype}; integer ids are one-dimensional")
        pairs = PositivePairs(*positives.nonzero(as_tuple=True))
    if not len(pairs.images):
        raise InputError("no pair is positive: a binary loss has nothing to learn from")
    return PositivePairs(pairs.images.to(device), pairs.captions.to(device))


def _equal_ids(image_ids: Tensor, caption_ids: Tensor, images: int, captions: int) -> PositivePairs:
    for name, ids, expected in (("image", image_ids, images), ("caption", caption_ids, captions)):
        if ids.shape != (expected,):
            raise InputError(f"the ids of {name}s are {tuple(ids.shape)}, but there are {expected} {name}s")
        if ids.is_floating_point() or ids.is_complex() or ids.dtype == torch.bool:
            raise InputError(f"the ids of {name}s must be integers, not {ids.dtype}")
    image_ids = image_ids.long()  # ids of two formats are compared in the wider one
    ordered, order = caption_ids.to(image_ids).sort(stable=True)
    start = torch.searchsorted(ordered, image_ids)
    counts = torch.searchsorted(ordered, image_ids, right=True) - start
    rows = torch.arange(images, device=counts.device).repeat_interleave(counts)
    first = (counts.cumsum(0) - counts)[rows]
    position = torch.arange(len(rows), device=counts.device) - first + start[rows]
    return PositivePairs(rows, order[position])


def cut_into_tiles(
    pairs: PositivePairs, shape: tuple[int, int], sides: tuple[int, int]
) -> tuple[list[Tile], PositivePairs]:
    """The blocks of a (rows, columns) matrix, row by row, and the pairs in the order of their blocks.

    Args:
        pairs: the positive pairs, in any order.
        shape: rows and columns of the matrix.
        sides: rows and columns of a block; the last ones may be smaller.
    """
    (rows, columns), (height, width) = shape, sides
    across = -(-columns // width)
    down = -(-rows // height)
    tile_of_pair, order = (pairs.images // height * across + pairs.captions // width).sort(stable=True)
    edges = torch.arange(down * across + 1, device=tile_of_pair.device)
    starts = torch.searchsorted(tile_of_pair, edges).tolist()
    tiles = [
        Tile(
            slice(i * height, min(rows, (i + 1) * height)),
            slice(j * width, min(columns, (j + 1) * width)),
            slice(starts[i * across + j], starts[i * across + j + 1]),
        )
        for i in range(down)
        for j in range(across)
    ]
    return tiles, PositivePairs(pairs.images[order], pairs.captions[order])
