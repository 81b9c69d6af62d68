"""The mean of several models' similarities, judged as one: an ensemble."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.evaluation.similarity import PairSource
from bcls.evaluation.truth import Rows


class MeanSimilarity:
    """The mean of several similarities of the same images and captions, each as it is.

    So the field reports SGRAF (the mean of SGR and SAF) and its best numbers of most models. Nothing is scaled: a
    similarity of a wider spread counts for more.

    Args:
        parts: e.g. `CosineSimilarity`, `KeptSimilarity` or `MatrixSource`; one at least.

    Raises:
        InputError: no part; or, when they are asked, parts of other sizes.

    Cost: that of all parts.

    Example:
        >>> from bcls.evaluation import CosineSimilarity
        >>> one, other = CosineSimilarity([[1.0, 0.0]], [[1.0, 0.0]]), CosineSimilarity([[1.0, 0.0]], [[0.0, 1.0]])
        >>> MeanSimilarity([one, other])(np.array([0]), np.array([0]))
        array([[0.5]], dtype=float32)
    """

    def __init__(self, parts: Sequence[PairSource]) -> None:
        if not parts:
            raise InputError("an ensemble needs one similarity at least")
        self._parts = tuple(parts)

    def __call__(self, images: Rows, captions: Rows) -> NDArray[np.float32]:
        """The numbers of these images and captions, shape (len(images), len(captions))."""
        return _mean([to_array(part(images, captions), "similarity") for part in self._parts])

    def pairs(self, images: Rows, captions: Rows) -> NDArray[np.float32]:
        """The number of each image with the caption at the same place, shape (P,)."""
        return _mean([to_array(part.pairs(images, captions), "similarity") for part in self._parts])


def _mean(values: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
    shapes = {value.shape for value in values}
    if len(shapes) > 1:
        raise InputError(f"similarities of an ensemble came in the shapes {sorted(shapes)}: they are of other data")
    return np.asarray(np.mean(values, axis=0, dtype=np.float64), dtype=np.float32)
