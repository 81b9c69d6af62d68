"""The pairs of SW-HS by running extremes: of equals the first, of a range that slides by two running extremes."""

from __future__ import annotations

from typing import Any

from bcls.compiled.kernel import kernel

BOUNDARY, WINDOW, STRIDE, FIRST = 0, 1, 2, 3


@kernel
def choose_pairs(
    form: int, scores: Any, labels: Any, width: int, gap: Any, more: Any, less: Any, ends: Any, spare: Any
) -> int:
    """Fill the positions of the more and of the less relevant side of each pair, and return how many there are.

    Args:
        form: 0 `boundary`, 1 `window`, 2 `stride`, 3 `first`.
        scores: (n,) in the order of relevance.
        labels: (n,) falling.
        width: of the window, in positions; narrowed to n.
        gap: of relevance, `first` only.
        more: (n,) int32 room.
        less: (n,) int32 room.
        ends: (n,) int32 room, for the ends of ranges.
        spare: (n,) int32 room.
    """
    n = len(scores)
    if form == BOUNDARY:
        return _boundary(scores, min(width, n - 1), more, less)
    if form == STRIDE:
        return _stride(n, min(width, n - 1), more, less)
    if form == WINDOW:
        return _window(scores, min(width, n), more, less, ends, spare)
    return _first(scores, labels, width, gap, more, less, ends, spare)


@kernel
def _boundary(scores: Any, width: int, more: Any, less: Any) -> int:
    pairs = len(scores) - width
    most = len(scores) - 1
    for position in range(len(scores) - 1, width - 1, -1):
        if scores[position] >= scores[most]:
            most = position
        less[position - width] = most
    least = 0
    for position in range(pairs):
        if scores[position] <= scores[least]:
            least = position
        more[position] = least
    return pairs


@kernel
def _stride(n: int, width: int, more: Any, less: Any) -> int:
    for position in range(n - width):
        more[position], less[position] = position, position + width
    return n - width


@kernel
def _window(scores: Any, width: int, more: Any, less: Any, ends: Any, spare: Any) -> int:
    half, pairs = width // 2, len(scores) - width + 1
    if half == 0:
        return 0
    for position in range(pairs):
        more[position], ends[position] = position, position + half - 1
    for position in range(len(scores)):
        scores[position] = -scores[position]
    largest_in_ranges(scores, more[:pairs], ends, spare)
    for position in range(len(scores)):
        scores[position] = -scores[position]
    for position in range(pairs):
        less[position], ends[position] = position + width - half, position + width - 1
    largest_in_ranges(scores, less[:pairs], ends, spare)
    return pairs


@kernel
def _first(scores: Any, labels: Any, width: int, gap: Any, more: Any, less: Any, ends: Any, spare: Any) -> int:
    n, pairs = len(scores), 0
    first_below(labels, gap, less)
    for position in range(n):
        begin, last = less[position], min(position + width, n - 1)
        more[pairs], less[pairs], ends[pairs] = position, begin, last
        pairs += begin <= last
    largest_in_ranges(scores, less[:pairs], ends, spare)
    return pairs


@kernel
def first_below(labels: Any, gap: Any, found: Any) -> None:
    """For each position the first whose label lies more than the gap below it, or n; O(n).

    The labels are merged with themselves: each step compares a position with a place, and passes the place where it
    does not lie below, else the position. A step waits for the one before it, so four parts of the positions are
    merged in step: nearly four times as many comparisons in the same time, and no branch that depends on a label.

    Args:
        labels: (n,) falling.
        gap: in their number format.
        found: (n,) filled.
    """
    n = len(labels)
    reach = _with_one_below(labels, gap)
    found[reach:n] = n
    part = reach // 4
    a, b, c, d = 0, part, 2 * part, 3 * part
    of_a, of_b, of_c = 0, _place_before(labels, b, gap), _place_before(labels, c, gap)
    of_d, end = _place_before(labels, d, gap), _place_before(labels, reach, gap)
    for _ in range(min(part + min(of_b, of_c - of_b, of_d - of_c), reach - d + end - of_d)):
        found[a], found[b], found[c], found[d] = of_a, of_b, of_c, of_d
        of_a, a = _step(labels, gap, of_a, a)
        of_b, b = _step(labels, gap, of_b, b)
        of_c, c = _step(labels, gap, of_c, c)
        of_d, d = _step(labels, gap, of_d, d)
    _merge(labels, gap, found, a, of_a, part)
    _merge(labels, gap, found, b, of_b, 2 * part)
    _merge(labels, gap, found, c, of_c, 3 * part)
    _merge(labels, gap, found, d, of_d, reach)


@kernel
def _step(labels: Any, gap: Any, place: int, position: int) -> tuple[int, int]:
    passed = int(labels[position] - labels[place] > gap)
    return place + 1 - passed, position + passed


@kernel
def _merge(labels: Any, gap: Any, found: Any, position: int, place: int, stop: int) -> None:
    while position < stop:
        found[position] = place
        place, position = _step(labels, gap, place, position)


@kernel
def _with_one_below(labels: Any, gap: Any) -> int:
    """How many positions have any label more than the gap below theirs: a beginning of the order."""
    low, high = 0, len(labels)
    while low < high:
        middle = (low + high) // 2
        if labels[middle] - labels[-1] > gap:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _place_before(labels: Any, position: int, gap: Any) -> int:
    """The first place below the position before this one, 0 where there is none: from where this one's may lie."""
    if position == 0:
        return 0
    low, high = 0, len(labels)
    while low < high:
        middle = (low + high) // 2
        if labels[position - 1] - labels[middle] > gap:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def largest_in_ranges(scores: Any, places: Any, ends: Any, spare: Any) -> None:
    """Replace the begin of each range by the place of its largest score, of equals the first.

    The largest from each place up to a turning point is known beforehand, that from the turning point on runs along;
    when a range begins behind it, its end becomes the next turning point. So every score is passed twice.

    Args:
        scores: (n,).
        places: (ranges,) where each begins, rising; overwritten.
        ends: (ranges,) where each ends, itself included; rising.
        spare: (n,) room.
    """
    turn, end, behind = -1, -1, 0
    for number in range(len(places)):
        begin, last = places[number], ends[number]
        if begin > turn:
            best = last
            for place in range(last, begin - 1, -1):
                if scores[place] >= scores[best]:
                    best = place
                spare[place] = best
            turn, end, behind = last, last, last
        while end < last:
            end += 1
            if scores[end] > scores[behind]:
                behind = end
        before = spare[begin]
        places[number] = behind if scores[behind] > scores[before] else before
