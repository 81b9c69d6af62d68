"""InfoNCE with language-guided margins: the nearer a negative's relevance to a match, the smaller its margin."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from bcls.losses.base import RetrievalLoss
from bcls.losses.masked_triplets import masked_soft
from bcls.losses.matrices import both_directions, check_positives, check_relevance, check_similarity, require_relevance
from bcls.losses.means import mean_where
from bcls.losses.settings import require_above_zero, require_at_least, require_below_one
from bcls.losses.soft_triplets import soft_triplets


def language_margin_loss(
    similarity: Tensor,
    relevance: Tensor,
    positives: Tensor | None = None,
    *,
    margin: float = 0.2,
    threshold: float = 0.2,
    temperature: float = 0.02,
    validate: bool = True,
) -> Tensor:
    """Functional form of `LanguageMarginLoss`; see there.

    Example:
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> relevance = torch.tensor([[1.0, 0.6], [0.1, 1.0]])
        >>> language_margin_loss(similarity, relevance, margin=0.2, threshold=0.2, temperature=0.1)
        tensor(1.5039)
    """
    _check_settings(margin, threshold, temperature)
    similarity = check_similarity(similarity, validate=validate)
    relevance = check_relevance(similarity, relevance, validate=validate)
    positives = check_positives(similarity, positives, validate=validate)
    shrunk = (1 - relevance).clamp(min=0) * (margin / (1 - threshold))
    margins = torch.where(relevance >= threshold, shrunk, margin).to(similarity.dtype)
    one = partial(_one_direction if validate else _one_direction_of_mask, temperature=temperature)
    return both_directions(one, similarity + margins.masked_fill(positives, 0.0), positives)


def _check_settings(margin: float, threshold: float, temperature: float) -> None:
    require_at_least(0, margin=margin)
    require_below_one(threshold=threshold)
    require_above_zero(temperature=temperature)


def _one_direction_of_mask(raised: Tensor, positives: Tensor, *, temperature: float) -> Tensor:
    terms = masked_soft(raised, positives, margin=0.0, temperature=temperature)
    return mean_where(terms / temperature, positives)


def _one_direction(raised: Tensor, positives: Tensor, *, temperature: float) -> Tensor:
    return (soft_triplets(raised, positives, margin=0.0, temperature=temperature) / temperature).mean()


class LanguageMarginLoss(RetrievalLoss):
    """InfoNCE in which each negative has a margin of its own, made from its relevance (LG).

    With margin m, threshold h and temperature t, a negative n of query i has

        m_in = m (1 - r_in) / (1 - h)  if r_in is at least h, else m,

    which falls from m at the threshold to 0 for a candidate as relevant as a match. For a positive pair (i, p):
    log(1 + sum_n exp((s_in + m_in - s_ip) / t)), the mean over the positive pairs, averaged over the two directions.
    With several positives a query the others are left out of the sum. Unknown relevance (NaN) has the full margin: an
    ordinary negative. A query without a positive gives no term, one without a negative gives 0.

    Args:
        margin: m, at least 0.
        threshold: h, in [0, 1): what counts as related. Scorers spread differently; the published choice is the value
            that 70% of the labels of other captions lie below.
        temperature: t, above 0.
        validate: whether to check the values of scores and labels in every call; see `RetrievalLoss`.

    Raises:
        InputError: a setting out of range.

    Cost: O(images x captions) time and memory.

    Source: "Integrating Language Guidance into Image-Text Matching for Correcting False Negatives" (IEEE Transactions
    on Multimedia), by its published code. There the two directions are summed; here they are averaged. There an
    exponential without a log-sum-exp can overflow; here it cannot.

    Example:
        >>> loss = LanguageMarginLoss(margin=0.2, threshold=0.2, temperature=0.1)
        >>> loss(torch.tensor([[0.9, 0.8], [0.1, 0.4]]), torch.tensor([[1.0, 0.6], [0.1, 1.0]]))
        tensor(1.5039)
    """

    uses_relevance: ClassVar[bool] = True

    def __init__(
        self, *, margin: float = 0.2, threshold: float = 0.2, temperature: float = 0.02, validate: bool = True
    ) -> None:
        super().__init__(validate=validate)
        _check_settings(margin, threshold, temperature)
        self.margin = margin
        self.threshold = threshold
        self.temperature = temperature

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"language_margin": loss}`."""
        value = language_margin_loss(
            similarity,
            require_relevance(relevance),
            positives,
            margin=self.margin,
            threshold=self.threshold,
            temperature=self.temperature,
            validate=self.validate,
        )
        return {"language_margin": value}
