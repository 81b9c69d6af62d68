"""BCLS: binary labels by Triplet-SN, continuous labels by the Kendall loss with SW-HS."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from bcls.losses.base import RetrievalLoss
from bcls.losses.engine import Engine
from bcls.losses.kendall import KendallLoss, Pairs
from bcls.losses.settings import require_at_least
from bcls.losses.triplet import TripletLoss


class BCLSLoss(RetrievalLoss):
    """Triplet-SN + kendall_weight x Kendall(SW-HS): what matches comes first, and what nearly matches comes next.

    The triplet term with soft negatives learns from binary labels and brings fast convergence; the Kendall term
    learns the order of everything else from continuous labels. See `TripletLoss` and `KendallLoss` for the terms.

    Args:
        margin: of the triplet term.
        temperature: of the triplet term's soft negatives.
        kendall_weight: weight of the Kendall term, at least 0. A plain attribute: a trainer may raise it slowly. A
            large weight from the first step can keep the triplet term from spreading the embeddings.
        kendall_margin: margin of the Kendall term.
        gap: the least difference of relevance that orders a pair.
        pairs: which pairs the Kendall term compares.
        window: width of the SW-HS window, in positions or as a share of the candidates.
        engine: what computes the Kendall term; see `KendallLoss`.
        validate: whether to check the values of scores and labels in every call; see `RetrievalLoss`.

    Raises:
        InputError: a setting out of range.

    Cost: one sort of each query's candidates, O(images x captions) memory.

    Source: arXiv 2210.11319, reconstructed from its abstract and from formulas that its authors published elsewhere.

    Example:
        >>> import torch
        >>> loss = BCLSLoss(margin=0.2, temperature=0.05, kendall_weight=0.5, pairs="stride", window=1)
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> relevance = torch.tensor([[1.0, 0.3], [0.2, 1.0]])
        >>> {name: round(term.item(), 4) for name, term in loss.terms(similarity, relevance).items()}
        {'triplet': 0.1782, 'kendall': 0.1}
        >>> loss(similarity, relevance)
        tensor(0.2282)
    """

    uses_relevance: ClassVar[bool] = True

    def __init__(
        self,
        *,
        margin: float = 0.2,
        temperature: float = 0.05,
        kendall_weight: float = 0.5,
        kendall_margin: float = 0.0,
        gap: float = 0.15,
        pairs: Pairs = "boundary",
        window: int | float = 0.9,
        engine: Engine = "auto",
        validate: bool = True,
    ) -> None:
        super().__init__(validate=validate)
        require_at_least(0, kendall_weight=kendall_weight)
        self.kendall_weight = kendall_weight
        self.triplet = TripletLoss(margin=margin, negatives="soft", temperature=temperature, validate=validate)
        self.kendall = KendallLoss(
            gap=gap, margin=kendall_margin, pairs=pairs, window=window, engine=engine, validate=validate
        )

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"triplet": ..., "kendall": ...}`, the Kendall term without its weight."""
        return {
            **self.triplet.terms(similarity, positives=positives),
            **self.kendall.terms(similarity, relevance),
        }

    def combine(self, terms: dict[str, Tensor]) -> Tensor:
        """The triplet term plus the weighted Kendall term."""
        return terms["triplet"] + self.kendall_weight * terms["kendall"]
