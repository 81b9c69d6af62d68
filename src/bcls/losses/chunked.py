"""Losses of large batches: from embeddings, a block of similarities at a time."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from bcls.errors import InputError
from bcls.losses.base import RetrievalLoss
from bcls.losses.binary_continuous import BCLSLoss
from bcls.losses.blocked import blocked, check_embeddings
from bcls.losses.infonce import InfoNCELoss
from bcls.losses.kendall import KendallLoss
from bcls.losses.positive_pairs import PositivePairs, Positives, find_positive_pairs
from bcls.losses.query_blocks import query_blocks
from bcls.losses.query_terms import kendall_blocks, triplet_blocks
from bcls.losses.relevance_blocks import Relevance, RelevanceBlocks
from bcls.losses.settings import number_of, require_above_zero
from bcls.losses.soft_tiles import soft_tiles
from bcls.losses.triplet import TripletLoss, triplet_terms


class ChunkedLoss(nn.Module):
    """A loss of a batch whose similarity matrix does not fit: the same value and gradients, from the embeddings.

    `ChunkedLoss(loss)(images, captions)` is `loss(images @ captions.T)`, but never holds more than a block of
    similarities: at 32,768 pairs of 512 dimensions, some 400 MB in place of several matrices of 4 GB. Triplet-SN and
    InfoNCE go through square blocks, twice; everything else needs all candidates of a query and goes through blocks of
    whole queries, once a direction. The gradients of the embeddings are made in the forward pass where they are
    wanted, and are what is kept for the backward pass; they cannot be differentiated again. Where the whole matrix
    fits, the time is about the same.

    Args:
        loss: `TripletLoss`, `InfoNCELoss`, `KendallLoss` or `BCLSLoss`. Its settings stay its own and may change
            between calls; a learnable temperature gets its gradient. All pairs of the Kendall loss are counted by its
            compiled engine alone: on the CPU, with the extra `fast`.
        block: at most block x block similarities are held at once, at least 1 (a single query's are held in any case).

    Raises:
        InputError: a block below 1, or a loss without a chunked form.

    Cost: memory of a few blocks (SW-HS by the torch engine: some twenty), the gradients, and what grows with the
    positive pairs. Time, in products of an (images, dimensions) and a (dimensions, captions) matrix, of which a full
    matrix takes 3: 4 for Triplet-SN and InfoNCE; 6 for the others, or down to 2 where few similarities have a gradient
    (SW-HS `boundary`, hardest negatives); for SW-HS also a sort of each query's candidates. Without gradients: 1 and
    2. Small blocks cost time. The benchmark is `benchmarks/chunked_losses.py`.

    Source: of the plan to accumulate a contrastive loss in tiles, arXiv 2410.17243; of gradients of embeddings kept
    for later, arXiv 2101.06983. The chunked forms of the graded losses are this project's.

    Example:
        >>> loss = ChunkedLoss(BCLSLoss(pairs="stride", window=1), block=1024)
        >>> images = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
        >>> captions = torch.tensor([[0.9, 0.1], [0.8, 0.4]])
        >>> relevance = torch.tensor([[1.0, 0.3], [0.2, 1.0]])
        >>> loss(images, captions, relevance=lambda i, j: relevance[i, j])
        tensor(0.2282, grad_fn=<AddBackward0>)
    """

    def __init__(self, loss: RetrievalLoss, block: int = 2048) -> None:
        super().__init__()
        if block < 1:
            raise InputError(f"block is {block}; it must be at least 1")
        if not isinstance(loss, TripletLoss | InfoNCELoss | KendallLoss | BCLSLoss):
            raise InputError(
                f"{type(loss).__name__} has no chunked form: use TripletLoss, InfoNCELoss, KendallLoss or BCLSLoss"
            )
        self.loss = loss
        self.block = block

    def forward(
        self,
        image_embeddings: Tensor,
        caption_embeddings: Tensor,
        *,
        relevance: Relevance = None,
        positives: Positives = None,
    ) -> Tensor:
        """The loss.

        Args:
            image_embeddings: (images, dimensions), finite; their products with the captions' are the similarities
                (cosines, where the rows have length 1). float16 and bfloat16 are computed in float32, also under
                autocast.
            caption_embeddings: (captions, dimensions), on the same device.
            relevance: (images, captions) in [0, 1], NaN = unknown; or a function that is given a slice of images and a
                slice of captions and returns that block, so that the whole never exists. It is asked for blocks of
                whole rows, then of whole columns. Losses without continuous labels ignore it.
            positives: None = image i with caption i; an (images, captions) bool matrix; integer image ids, (pairs,),
                shared by image i and caption i; or (image ids, image id of each caption). Equal ids are positive.
                Losses without binary labels ignore it.

        Returns:
            A scalar in float32, or float64 where embeddings are.

        Raises:
            InputError: a wrong shape, a value that is not finite, a label outside [0, 1], no positive at all.
        """
        return self.loss.combine(
            self.terms(image_embeddings, caption_embeddings, relevance=relevance, positives=positives)
        )

    def terms(
        self,
        image_embeddings: Tensor,
        caption_embeddings: Tensor,
        *,
        relevance: Relevance = None,
        positives: Positives = None,
    ) -> dict[str, Tensor]:
        """The unweighted terms by name, as `loss.terms` names them."""
        images, captions = check_embeddings(image_embeddings, caption_embeddings)
        terms = {}
        for loss in (self.loss.triplet, self.loss.kendall) if isinstance(self.loss, BCLSLoss) else (self.loss,):
            if isinstance(loss, KendallLoss):
                labels = RelevanceBlocks(relevance, len(images), len(captions), images.device)
                terms["kendall"] = self._kendall(images, captions, labels, loss)
                continue
            pairs = find_positive_pairs(positives, len(images), len(captions), images.device)
            if isinstance(loss, InfoNCELoss):
                temperature = loss.bounded_temperature()
                terms["infonce"] = self._soft(images, captions, pairs, 0.0, temperature) / temperature
            elif loss.negatives == "soft":
                terms["triplet"] = self._soft(images, captions, pairs, loss.margin, loss.temperature)
            else:
                terms["triplet"] = self._triplet(images, captions, pairs, loss)
        return terms

    def _soft(
        self, images: Tensor, captions: Tensor, pairs: PositivePairs, margin: float, temperature: float | Tensor
    ) -> Tensor:
        compute = partial(soft_tiles, pairs=pairs, margin=margin, side=self.block)
        require_above_zero(temperature=number_of(temperature, "temperature"))
        scalar = torch.as_tensor(temperature, dtype=images.dtype, device=images.device)
        return blocked(compute, images, captions, scalar)

    def _triplet(self, images: Tensor, captions: Tensor, pairs: PositivePairs, loss: TripletLoss) -> Tensor:
        one = triplet_terms(margin=loss.margin, negatives=loss.negatives, temperature=loss.temperature)
        rows = triplet_blocks(one, pairs.images, pairs.captions)
        columns = triplet_blocks(one, pairs.captions, pairs.images)
        return blocked(partial(query_blocks, rows=rows, columns=columns, block=self.block**2), images, captions)

    def _kendall(self, images: Tensor, captions: Tensor, labels: RelevanceBlocks, loss: KendallLoss) -> Tensor:
        rows, columns = kendall_blocks(labels.of_images, loss), kendall_blocks(labels.of_captions, loss)
        return blocked(partial(query_blocks, rows=rows, columns=columns, block=self.block**2), images, captions)
