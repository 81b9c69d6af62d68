"""Stacked cross attention (SCAN): every word finds its regions, or every region its words."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from bcls.errors import InputError
from bcls.models.set_similarity import BLOCK, SetSimilarity, Side
from bcls.models.similarity import real_members

SMALLEST = 1e-8


class CrossAttention(SetSimilarity):
    """SCAN: each member of one side attends to the other side; what it finds is compared with it.

    For `text_to_image` the words e_j of a caption attend to the regions v_i of an image. With s_ij = cos(v_i, e_j):

        w_ij = max(0, s_ij) / sqrt(sum over j of max(0, s_ij)^2)
        a_j  = sum over i of softmax_i(smoothing * w_ij) v_i
        similarity = the mean, or log sum exp, over the words j of cos(e_j, a_j)

    where log sum exp stands for log(sum_j exp(sharpness * x_j)) / sharpness. `image_to_text` is the same with words and
    regions exchanged. The cosines are computed from products of members alone, cos(e_j, a_j) = sum_i p_ij s_ij /
    sqrt(p_j' G p_j) with the Gram matrix G of the image's regions: no attended vector is ever made.

    The mean lies in [-1, 1], the log sum exp of n members above it by at most log(n) / sharpness. Cost for each pair:
    regions x words x (dim + regions) multiplications.

    Args:
        direction: whose members attend.
        pooling: of the members' cosines.
        smoothing: of the softmax; the paper's lambda 1: 9 for `text_to_image`, 4 for `image_to_text`.
        sharpness: of the log sum exp; the paper's lambda 2: 6 and 5. The mean does not use it.
        block: numbers that an intermediate tensor may hold, see `SetSimilarity`.

    Raises:
        InputError: an unknown direction or pooling, or a number that is not above 0 and finite.

    Source: Lee et al., Stacked Cross Attention for Image-Text Matching, arXiv 1803.08024, sections 3.1 and 3.2. Its
    published code has a leaky rectifier (slope 0.1) in place of max(0, .).

    Example:
        >>> regions, words = torch.eye(2)[None], torch.eye(2)[None, :1]
        >>> CrossAttention(smoothing=100.0)(regions, words)
        tensor([[1.]])
    """

    def __init__(
        self,
        *,
        direction: Literal["text_to_image", "image_to_text"] = "text_to_image",
        pooling: Literal["mean", "logsumexp"] = "mean",
        smoothing: float = 9.0,
        sharpness: float = 6.0,
        block: int = BLOCK,
    ) -> None:
        super().__init__(block=block)
        if direction not in {"text_to_image", "image_to_text"}:
            raise InputError(f"direction is {direction!r}; it must be text_to_image or image_to_text")
        if pooling not in {"mean", "logsumexp"}:
            raise InputError(f"pooling is {pooling!r}; it must be mean or logsumexp")
        for name, value in (("smoothing", smoothing), ("sharpness", sharpness)):
            if not 0 < value < float("inf"):
                raise InputError(f"{name} is {value}; it must be above 0 and finite")
        self.direction: Literal["text_to_image", "image_to_text"] = direction
        self.pooling: Literal["mean", "logsumexp"] = pooling
        self.smoothing = smoothing
        self.sharpness = sharpness

    def numbers(self, regions: int, words: int) -> int:
        """A product of every region with every word."""
        return regions * words

    def image_side(self, images: Tensor) -> Side:
        """Images, and their Gram matrices where they are attended to."""
        return (images, images @ images.mT) if self.direction == "text_to_image" else (images,)

    def caption_side(self, captions: Tensor) -> Side:
        """Captions, and their Gram matrices where they are attended to."""
        return (captions, captions @ captions.mT) if self.direction == "image_to_text" else (captions,)

    def compare(self, images: Side, captions: Side) -> Tensor:
        """The (images, captions) similarities of one block."""
        if self.direction == "text_to_image":
            return self._pooled(images, captions)
        return self._pooled(captions, images).T

    def _pooled(self, contexts: Side, queries: Side) -> Tensor:
        """(contexts, queries): the cosines of each query's members with what they find, pooled."""
        (sets, grams), (asking,) = contexts, queries
        dots, weights = attention(sets, asking, self.smoothing)
        found = (weights * dots).sum(dim=1)
        spread = (grams @ weights.flatten(2)).view_as(weights)
        cosines = found / (weights * spread).sum(dim=1).clamp_min(SMALLEST**2).sqrt()
        real = real_members(asking)
        if self.pooling == "mean":
            return cosines.masked_fill(~real, 0.0).sum(dim=2) / real.sum(dim=1).clamp_min(1)
        sharp = (self.sharpness * cosines).masked_fill(~real, -torch.inf)
        return torch.logsumexp(sharp, dim=2) / self.sharpness


def attention(contexts: Tensor, queries: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """SCAN's attention of every member of every query over the members of every context.

    Args:
        contexts: (C, M, dim) what is attended to.
        queries: (Q, N, dim) what attends.
        smoothing: of the softmax.

    Returns:
        The products and the weights, (C, M, Q, N) each; the weights of real members sum to 1 over M, padding has none.
    """
    size = (*contexts.shape[:2], *queries.shape[:2])
    dots = (contexts.flatten(0, 1) @ queries.flatten(0, 1).T).view(size)
    scores = smoothing * F.normalize(dots.relu(), dim=3, eps=SMALLEST)
    padding = ~real_members(contexts)
    if padding.any():
        scores = scores.masked_fill(padding[:, :, None, None], torch.finfo(scores.dtype).min)
    return dots, scores.softmax(dim=1)
