"""InfoNCE: the softmax contrastive loss of CLIP."""

from __future__ import annotations

import math
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from bcls.errors import InputError
from bcls.losses.base import RetrievalLoss
from bcls.losses.matrices import both_directions, check_positives, check_similarity
from bcls.losses.settings import number_of, require_above_zero
from bcls.losses.soft_triplets import soft_triplets

LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.01, 1.0


def infonce_loss(similarity: Tensor, positives: Tensor | None = None, *, temperature: float | Tensor = 0.05) -> Tensor:
    """Functional form of `InfoNCELoss`; see there.

    Example:
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> infonce_loss(similarity, temperature=0.1)
        tensor(1.0951)
    """
    require_above_zero(temperature=number_of(temperature, "temperature"))
    similarity = check_similarity(similarity)
    positives = check_positives(similarity, positives)
    return both_directions(partial(_one_direction, temperature=temperature), similarity, positives)


def _one_direction(similarity: Tensor, positives: Tensor, *, temperature: float | Tensor) -> Tensor:
    return (soft_triplets(similarity, positives, margin=0.0, temperature=temperature) / temperature).mean()


class InfoNCELoss(RetrievalLoss):
    """The positive's share of the softmax over the positive and the negatives, as -log, averaged over both directions.

    For a positive pair (i, p): log(1 + sum_n exp((s_in - s_ip) / t)). With several positives per query the other
    positives are left out of the sum. Every negative is pushed away as hard as its score says, near miss or nonsense.

    Args:
        temperature: t, above 0; the start, where it is learnt.
        learnable_temperature: learn log t by gradient, kept within [0.01, 1] as CLIP does at its lower end.

    Raises:
        InputError: a temperature out of range.

    Cost: O(images x captions) time and memory.

    Source: arXiv 1807.03748, equation 4; both directions and a learnt temperature as in CLIP, arXiv 2103.00020.

    Example:
        >>> InfoNCELoss(temperature=0.1)(torch.tensor([[0.9, 0.8], [0.1, 0.4]]))
        tensor(1.0951)
    """

    uses_relevance: ClassVar[bool] = False

    def __init__(self, *, temperature: float = 0.05, learnable_temperature: bool = False) -> None:
        super().__init__()
        require_above_zero(temperature=temperature)
        if learnable_temperature and not LOWEST_TEMPERATURE <= temperature <= HIGHEST_TEMPERATURE:
            raise InputError(f"temperature is {temperature}; a learnable one starts within [0.01, 1]")
        start = torch.tensor(math.log(temperature))
        self.log_temperature: nn.Parameter | None = nn.Parameter(start) if learnable_temperature else None
        self.fixed_temperature = temperature

    @property
    def temperature(self) -> float | Tensor:
        """The temperature now in use."""
        if self.log_temperature is None:
            return self.fixed_temperature
        with torch.no_grad():  # the parameter itself, as CLIP does: beyond a bound it would get no gradient
            self.log_temperature.clamp_(math.log(LOWEST_TEMPERATURE), math.log(HIGHEST_TEMPERATURE))
        return self.log_temperature.exp()

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"infonce": loss}`."""
        return {"infonce": infonce_loss(similarity, positives, temperature=self.temperature)}
