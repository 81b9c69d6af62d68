"""Random matrices for tests that compute a number from the words of a page."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray


class Case(NamedTuple):
    """What a loss sees, in float64: (images, captions) similarity, relevance with NaN, positives."""

    similarity: NDArray[np.float64]
    relevance: NDArray[np.float64]
    positives: NDArray[np.bool_]


def draw(seed: int) -> Case:
    """A matrix of 1 to 13 images and captions: ties, unknown labels, queries with none or several positives."""
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 14, 2))
    similarity = random.uniform(-1, 1, shape)
    if seed % 2:
        similarity = similarity.round(1)
    relevance = random.uniform(0, 1, shape).round(1 if seed % 3 else 3)
    if seed % 4 < 2:
        relevance[random.random(shape) < (0.2 if seed % 4 else 0.6)] = np.nan
    if seed % 11 == 0:
        relevance[:] = 0.5 if seed % 2 else np.nan  # nothing is ordered
    positives = random.random(shape) < (0.1, 0.3, 0.8)[seed % 3]
    positives[random.integers(shape[0]), random.integers(shape[1])] = True
    if seed % 13 == 0:
        positives[:] = True  # no negative at all
    return Case(similarity, relevance, positives)


@pytest.fixture(scope="session")
def cases() -> list[Case]:
    """30 cases."""
    return [draw(seed) for seed in range(30)]
