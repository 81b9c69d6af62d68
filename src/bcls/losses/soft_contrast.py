"""Soft-label contrast: the softmax of a query's scores must be the softmax of its relevance."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from bcls.losses.base import RetrievalLoss
from bcls.losses.infonce import InfoNCELoss
from bcls.losses.matrices import both_directions, check_relevance, check_similarity, require_relevance
from bcls.losses.means import mean_where
from bcls.losses.settings import require_above_zero, require_at_least


def soft_contrast_loss(
    similarity: Tensor,
    relevance: Tensor,
    *,
    temperature: float = 0.05,
    label_temperature: float = 0.1,
    validate: bool = True,
) -> Tensor:
    """The graded term of `SoftContrastLoss`; see there.

    Example:
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> relevance = torch.tensor([[1.0, 0.6], [0.2, 1.0]])
        >>> soft_contrast_loss(similarity, relevance, temperature=0.1, label_temperature=0.5)
        tensor(0.7886)
    """
    require_above_zero(temperature=temperature, label_temperature=label_temperature)
    similarity = check_similarity(similarity, validate=validate)
    relevance = check_relevance(similarity, relevance, validate=validate).to(similarity.dtype)
    one = partial(_one_direction, temperature=temperature, label_temperature=label_temperature)
    return both_directions(one, similarity, relevance)


def _one_direction(similarity: Tensor, relevance: Tensor, *, temperature: float, label_temperature: float) -> Tensor:
    known = ~relevance.isnan()
    labels = _log_shares(relevance.nan_to_num(0.0) / label_temperature, known)
    scores = _log_shares(similarity / temperature, known)
    return mean_where((known * labels.exp() * (labels - scores)).sum(dim=1), known.any(dim=1))


def _log_shares(logits: Tensor, known: Tensor) -> Tensor:
    """Logarithm of the softmax over the known candidates; 0 at the others."""
    outside = ~known & known.any(dim=1, keepdim=True)
    return F.log_softmax(logits.masked_fill(outside, -torch.inf), dim=1).masked_fill(~known, 0.0)


class SoftContrastLoss(RetrievalLoss):
    """InfoNCE + weight x KL(softmax(r / t_label) to softmax(s / t)): continuous labels as soft targets.

    For each query the Kullback-Leibler divergence of its candidates' shares, the labels' from the scores'; the mean
    over the queries with a known label, averaged over the two directions. It wants the labels' proportions, not only
    their order. Candidates of unknown relevance (NaN) are left out of both softmaxes; without any known label the term
    is 0 with a zero gradient.

    Args:
        temperature: t of the scores, in both terms, above 0.
        label_temperature: t_label, above 0. A high one makes the labels nearly equal, a low one leaves the match alone:
            with a match at 1 and other captions around 0.15, at 0.1 the match has nearly all of a batch's share, at 1.0
            nearly none.
        weight: of the graded term, at least 0.
        validate: whether to check the values of scores and labels in every call; see `RetrievalLoss`.

    Raises:
        InputError: a setting out of range.

    Cost: O(images x captions) time and memory.

    Source: the cross-modal soft-label alignment of CUSA, arXiv 2403.05261, where the labels are cosines of a teacher of
    each modality and the scores' temperature is learnt; here one relevance matrix serves, and its columns the captions.

    Example:
        >>> loss = SoftContrastLoss(temperature=0.1, label_temperature=0.5, weight=0.5)
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> relevance = torch.tensor([[1.0, 0.6], [0.2, 1.0]])
        >>> {name: round(term.item(), 4) for name, term in loss.terms(similarity, relevance).items()}
        {'infonce': 1.0951, 'soft_contrast': 0.7886}
        >>> loss(similarity, relevance)
        tensor(1.4894)
    """

    uses_relevance: ClassVar[bool] = True

    def __init__(
        self, *, temperature: float = 0.05, label_temperature: float = 0.1, weight: float = 0.5, validate: bool = True
    ) -> None:
        super().__init__(validate=validate)
        require_above_zero(temperature=temperature, label_temperature=label_temperature)
        require_at_least(0, weight=weight)
        self.infonce = InfoNCELoss(temperature=temperature, validate=validate)
        self.temperature = temperature
        self.label_temperature = label_temperature
        self.weight = weight

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"infonce": ..., "soft_contrast": ...}`, the graded term without its weight."""
        relevance = require_relevance(relevance)
        graded = soft_contrast_loss(
            similarity,
            relevance,
            temperature=self.temperature,
            label_temperature=self.label_temperature,
            validate=self.validate,
        )
        return {**self.infonce.terms(similarity, positives=positives), "soft_contrast": graded}

    def combine(self, terms: dict[str, Tensor]) -> Tensor:
        """InfoNCE plus the weighted graded term."""
        return terms["infonce"] + self.weight * terms["soft_contrast"]
