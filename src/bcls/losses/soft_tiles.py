"""Soft triplets from embeddings, in square blocks of similarities: Triplet-SN, and with no margin InfoNCE."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from bcls.losses.blocked import Blocked, Inputs, Needs
from bcls.losses.positive_pairs import PositivePairs, Tile, cut_into_tiles


class _Pulls(NamedTuple):
    """The log-sum-exp of each query's negatives in both directions, and each positive pair's score, all over t."""

    images: Tensor
    captions: Tensor
    positive: Tensor


def soft_tiles(inputs: Inputs, needs: Needs, *, pairs: PositivePairs, margin: float, side: int) -> Blocked:
    """The mean of t * log(1 + sum over negatives of exp((s_in - s_ip + m) / t)) over both directions' positive pairs.

    Two passes over the blocks. The first gathers each query's log-sum-exp over its negatives, rows and columns from
    the same block, and the scores of the positive pairs: they give the value. The second makes the similarities again
    and turns them into their gradient. The temperature's gradient needs no pass: the value is homogeneous of degree 1
    in scores, margin and temperature together, so that by Euler's theorem it is
    t dv/dt = v - sum s dv/ds - m dv/dm, where sum s dv/ds = sum of embeddings times their gradients.

    Args:
        inputs: the embeddings and t.
        needs: whose gradients are wanted.
        pairs: the positive pairs.
        margin: m.
        side: rows and columns of a block.

    Cost: 4 matrix products with gradients (a full matrix takes 3), 1 without; memory of two blocks beside the
    gradients and what grows with images, captions and pairs.
    """
    images, captions, temperature = inputs
    assert temperature is not None
    scaled = images / temperature
    tiles, pairs = cut_into_tiles(pairs, (len(images), len(captions)), (side, side))
    scratch = _Scratch(scaled, captions, side)
    pulls = _pulls(scratch, tiles, pairs)
    offset = margin / temperature - pulls.positive
    over_images = pulls.images[pairs.images] + offset
    over_captions = pulls.captions[pairs.captions] + offset
    count = 2 * len(pairs.images)
    value = -temperature * (F.logsigmoid(-over_images).sum() + F.logsigmoid(-over_captions).sum()) / count
    if not any(needs):
        return Blocked(value)
    for_images, for_captions = over_images.sigmoid(), over_captions.sigmoid()
    weights = _Weights(
        _log_weights(pulls.images, pairs.images, for_images),
        _log_weights(pulls.captions, pairs.captions, for_captions),
        for_images + for_captions,
    )
    of_images, of_captions = torch.zeros_like(images), torch.zeros_like(captions)
    for tile in tiles:
        gradient = _tile_gradient(scratch, tile, pairs, weights)
        if needs.images or needs.temperature:
            of_images[tile.rows].addmm_(gradient, captions[tile.columns], alpha=1 / count)
        if needs.captions:
            of_captions[tile.columns].addmm_(gradient.mT, images[tile.rows], alpha=1 / count)
    of_temperature = value - (images * of_images).sum() - margin * weights.positive.sum() / count
    return Blocked(
        value,
        of_images if needs.images else None,
        of_captions if needs.captions else None,
        of_temperature / temperature if needs.temperature else None,
    )


class _Weights(NamedTuple):
    """Logarithms of what a query's exponentials are multiplied with, and the pull on each positive pair."""

    images: Tensor
    captions: Tensor
    positive: Tensor


class _Scratch:
    """Scores by the tile, in two blocks that every tile uses again: fresh ones would cost as much as the arithmetic."""

    def __init__(self, scaled: Tensor, captions: Tensor, side: int) -> None:
        self.scaled, self.captions = scaled, captions
        elements = min(side, len(scaled)) * min(side, len(captions))
        self.first, self.second = scaled.new_empty(elements), scaled.new_empty(elements)

    def scores(self, tile: Tile) -> tuple[Tensor, Tensor]:
        """The tile's scores over t, and a free block of the same shape."""
        rows, columns = self.scaled[tile.rows], self.captions[tile.columns]
        shape, elements = (len(rows), len(columns)), len(rows) * len(columns)
        scores = torch.mm(rows, columns.mT, out=self.first[:elements].view(shape))
        return scores, self.second[:elements].view(shape)


def _pulls(scratch: _Scratch, tiles: list[Tile], pairs: PositivePairs) -> _Pulls:
    over_images = scratch.scaled.new_full((len(scratch.scaled),), -torch.inf)
    over_captions = scratch.scaled.new_full((len(scratch.captions),), -torch.inf)
    positive = scratch.scaled.new_empty(len(pairs.images))
    for tile in tiles:
        scores, free = scratch.scores(tile)
        rows, columns = _local(pairs, tile)
        positive[tile.pairs] = scores[rows, columns]
        scores[rows, columns] = -torch.inf
        for pull, part, dim in ((over_images, tile.rows, 1), (over_captions, tile.columns, 0)):
            pull[part] = torch.logaddexp(pull[part], _log_sum_exp(scores, dim, free))
    return _Pulls(over_images, over_captions, positive)


def _local(pairs: PositivePairs, tile: Tile) -> tuple[Tensor, Tensor]:
    return pairs.images[tile.pairs] - tile.rows.start, pairs.captions[tile.pairs] - tile.columns.start


def _log_sum_exp(scores: Tensor, dim: int, free: Tensor) -> Tensor:
    largest = scores.amax(dim=dim, keepdim=True)
    largest.masked_fill_(largest == -torch.inf, 0.0)
    torch.sub(scores, largest, out=free)
    return free.exp_().sum(dim=dim).log_().add_(largest.squeeze(dim))


def _log_weights(pull: Tensor, queries: Tensor, pulling: Tensor) -> Tensor:
    """The logarithm of (a query's pull over its positive pairs, divided by its sum of exponentials)."""
    pulled = torch.zeros_like(pull).index_add_(0, queries, pulling)
    return torch.where(pull == -torch.inf, -torch.inf, pulled.log() - pull)


def _tile_gradient(scratch: _Scratch, tile: Tile, pairs: PositivePairs, weights: _Weights) -> Tensor:
    scores, free = scratch.scores(tile)
    torch.add(scores, weights.images[tile.rows, None], out=free).exp_()
    scores.add_(weights.captions[tile.columns]).exp_()
    gradient = scores.add_(free)
    gradient[_local(pairs, tile)] = -weights.positive[tile.pairs]
    return gradient
