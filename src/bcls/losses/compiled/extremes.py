"""The pairs of SW-HS by running extremes: of equals the first, of a range that slides by two running extremes."""

from __future__ import annotations

from typing import Any

import numpy as np

from bcls.compiled.kernel import kernel

BOUNDARY, WINDOW, STRIDE, FIRST = 0, 1, 2, 3
BINS = 4
ROUNDING = 2.0**-20
"""More than the difference and the sum of labels in [0, 1] are rounded by, in single precision."""


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
        spare: (BINS n + 2,) int32 room.
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
    first_below(labels, gap, less, spare)
    for position in range(n):
        begin, last = less[position], min(position + width, n - 1)
        more[pairs], less[pairs], ends[pairs] = position, begin, last
        pairs += begin <= last
    largest_in_ranges(scores, less[:pairs], ends, spare)
    return pairs


@kernel
def first_below(labels: Any, gap: Any, found: Any, spare: Any) -> None:
    """For each position the first whose label lies more than the gap below it, or n; O(n).

    A table of how many labels lie above each of some levels gives a place that is at most a level too early, never too
    late; from there on labels are compared.

    Args:
        labels: (n,) falling.
        gap: in their number format.
        found: (n,) filled.
        spare: (BINS n + 2,) room.
    """
    number = labels.dtype.type
    n, top, bins = len(labels), labels[0], number(BINS * len(labels))
    scale = bins / max(top - labels[n - 1], number(1e-6))
    room = bins * number(ROUNDING)
    above = spare[: BINS * n + 2]
    above[:] = 0
    for position in range(n):
        above[np.int32((top - labels[position]) * scale) + 1] += 1
    for level in range(BINS * n + 1):
        above[level + 1] += above[level]
    place = np.int32(0)
    for position in range(n):
        own = labels[position]
        own_level = np.int32(min(max((top - own + gap) * scale - room, number(0)), bins))
        place = max(place, above[own_level])
        while place < n and not own - labels[place] > gap:
            place += 1
        found[position] = place


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
