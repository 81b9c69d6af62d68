"""The ranks of a gallery's positives in both directions, each score asked for once."""

from __future__ import annotations

from bcls.evaluation.cosine import CosineSimilarity
from bcls.evaluation.protocols import Fold
from bcls.evaluation.ranks import PositiveRanks, Ties
from bcls.evaluation.rough_cosine import count_rough_strangers, exact_pairs
from bcls.evaluation.similarity import Blocks, rows_in_block
from bcls.evaluation.strangers import Positives, count_strangers
from bcls.evaluation.truth import Direction

ROUGH_SCORES = 16_000_000
"""Scores in a block of the product in single precision: fewer cost the product its speed (64 MB)."""


def both_directions(
    scores: Blocks, fold: Fold, ties: Ties, block: int | None, *, fast: bool
) -> dict[Direction, PositiveRanks]:
    """Rank the positives of a gallery, images against captions and captions against images.

    The cost is one pass over the scores for both directions, with a comparison for each positive; the working memory is
    one block.

    Args:
        scores: similarities; a function is asked for each pair once, and beforehand for the pairs of some images and
            their own captions.
        fold: the gallery.
        ties: the rule for equal scores, see `positive_ranks`.
        block: images held at a time; None for a number that suits the way taken.
        fast: take compiled kernels (the ranks are the same).

    Returns:
        Ranks of both directions; queries are positions in the fold.

    Raises:
        InputError: a score is not finite.
    """
    ranks = _rough_ranks(scores, fold, ties, block) if fast else None
    if ranks is not None:
        return ranks
    step = rows_in_block(block, fold.captions.size)
    positives = Positives.of(scores.truth, fold, lambda images, captions: scores.pairs(images, captions, step))
    return positives.ranks(count_strangers(scores, fold, positives, ties, step, fast=fast), ties)


def _rough_ranks(scores: Blocks, fold: Fold, ties: Ties, block: int | None) -> dict[Direction, PositiveRanks] | None:
    """By way of a product in single precision; None where that is not possible, or no cheaper."""
    cosine = scores.ask
    if not isinstance(cosine, CosineSimilarity):
        return None
    positives = Positives.of(scores.truth, fold, lambda images, captions: exact_pairs(cosine, images, captions))
    step = block or max(1, ROUGH_SCORES // fold.captions.size)
    counts = count_rough_strangers(cosine, fold, positives, step)
    return None if counts is None else positives.ranks(counts, ties)
