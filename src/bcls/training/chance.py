"""What a random ranking of a split comes to."""

from __future__ import annotations

import math
from dataclasses import dataclass

LEVELS = (1, 5, 10)


@dataclass(frozen=True)
class Chance:
    """`rsum` of a random ranking, with captions shared evenly over the images.

    Attributes:
        mean: its expectation.
        deviation: its standard deviation over random rankings, rounded up: queries of one direction count as
            independent, and the two directions, which rank by the same similarities, as fully dependent.
    """

    mean: float
    deviation: float

    @classmethod
    def of(cls, images: int, captions: int) -> Chance:
        """The chance level of a split.

        Args:
            images: in the split, at least 1.
            captions: in the split, at least 1.

        Example:
            >>> chance = Chance.of(1000, 5000)
            >>> round(chance.mean, 1), round(chance.deviation, 1)
            (3.2, 0.8)
        """
        own = captions / images
        to_text = [1.0 - math.pow(1 - min(k, captions) / captions, own) for k in LEVELS]
        to_image = [min(k, images) / images for k in LEVELS]
        deviation = math.sqrt(_variance(to_text) / images) + math.sqrt(_variance(to_image) / captions)
        return cls(100 * (sum(to_text) + sum(to_image)), 100 * deviation)


def _variance(hits: list[float]) -> float:
    """Of the number of hits of one query at the levels, from the probability of each; a hit at 1 is one at 5 and 10."""
    square = sum((2 * turn - 1) * probability for turn, probability in enumerate(reversed(hits), start=1))
    return max(0.0, square - sum(hits) ** 2)
