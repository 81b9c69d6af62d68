"""Matrices for the tests of the losses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

Matrices = tuple[Tensor, Tensor, Tensor]


@pytest.fixture(scope="session")
def make_matrices() -> Callable[..., Matrices]:
    """Similarity, relevance with ties and holes, and positives (several a row), in float64."""

    def make(images: int, captions: int, seed: int, *, holes: float = 0.2, tied: bool = True) -> Matrices:
        random = np.random.default_rng(seed)
        similarity = random.uniform(-1, 1, (images, captions))
        relevance = random.uniform(0, 1, (images, captions))
        if tied:
            relevance = np.round(relevance, 1)
        relevance[random.random((images, captions)) < holes] = np.nan
        positives = random.random((images, captions)) < 0.2
        positives[0, 0] = True
        return torch.from_numpy(similarity), torch.from_numpy(relevance), torch.from_numpy(positives)

    return make
