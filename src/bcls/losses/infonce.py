"""InfoNCE: the softmax contrastive loss of CLIP."""

from __future__ import annotations

import math
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from bcls.errors import InputError
from bcls.losses.base import RetrievalLoss
from bcls.losses.masked_triplets import masked_soft
from bcls.losses.matrices import both_directions, check_positives, check_similarity
from bcls.losses.means import mean_where
from bcls.losses.settings import number_of, require_above_zero
from bcls.losses.soft_triplets import soft_triplets

LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.01, 1.0
LOG_BOUNDS = math.log(LOWEST_TEMPERATURE), math.log(HIGHEST_TEMPERATURE)


def infonce_loss(
    similarity: Tensor, positives: Tensor | None = None, *, temperature: float | Tensor = 0.05, validate: bool = True
) -> Tensor:
    """Functional form of `InfoNCELoss`; see there.

    Example:
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> infonce_loss(similarity, temperature=0.1)
        tensor(1.0951)
    """
    if validate or not isinstance(temperature, Tensor):
        require_above_zero(temperature=number_of(temperature, "temperature"))
    similarity = check_similarity(similarity, validate=validate)
    positives = check_positives(similarity, positives, validate=validate)
    one = _one_direction if validate else _one_direction_of_mask
    return both_directions(partial(one, temperature=temperature), similarity, positives)


def _one_direction_of_mask(similarity: Tensor, positives: Tensor, *, temperature: float | Tensor) -> Tensor:
    terms = masked_soft(similarity, positives, margin=0.0, temperature=temperature)
    return mean_where(terms / temperature, positives)


def _one_direction(similarity: Tensor, positives: Tensor, *, temperature: float | Tensor) -> Tensor:
    return (soft_triplets(similarity, positives, margin=0.0, temperature=temperature) / temperature).mean()


class InfoNCELoss(RetrievalLoss):
    """The positive's share of the softmax over the positive and the negatives, as -log, averaged over both directions.

    For a positive pair (i, p): log(1 + sum_n exp((s_in - s_ip) / t)). With several positives per query the other
    positives are left out of the sum. Every negative is pushed away as hard as its score says, near miss or nonsense.

    Args:
        temperature: t, above 0; the start, where it is learnt.
        learnable_temperature: learn log t by gradient, kept within [0.01, 1] as CLIP does at its lower end.
        validate: whether to check the values of scores and labels in every call; see `RetrievalLoss`.

    Raises:
        InputError: a temperature out of range.

    Cost: O(images x captions) time and memory.

    Source: arXiv 1807.03748, equation 4; both directions and a learnt temperature as in CLIP, arXiv 2103.00020.

    Example:
        >>> InfoNCELoss(temperature=0.1)(torch.tensor([[0.9, 0.8], [0.1, 0.4]]))
        tensor(1.0951)
    """

    uses_relevance: ClassVar[bool] = False

    def __init__(
        self, *, temperature: float = 0.05, learnable_temperature: bool = False, validate: bool = True
    ) -> None:
        super().__init__(validate=validate)
        require_above_zero(temperature=temperature)
        if learnable_temperature and not LOWEST_TEMPERATURE <= temperature <= HIGHEST_TEMPERATURE:
            raise InputError(f"temperature is {temperature}; a learnable one starts within [0.01, 1]")
        start = torch.tensor(math.log(temperature))
        self.log_temperature: nn.Parameter | None = nn.Parameter(start) if learnable_temperature else None
        self.fixed_temperature = temperature

    @property
    def learnable_temperature(self) -> bool:
        """Whether the temperature is learnt."""
        return self.log_temperature is not None

    @property
    def temperature(self) -> float | Tensor:
        """The temperature now in use, within its bounds; reading it changes nothing."""
        if self.log_temperature is None:
            return self.fixed_temperature
        return self.log_temperature.clamp(*LOG_BOUNDS).exp()

    def bounded_temperature(self) -> float | Tensor:
        """The temperature for a step: a learnt one that an optimizer took beyond its bounds is brought back first.

        The parameter itself is changed, as CLIP does: beyond a bound it would get no gradient.
        """
        if self.log_temperature is None:
            return self.fixed_temperature
        with torch.no_grad():
            self.log_temperature.clamp_(*LOG_BOUNDS)
        return self.log_temperature.exp()  # keeps its result, not the parameter, so that a second step may change it

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"infonce": loss}`."""
        return {
            "infonce": infonce_loss(
                similarity, positives, temperature=self.bounded_temperature(), validate=self.validate
            )
        }
