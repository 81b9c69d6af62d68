"""Triplet losses over a similarity matrix: soft, hard, semi-hard and all negatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from bcls.losses.base import RetrievalLoss
from bcls.losses.masked_triplets import masked_all, masked_hardest, masked_semi_hard, masked_soft
from bcls.losses.matrices import both_directions, check_positives, check_similarity
from bcls.losses.mean_hinge import suffix_sums
from bcls.losses.means import mean_where
from bcls.losses.settings import require_above_zero, require_at_least, require_one_of
from bcls.losses.soft_triplets import soft_triplets

Negatives = Literal["soft", "hard", "semi-hard", "all"]


def triplet_loss(
    similarity: Tensor,
    positives: Tensor | None = None,
    *,
    margin: float = 0.2,
    negatives: Negatives = "soft",
    temperature: float = 0.05,
    validate: bool = True,
) -> Tensor:
    """Functional form of `TripletLoss`; see there.

    Example:
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> triplet_loss(similarity, negatives="hard", margin=0.2)
        tensor(0.1750)
    """
    _check_settings(margin, negatives, temperature)
    similarity = check_similarity(similarity, validate=validate)
    positives = check_positives(similarity, positives, validate=validate)
    if not validate:
        every = _masked_terms(margin=margin, negatives=negatives, temperature=temperature)
        return both_directions(lambda scores, labels: mean_where(every(scores, labels), labels), similarity, positives)
    one = triplet_terms(margin=margin, negatives=negatives, temperature=temperature)
    return both_directions(lambda scores, labels: one(scores, labels).mean(), similarity, positives)


def _check_settings(margin: float, negatives: str, temperature: float) -> None:
    require_at_least(0, margin=margin)
    require_above_zero(temperature=temperature)
    require_one_of(get_args(Negatives), negatives=negatives)


def triplet_terms(*, margin: float, negatives: Negatives, temperature: float) -> Callable[[Tensor, Tensor], Tensor]:
    """One direction's terms, one a positive pair, from (queries, candidates) similarities and positives."""
    forms: dict[str, Callable[..., Tensor]] = {
        "soft": partial(soft_triplets, temperature=temperature),
        "hard": _hardest,
        "semi-hard": _semi_hard,
        "all": _all,
    }
    return partial(forms[negatives], margin=margin)


def _masked_terms(*, margin: float, negatives: Negatives, temperature: float) -> Callable[[Tensor, Tensor], Tensor]:
    """One direction's terms as a matrix, of which those of the positives count."""
    forms: dict[str, Callable[..., Tensor]] = {
        "soft": partial(masked_soft, temperature=temperature),
        "hard": masked_hardest,
        "semi-hard": masked_semi_hard,
        "all": masked_all,
    }
    return partial(forms[negatives], margin=margin)


def _hardest(similarity: Tensor, positives: Tensor, *, margin: float) -> Tensor:
    rows, columns = positives.nonzero(as_tuple=True)
    hardest = similarity.masked_fill(positives, -torch.inf).amax(dim=1)
    return F.relu(margin + hardest[rows] - similarity[rows, columns])


def _semi_hard(similarity: Tensor, positives: Tensor, *, margin: float) -> Tensor:
    rows, columns = positives.nonzero(as_tuple=True)
    ordered = similarity.masked_fill(positives, -torch.inf).sort(dim=1).values
    positive = similarity[rows, columns]
    below = _count_below(ordered, positives, positive, right=False)
    chosen = ordered[rows, (below - 1).clamp(min=0)]
    chosen = torch.where(below > 0, chosen, -torch.inf)
    return F.relu(margin + chosen - positive)


def _all(similarity: Tensor, positives: Tensor, *, margin: float) -> Tensor:
    """Sums of hinges from sorted negatives and their suffix sums: no (positive pairs, candidates) array."""
    rows, columns = positives.nonzero(as_tuple=True)
    ordered = similarity.masked_fill(positives, -torch.inf).sort(dim=1).values
    threshold = similarity[rows, columns] - margin
    below = _count_below(ordered, positives, threshold.detach(), right=True)
    violating = ordered.shape[1] - below
    return suffix_sums(ordered)[rows, below] - violating * threshold


def _count_below(ordered: Tensor, positives: Tensor, values: Tensor, *, right: bool) -> Tensor:
    """How many of a query's ordered scores lie below (`right`: or at) the value of each positive pair."""
    rows, columns = positives.nonzero(as_tuple=True)
    slots = (positives.cumsum(dim=1) - 1)[rows, columns]
    padded = values.new_full((len(positives), int(slots.max()) + 1), torch.inf)
    padded[rows, slots] = values.detach()
    return torch.searchsorted(ordered.detach().contiguous(), padded, right=right)[rows, slots]


class TripletLoss(RetrievalLoss):
    """A positive pair must beat the query's negatives by a margin.

    For a positive pair (i, p) with the negatives n of query i, in each direction, averaged over the positive pairs and
    the two directions:

    - `soft` (Triplet-SN): t * log(1 + sum_n exp((s_in - s_ip + m) / t)). Every violating negative pulls at first, the
      hardest ones later. t -> 0 is `hard`; m = 0 is t times InfoNCE. Take this one unless you compare.
    - `hard` (VSE++): max(0, m + max_n s_in - s_ip). May not start from random weights, or only slowly.
    - `semi-hard` (FaceNet): the most similar negative strictly below the positive; 0 where there is none.
    - `all`: sum_n max(0, m + s_in - s_ip). Its size grows with the batch.

    A positive is never a negative, so a batch may hold an image under several captions. A query without a positive
    gives no term; one without a negative gives 0.

    Args:
        margin: m, at least 0.
        negatives: which negatives pull.
        temperature: t, above 0; `soft` only.
        validate: whether to check the values of scores and labels in every call; see `RetrievalLoss`.

    Raises:
        InputError: a setting out of range.

    Cost: O(images x captions) time and memory; `semi-hard` and `all` sort each query's candidates.

    Source: `soft` is a reconstruction of Triplet-SN of arXiv 2210.11319 from its abstract; the same formula is the
    unified loss of MV-VSE. `hard`: arXiv 1707.05612, equation 6 (as a mean). `semi-hard`: arXiv 1503.03832,
    section 3.2.

    Example:
        >>> loss = TripletLoss(margin=0.2, negatives="soft", temperature=0.05)
        >>> loss(torch.tensor([[0.9, 0.8], [0.1, 0.4]]))
        tensor(0.1782)
    """

    uses_relevance: ClassVar[bool] = False

    def __init__(
        self, *, margin: float = 0.2, negatives: Negatives = "soft", temperature: float = 0.05, validate: bool = True
    ) -> None:
        super().__init__(validate=validate)
        _check_settings(margin, negatives, temperature)
        self.margin = margin
        self.negatives: Negatives = negatives
        self.temperature = temperature

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"triplet": loss}`."""
        value = triplet_loss(
            similarity,
            positives,
            margin=self.margin,
            negatives=self.negatives,
            temperature=self.temperature,
            validate=self.validate,
        )
        return {"triplet": value}
