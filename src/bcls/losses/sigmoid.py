"""SigLIP's sigmoid loss: each pair is a yes-or-no question of its own."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bcls.losses.base import RetrievalLoss
from bcls.losses.matrices import check_positives, check_similarity
from bcls.losses.settings import number_of, require_above_zero


def sigmoid_loss(
    similarity: Tensor,
    positives: Tensor | None = None,
    *,
    scale: float | Tensor = 10.0,
    bias: float | Tensor = -10.0,
    validate: bool = True,
) -> Tensor:
    """Functional form of `SigmoidLoss`; see there.

    Example:
        >>> sigmoid_loss(torch.eye(2), scale=10.0, bias=-5.0)
        tensor(0.0134)
    """
    if validate:
        require_above_zero(scale=number_of(scale, "scale"))
        number_of(bias, "bias")
    similarity = check_similarity(similarity, validate=validate)
    positives = check_positives(similarity, positives, validate=validate)
    logits = scale * similarity + bias
    return F.softplus(torch.where(positives, -logits, logits)).sum() / len(similarity)


class SigmoidLoss(RetrievalLoss):
    """-log sigmoid(z (scale s + bias)), z = 1 for a positive pair and -1 else: the sum over all pairs, by images.

    The bias starts far below zero since nearly all pairs are negative. Both are learnt.

    Args:
        initial_scale: the start of the scale, above 0; its logarithm is learnt.
        initial_bias: the start of the bias.
        validate: whether to check the values of scores and labels in every call; see `RetrievalLoss`.

    Raises:
        InputError: a scale that is not above 0.

    Cost: O(images x captions) time and memory.

    Source: arXiv 2303.15343, equation 2 and algorithm 1.

    Example:
        >>> SigmoidLoss(initial_scale=10.0, initial_bias=-5.0)(torch.eye(2)).item()
        0.01343...
    """

    uses_relevance: ClassVar[bool] = False

    def __init__(self, *, initial_scale: float = 10.0, initial_bias: float = -10.0, validate: bool = True) -> None:
        super().__init__(validate=validate)
        require_above_zero(initial_scale=initial_scale)
        self.initial_scale = initial_scale
        self.initial_bias = initial_bias
        self.log_scale = nn.Parameter(torch.tensor(math.log(initial_scale)))
        self.bias = nn.Parameter(torch.tensor(float(initial_bias)))

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"sigmoid": loss}`."""
        return {
            "sigmoid": sigmoid_loss(
                similarity, positives, scale=self.log_scale.exp(), bias=self.bias, validate=self.validate
            )
        }
