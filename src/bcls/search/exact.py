"""Exact cosines, and the order of hits that every engine keeps to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bcls.search.records import Hit, Vectors


def exact_cosines(query: Vectors, vectors: Vectors) -> NDArray[np.float32]:
    """The cosine of one query (dim,) with each of vectors (rows, dim), computed in double precision.

    Equal vectors get equal scores wherever they stand, so that ties are ties on every engine.

    Example:
        >>> exact_cosines(np.float32([1, 0]), np.float32([[0.6, 0.8], [1, 0]]))
        array([0.6, 1. ], dtype=float32)
    """
    wide, against = vectors.astype(np.float64), query.astype(np.float64)
    dots = np.einsum("nd,d->n", wide, against)
    lengths = np.sqrt(np.einsum("nd,nd->n", wide, wide)) * np.sqrt(np.einsum("d,d->", against, against))
    return cast(NDArray[np.float32], (dots / lengths).astype(np.float32))


def best_first(hits: Iterable[Hit], k: int) -> list[Hit]:
    """The k best; of equal scores the smaller id first."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:k]


def rough_bound(dim: int) -> float:
    """How far a product of two unit vectors in single precision may lie from their exact cosine, generously."""
    return (dim + 16) * 2.0**-23
