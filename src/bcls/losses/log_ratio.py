"""Log-ratio loss: distances in the embedding in proportion to distances of the labels."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from bcls.losses.base import RetrievalLoss
from bcls.losses.matrices import both_directions, check_relevance, check_similarity, require_relevance
from bcls.losses.means import mean_where
from bcls.losses.settings import require_above_zero


def log_ratio_loss(similarity: Tensor, relevance: Tensor, *, epsilon: float = 0.1, validate: bool = True) -> Tensor:
    """Functional form of `LogRatioLoss`; see there.

    Example:
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> relevance = torch.tensor([[1.0, 0.6], [0.2, 1.0]])
        >>> log_ratio_loss(similarity, relevance, epsilon=0.1)
        tensor(2.9233)
    """
    require_above_zero(epsilon=epsilon)
    similarity = check_similarity(similarity, validate=validate)
    relevance = check_relevance(similarity, relevance, validate=validate)
    return both_directions(partial(_one_direction, epsilon=epsilon), similarity, relevance)


def _one_direction(similarity: Tensor, relevance: Tensor, *, epsilon: float) -> Tensor:
    """The mean square over all pairs p < q of x_p - x_q is twice the sample variance of x: no pair is formed."""
    known = ~relevance.isnan()
    distance = (2 - 2 * similarity).clamp(min=epsilon**2).sqrt()
    label_distance = (1 - relevance.nan_to_num(0.0)).clamp(min=0).to(similarity.dtype)
    logs = torch.log(distance + epsilon) - torch.log(label_distance + epsilon)
    logs = torch.where(known, logs, 0.0)
    number = known.sum(dim=1)
    centred = torch.where(known, logs - (logs.sum(dim=1) / number.clamp(min=1))[:, None], 0.0)
    return mean_where(2 * centred.square().sum(dim=1) / (number - 1).clamp(min=1), number > 1)


class LogRatioLoss(RetrievalLoss):
    """Of two candidates of a query, the ratio of the distances must be that of the label distances.

    With the distance d = sqrt(2 - 2 s) of unit vectors of cosine s and the label distance g = 1 - r, over the pairs
    p < q of a query's candidates:

        mean of (log((d_p + e) / (d_q + e)) - log((g_p + e) / (g_q + e)))^2,

    the mean over the queries, averaged over the two directions. It asks for more than an order: how much nearer.
    Unknown relevance (NaN) is left out. A query with fewer than two known candidates gives no term; without any other
    query the loss is 0 with a zero gradient.

    Args:
        epsilon: e, above 0. Own captions have the label distance 0: with a small e their logarithm outweighs everything
            else, and a positive that is not yet near has a steep gradient. The published 1e-6 is for labels that are
            distances of different things. Below the distance e the gradient of d is 0, where that of the square
            root would have no bound.
        validate: whether to check the values of scores and labels in every call; see `RetrievalLoss`.

    Raises:
        InputError: a setting out of range.

    Cost: O(images x captions) time and memory, by the variance of the logarithms instead of their pairs.

    Source: arXiv 1904.09626; similarity must be a cosine, since only then 2 - 2 s is a squared distance.

    Example:
        >>> loss = LogRatioLoss(epsilon=0.1)
        >>> loss(torch.tensor([[0.9, 0.8], [0.1, 0.4]]), torch.tensor([[1.0, 0.6], [0.2, 1.0]]))
        tensor(2.9233)
    """

    uses_relevance: ClassVar[bool] = True

    def __init__(self, *, epsilon: float = 0.1, validate: bool = True) -> None:
        super().__init__(validate=validate)
        require_above_zero(epsilon=epsilon)
        self.epsilon = epsilon

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"log_ratio": loss}`."""
        relevance = require_relevance(relevance)
        return {"log_ratio": log_ratio_loss(similarity, relevance, epsilon=self.epsilon, validate=self.validate)}
