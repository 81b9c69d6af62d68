"""What a trainer needs of any loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn


class RetrievalLoss(nn.Module, ABC):
    """A loss of a similarity matrix and its labels: named terms, and how they make one number.

    Losses see matrices only, never a model. `forward` is each loss's own, with the labels it needs; `terms` has one
    signature for all, so that a trainer can use any of them.
    """

    uses_relevance: ClassVar[bool]

    @abstractmethod
    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The unweighted terms by name.

        Args:
            similarity: (images, captions) scores.
            relevance: (images, captions) in [0, 1], NaN = unknown; losses without continuous labels ignore it.
            positives: (images, captions) bool; None = the diagonal; losses without binary labels ignore it.
        """

    def combine(self, terms: dict[str, Tensor]) -> Tensor:
        """The loss from its terms: their sum, unless a loss weighs them."""
        first, *rest = terms.values()
        for term in rest:
            first = first + term
        return first
