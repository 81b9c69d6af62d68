"""The Kendall ranking loss: continuous labels order candidates, and a wrong order pays."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal, get_args

import torch.nn.functional as F
from torch import Tensor

from bcls.losses.all_pairs import all_pairs_hinge
from bcls.losses.base import RetrievalLoss
from bcls.losses.engine import ENGINES, Engine, choose_engine
from bcls.losses.matrices import both_directions, check_relevance, check_similarity, require_relevance
from bcls.losses.settings import require_at_least, require_below_one, require_one_of, require_window
from bcls.losses.windows import WindowForm, pairs_of_checked

Pairs = Literal["boundary", "window", "stride", "first", "all"]


def kendall_loss(
    similarity: Tensor,
    relevance: Tensor,
    *,
    gap: float = 0.15,
    margin: float = 0.0,
    pairs: Pairs = "boundary",
    window: int | float = 0.9,
    engine: Engine = "auto",
    validate: bool = True,
) -> Tensor:
    """Functional form of `KendallLoss`; see there.

    Example:
        >>> import torch
        >>> similarity = torch.tensor([[0.9, 0.2], [0.3, 0.5]])
        >>> relevance = torch.tensor([[0.1, 1.0], [0.6, 0.4]])
        >>> kendall_loss(similarity, relevance, pairs="all")
        tensor(0.4500)
    """
    _check_settings(gap, margin, pairs, window, engine)
    similarity = check_similarity(similarity, validate=validate)
    relevance = check_relevance(similarity, relevance, validate=validate)
    chosen = choose_engine(similarity, engine, pairs=pairs)
    if chosen == "triton":
        from bcls.losses.triton_pairs import triton_all_pairs  # noqa: PLC0415 - only where there is triton

        return triton_all_pairs(similarity, relevance, gap=gap, margin=margin)
    if chosen == "compiled":
        from bcls.losses.compiled import compiled_kendall  # noqa: PLC0415 - compiles on first use

        return compiled_kendall(similarity, relevance, gap=gap, margin=margin, pairs=pairs, window=window)
    if pairs == "all":
        return both_directions(partial(all_pairs_hinge, gap=gap, margin=margin), similarity, relevance)
    one = partial(_windowed_hinge, gap=gap, margin=margin, pairs=pairs, window=window)
    return both_directions(one, similarity, relevance)


def _check_settings(gap: float, margin: float, pairs: str, window: int | float, engine: str) -> None:
    require_below_one(gap=gap)
    require_at_least(0, margin=margin)
    require_one_of(get_args(Pairs), pairs=pairs)
    require_one_of(ENGINES, engine=engine)
    require_window(window, least=2 if pairs == "window" else 1, pairs=pairs)


def _windowed_hinge(
    similarity: Tensor, relevance: Tensor, *, gap: float, margin: float, pairs: WindowForm, window: int | float
) -> Tensor:
    chosen = pairs_of_checked(similarity, relevance, pairs=pairs, window=window, gap=gap)
    hinge = F.relu(margin + similarity.gather(1, chosen.less) - similarity.gather(1, chosen.more))
    return (hinge * chosen.counts).sum() / chosen.counts.sum().clamp(min=1)


class KendallLoss(RetrievalLoss):
    """The hinge surrogate of Kendall's tau: of two candidates, the clearly more relevant one must be more similar.

    Over ordered pairs (query, a, b) with r_a - r_b > gap, in each direction, all its queries pooled: the mean of
    max(0, margin + s_b - s_a), averaged over the two directions. A concordant pair pays nothing. Unknown relevance
    (NaN) orders nothing. Without any ordered pair the loss is 0 with a zero gradient.

    Which pairs (`pairs`):

    - `all`: every ordered pair. Exact; quadratic in the candidates of a query. Noise in the labels enters with it.
    - SW-HS (sliding window, hard samples): sort by relevance, slide a window, keep only the hardest offender of each
      position, in one of four forms, `boundary`, `window`, `stride`, `first`: see `select_pairs`. As cheap as a triplet
      loss, and items too close to call are never compared.

    Args:
        gap: the least difference of relevance that orders a pair, in [0, 1). Scorers spread differently: a gap that
            fits one need not fit another.
        margin: by how much the more relevant candidate must be more similar, at least 0.
        pairs: which pairs are compared.
        window: width of the window: an integer of at least 1 (`window` form: 2) counts positions and is narrowed to a
            query's known candidates where it is wider; a float in (0, 1) is a share of them, so that one setting fits
            every batch size. Not used by `all`.
        engine: what computes it: `auto`, `compiled`, `torch` or `triton`; `choose_engine` tells what `auto` takes.
            `triton` is never taken by `auto`.
        validate: whether to check the values of scores and labels in every call; see `RetrievalLoss`.

    Raises:
        InputError: a setting out of range.

    Cost: one sort of each query's candidates, O(N log N) time a query, O(images x captions) memory; `all` with the
    torch engine: O(N^2) time a query, see `all_pairs_hinge`.

    Source: the pair set, the gap and the zero margin are those of the same authors' published Kendall loss; SW-HS is
    a reconstruction from the abstract of arXiv 2210.11319.

    Example:
        >>> import torch
        >>> loss = KendallLoss(gap=0.1, pairs="stride", window=1)
        >>> loss(torch.tensor([[0.9, 0.2], [0.3, 0.5]]), torch.tensor([[0.1, 1.0], [0.6, 0.4]]))
        tensor(0.4500)
    """

    uses_relevance: ClassVar[bool] = True

    def __init__(
        self,
        *,
        gap: float = 0.15,
        margin: float = 0.0,
        pairs: Pairs = "boundary",
        window: int | float = 0.9,
        engine: Engine = "auto",
        validate: bool = True,
    ) -> None:
        super().__init__(validate=validate)
        _check_settings(gap, margin, pairs, window, engine)
        self.gap = gap
        self.margin = margin
        self.pairs: Pairs = pairs
        self.window = window
        self.engine: Engine = engine

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"kendall": loss}`.

        Raises:
            InputError: also where relevance is missing.
        """
        value = kendall_loss(
            similarity,
            require_relevance(relevance),
            gap=self.gap,
            margin=self.margin,
            pairs=self.pairs,
            window=self.window,
            engine=self.engine,
            validate=self.validate,
        )
        return {"kendall": value}
