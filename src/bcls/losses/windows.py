"""SW-HS: which pairs of a query's candidates are compared, one or none for each position of its relevance order."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from bcls.losses.matrices import check_relevance, check_similarity
from bcls.losses.settings import require_below_one, require_one_of, require_window

WindowForm = Literal["boundary", "window", "stride", "first"]


class SelectedPairs(NamedTuple):
    """Pairs of candidates, at most one for each query and position.

    Attributes:
        more: (queries, positions) index of the more relevant candidate.
        less: (queries, positions) index of the less relevant candidate.
        counts: (queries, positions) bool; the others are padding.
    """

    more: Tensor
    less: Tensor
    counts: Tensor


class _Order(NamedTuple):
    """A query's candidates, most relevant first; unknown ones last."""

    candidate: Tensor
    relevance: Tensor
    similarity: Tensor
    known: Tensor
    gap: float


class _Widths(NamedTuple):
    """Positions of each query's window (queries, 1), before they are narrowed to its candidates; and the most of all.

    The most is known without the values of a tensor, so that nothing has to be read from the device.
    """

    each: Tensor
    most: int


def select_pairs(
    similarity: Tensor, relevance: Tensor, *, pairs: WindowForm, window: int | float, gap: float
) -> SelectedPairs:
    """The hardest offenders of each query, found by sorting its candidates and running extremes over the order.

    With positions p of the order (most relevant first, ties in the candidates' order, unknown relevance left out),
    n known candidates and the window w:

    - `boundary`: after each p, the least similar of 0..p against the most similar of p+w..n-1;
    - `window`: in each window of w positions, the least similar of its first w // 2 positions against the most similar
      of its last w // 2;
    - `stride`: position p against position p + w;
    - `first`: position p against the most similar of p+1..p+w whose relevance lies more than the gap below p's.

    A window wider than the order is narrowed to it (w = n - 1; `window`: w = n). A pair counts only if its relevance
    differs by more than the gap; a pair that several positions choose counts for each.

    Args:
        similarity: (queries, candidates), finite.
        relevance: (queries, candidates), NaN = unknown.
        pairs: the form.
        window: w in positions, an integer of at least 1 (`window`: 2); or a float below 1, the share of a query's
            known candidates, rounded down to positions but never below the least.
        gap: the least difference of relevance that orders a pair.

    Returns:
        The pairs. No gradient flows through the choice.

    Raises:
        InputError: a setting out of range, matrices of different shapes, a score that is not finite, or a label outside
            [0, 1].

    Cost: O(N log N) time a query (N log w beside the sort), O(queries x candidates) memory; no
    (queries, candidates, window) array.

    Example:
        >>> similarity = torch.tensor([[0.1, 0.5, 0.9]])
        >>> relevance = torch.tensor([[1.0, 0.6, 0.2]])
        >>> more, less, counts = select_pairs(similarity, relevance, pairs="stride", window=1, gap=0.1)
        >>> [(a, b) for a, b, c in zip(more[0].tolist(), less[0].tolist(), counts[0].tolist()) if c]
        [(0, 1), (1, 2)]
    """
    require_one_of(get_args(WindowForm), pairs=pairs)
    require_below_one(gap=gap)
    require_window(window, least=2 if pairs == "window" else 1, pairs=pairs)
    similarity = check_similarity(similarity)
    return pairs_of_checked(similarity, check_relevance(similarity, relevance), pairs=pairs, window=window, gap=gap)


def pairs_of_checked(
    similarity: Tensor, relevance: Tensor, *, pairs: WindowForm, window: int | float, gap: float
) -> SelectedPairs:
    """`select_pairs` of matrices and settings that have been checked."""
    with torch.no_grad():
        order = _sort(similarity.detach(), relevance, gap)
        form = {"boundary": _boundary, "window": _window, "stride": _stride, "first": _first}[pairs]
        more, less, counts = form(order, _widths(order, window, least=2 if pairs == "window" else 1))
        last = similarity.shape[1] - 1
        more, less = more.clamp(0, last), less.clamp(0, last)
        difference = order.relevance.gather(1, more) - order.relevance.gather(1, less)
        counts &= difference > gap
        return SelectedPairs(order.candidate.gather(1, more), order.candidate.gather(1, less), counts)


def _sort(similarity: Tensor, relevance: Tensor, gap: float) -> _Order:
    unknown = relevance.isnan()
    sorted_relevance, index = relevance.masked_fill(unknown, -torch.inf).sort(dim=1, descending=True, stable=True)
    known = (~unknown).sum(dim=1, keepdim=True)
    return _Order(index, sorted_relevance, similarity.gather(1, index), known, gap)


def _widths(order: _Order, window: int | float, *, least: int) -> _Widths:
    candidates = order.candidate.shape[1]
    if isinstance(window, int):
        return _Widths(torch.full_like(order.known, window), min(window, candidates))
    share = (order.known.double() * window).floor().long().clamp(min=least)
    return _Widths(share, min(max(int(candidates * window), least), candidates))


def _positions(order: _Order) -> Tensor:
    queries, candidates = order.candidate.shape
    return torch.arange(candidates, device=order.candidate.device).expand(queries, candidates)


def _in_order(order: _Order) -> Tensor:
    return _positions(order) < order.known


def _boundary(order: _Order, widths: _Widths) -> tuple[Tensor, Tensor, Tensor]:
    position = _positions(order)
    width = torch.minimum(order.known - 1, widths.each)
    least_similar = order.similarity.masked_fill(~_in_order(order), torch.inf).cummin(dim=1).indices
    reversed_scores = order.similarity.masked_fill(~_in_order(order), -torch.inf).flip(1)
    most_similar_after = order.similarity.shape[1] - 1 - reversed_scores.cummax(dim=1).indices.flip(1)
    start = position + width
    counts = (width > 0) & (start < order.known)
    return least_similar, most_similar_after.gather(1, start.clamp(0, position.shape[1] - 1)), counts


def _stride(order: _Order, widths: _Widths) -> tuple[Tensor, Tensor, Tensor]:
    position = _positions(order)
    width = torch.minimum(order.known - 1, widths.each)
    return position, position + width, (width > 0) & (position + width < order.known)


def _window(order: _Order, widths: _Widths) -> tuple[Tensor, Tensor, Tensor]:
    position = _positions(order)
    width = torch.minimum(order.known, widths.each)
    half = width // 2
    counts = (half > 0) & (position + width <= order.known)
    last = position + width - 1
    least_similar = _most_in_range(-order.similarity, position, position + half - 1, widths.most // 2)
    most_similar = _most_in_range(order.similarity, last - half + 1, last, widths.most // 2)
    return least_similar, most_similar, counts


def _first(order: _Order, widths: _Widths) -> tuple[Tensor, Tensor, Tensor]:
    position = _positions(order)
    left = _first_below(order)
    right = torch.minimum(position + widths.each, order.known - 1)
    most_similar = _most_in_range(order.similarity, left, right, widths.most)
    return position, most_similar, (left <= right) & _in_order(order)


def _first_below(order: _Order) -> Tensor:
    """For each position, the first later one whose relevance lies more than the gap below, or the number known.

    The difference of two floats falls as the smaller one falls, so what lies below is a suffix of the order: a binary
    search with the very comparison that decides what counts.
    """
    low = _positions(order) + 1
    high = torch.maximum(order.known.expand_as(low), low)
    last = low.shape[1] - 1
    for _ in range(low.shape[1].bit_length()):
        middle = (low + high) // 2
        below = order.relevance - order.relevance.gather(1, middle.clamp(max=last)) > order.gap
        searching = low < high
        high = torch.where(searching & below, middle, high)
        low = torch.where(searching & ~below, middle + 1, low)
    return low


def _most_in_range(values: Tensor, left: Tensor, right: Tensor, longest: int) -> Tensor:
    """Index of a largest value within left..right (both included) of each row, by ranges of doubling length.

    Only the current length's table is held. No range is longer than `longest`. Where the range is empty the answer is
    meaningless.
    """
    candidates = values.shape[1]
    length = right - left + 1
    left = left.clamp(0, candidates - 1)
    best = torch.arange(candidates, device=values.device).expand_as(values)
    answer = left.clone()
    span = 1
    while True:
        here = (length >= span) & (length < 2 * span)
        first = best.gather(1, left)
        second = best.gather(1, (right - span + 1).clamp(0, candidates - 1))
        better = torch.where(values.gather(1, second) > values.gather(1, first), second, first)
        answer = torch.where(here, better, answer)
        span *= 2
        if span > longest:
            return answer
        shifted = torch.cat([best[:, span // 2 :], best[:, -1:].expand(-1, span // 2)], dim=1)
        best = torch.where(values.gather(1, shifted) > values.gather(1, best), shifted, best)
