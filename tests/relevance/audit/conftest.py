"""Rated pairs to audit on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bcls.relevance.audit import HumanRatings

NOUNS = ["dog", "cat", "horse", "boat"]
PLACES = ["beach", "street", "field", "river", "garden"]


@pytest.fixture(scope="session")
def make_ratings() -> Callable[..., HumanRatings]:
    """Random pairs of 20 captions of a noun and a place, rated by what they share, with noise, in steps of 0.1."""

    def make(pairs: int = 120, seed: int = 0, noise: float = 0.15) -> HumanRatings:
        random = np.random.default_rng(seed)
        captions = tuple(f"a small {noun} runs along the {place}" for noun in NOUNS for place in PLACES)
        first, second = random.integers(len(captions), size=(2, pairs))
        one, other = (divmod(row, len(PLACES)) for row in (first, second))
        shared = 0.5 * (one[0] == other[0]) + 0.4 * (one[1] == other[1])
        ratings = np.clip(shared + random.normal(scale=noise, size=pairs), 0, 1).round(1)
        return HumanRatings(captions, first, second, ratings, np.where(shared > 0, "near", "far"), 0.0, 5.0)

    return make
