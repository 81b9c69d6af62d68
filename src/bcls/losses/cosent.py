"""CoSENT: a logistic loss of all ordered pairs, without forming one."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from bcls.losses.base import RetrievalLoss
from bcls.losses.matrices import both_directions, check_relevance, check_similarity, require_relevance
from bcls.losses.means import mean_where
from bcls.losses.settings import require_above_zero, require_one_of

Compared = Literal["query", "batch"]
UNKNOWN = -1.0


def cosent_loss(
    similarity: Tensor, relevance: Tensor, *, scale: float = 20.0, within: Compared = "query", validate: bool = True
) -> Tensor:
    """Functional form of `CoSENTLoss`; see there.

    Example:
        >>> similarity = torch.tensor([[0.9, 0.8, 0.3]])
        >>> relevance = torch.tensor([[0.2, 1.0, 0.2]])
        >>> cosent_loss(similarity, relevance, scale=10.0)
        tensor(0.6575)
    """
    _check_settings(scale, within)
    similarity = check_similarity(similarity, validate=validate)
    relevance = check_relevance(similarity, relevance, validate=validate)
    if within == "batch":
        return _one_direction(scale * similarity.reshape(1, -1), relevance.reshape(1, -1))
    return both_directions(_one_direction, scale * similarity, relevance)


def _check_settings(scale: float, within: str) -> None:
    require_above_zero(scale=scale)
    require_one_of(get_args(Compared), within=within)


def _one_direction(scores: Tensor, relevance: Tensor) -> Tensor:
    """log(1 + sum over r_a < r_b of exp(s_a - s_b)), the sum over b by a running log-sum-exp in the order of r.

    Most relevant first, the b of a candidate are those before the first one of its own relevance.
    """
    labels, order = relevance.nan_to_num(UNKNOWN).sort(dim=1, descending=True, stable=True)
    scores = scores.gather(1, order)
    place = torch.arange(labels.shape[1], device=labels.device).expand_as(labels)
    new = torch.ones_like(labels, dtype=torch.bool)
    new[:, 1:] = labels[:, 1:] < labels[:, :-1]
    first = torch.where(new, place, 0).cummax(dim=1).values
    ordered = (first > 0) & (labels > UNKNOWN)
    more_relevant = torch.logcumsumexp(-scores, dim=1).gather(1, (first - 1).clamp(min=0))
    some = ordered.any(dim=1)
    terms = (scores + more_relevant).masked_fill(~ordered & some[:, None], -torch.inf)
    return mean_where(F.softplus(torch.logsumexp(terms, dim=1)), some)


class CoSENTLoss(RetrievalLoss):
    """Every ordered pair of candidates in one logistic term: log(1 + sum over r_a < r_b of exp(scale (s_a - s_b))).

    A smooth maximum of all wrong differences: the worst pair leads. Within each query, the mean over the queries that
    order something, averaged over the two directions; or within the whole batch, any two (image, caption) pairs
    compared, which also makes scores of different queries comparable. Equal relevance orders nothing, nor does unknown
    relevance (NaN). Without any ordered pair the loss is 0 with a zero gradient.

    Args:
        scale: of the scores, above 0; the inverse of a temperature.
        within: what is compared: candidates of one `query`, or all pairs of the `batch`.
        validate: whether to check the values of scores and labels in every call; see `RetrievalLoss`.

    Raises:
        InputError: a setting out of range.

    Cost: exact in O(N log N) time for N candidates (one sort and one running log-sum-exp), O(images x captions) memory;
    `batch`: N = images x captions.

    Source: CoSENT (Su Jianlin, 2022), as it is known from sentence encoders, where it compares the pairs of a batch.
    Its usual code forms all N x N differences.

    Example:
        >>> loss = CoSENTLoss(scale=10.0)
        >>> loss(torch.tensor([[0.9, 0.8, 0.3]]), torch.tensor([[0.2, 1.0, 0.2]]))
        tensor(0.6575)
    """

    uses_relevance: ClassVar[bool] = True

    def __init__(self, *, scale: float = 20.0, within: Compared = "query", validate: bool = True) -> None:
        super().__init__(validate=validate)
        _check_settings(scale, within)
        self.scale = scale
        self.within: Compared = within

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"cosent": loss}`."""
        relevance = require_relevance(relevance)
        return {
            "cosent": cosent_loss(similarity, relevance, scale=self.scale, within=self.within, validate=self.validate)
        }
