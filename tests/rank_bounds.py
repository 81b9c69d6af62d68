"""What rounding may do to ranks: bounds that hold for every matrix within an error of the given one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rank_bounds(
    similarity: NDArray[np.float64], right: NDArray[np.bool_], error: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The lowest and the highest rank of each query's best right answer if every score is off by at most `error`.

    Example:
        >>> scores, right = np.array([[0.9, 0.5, 0.49, 0.1]]), np.array([[False, True, False, False]])
        >>> rank_bounds(scores, right, 0.001), rank_bounds(scores, right, 0.01)
        ((array([2]), array([2])), (array([2]), array([3])))
    """
    best = np.where(right, similarity, -np.inf).max(axis=1, keepdims=True)
    wrong = np.where(right, -np.inf, similarity)
    lowest, highest = (1 + np.count_nonzero(wrong >= best + side * 2 * error, axis=1) for side in (1, -1))
    return lowest, highest
