"""Captions to test on."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bcls.relevance import DenseEncodings


class Collection:
    """Three images with two, three and one captions."""

    captions = (
        "A dog runs on the wet grass .",
        "The brown dog is running , running fast .",
        "Two men in hats eat an apple",
        "two men eat",
        "Two men are eating a red apple in a park",
        "Skateboarder",
    )
    ids = ("c0", "c1", "c2", "c3", "c4", "c5")
    caption_image = np.array([0, 0, 1, 1, 1, 2])


@pytest.fixture(scope="session")
def collection() -> Collection:
    return Collection()


@pytest.fixture(scope="session")
def make_encodings():
    """Random unit vectors."""

    def make(captions: int, dim: int = 6, seed: int = 0) -> DenseEncodings:
        vectors: NDArray[np.float64] = np.random.default_rng(seed).normal(size=(captions, dim))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return DenseEncodings(vectors.astype(np.float32))

    return make
