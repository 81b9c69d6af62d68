"""CIDEr-D between single captions, as a sparse dot product."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse

from bcls.errors import InputError
from bcls.relevance.encodings import SparseEncodings
from bcls.relevance.scorer import Scorer, words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 4
SIGMA = 6.0
Gram = tuple[str, ...]


class CiderScorer(Scorer):
    """CIDEr-D of a candidate caption against one reference caption, divided by 10 to lie in [0, 1].

    For n = 1..4, with h the n-gram counts times inverse document frequency: the sum over n-grams g of
    min(h_candidate(g), h_reference(g)) h_reference(g), divided by both norms, times a Gaussian penalty on the
    difference of lengths (sigma 6, in bigrams as the reference implementation counts); the mean over n. An image is a
    document. Not symmetric.

    Counts are small integers, so min(a, b) b = sum over t of [a >= t] [b >= t] b: with one feature for each (n-gram,
    t) the clipped product is an exact sparse dot product, and CIDEr-D of all pairs is one sparse matrix product.

    Words are runs of letters and digits in lower case (the reference implementation uses a Java tokenizer).

    Source: CIDEr, arXiv 1411.5726, equation 4 and the CIDEr-D variant of its section 8.

    Example:
        >>> scorer = CiderScorer().fit(["a dog runs on grass", "a cat sleeps at home", "two men eat an apple"])
        >>> scorer.similarity(["a dog runs on grass"], ["a dog runs on grass", "a dog sleeps on grass"]).round(2)
        array([[1.  , 0.31]], dtype=float32)
    """

    def __init__(self) -> None:
        self._frequency: Counter[Gram] | None = None
        self._log_documents = 0.0

    @property
    def name(self) -> str:
        """`cider-d`."""
        return "cider-d"

    def settings(self) -> dict[str, Any]:
        """The measure's constants."""
        return {"scorer": "cider-d", "longest": LONGEST, "sigma": SIGMA}

    def fit(self, captions: Sequence[str], caption_image: NDArray[np.int64] | None = None) -> Self:
        """Count in how many images' captions each n-gram occurs."""
        if len(captions) == 0:
            raise InputError("CiderScorer: no captions to learn from")
        images = range(len(captions)) if caption_image is None else caption_image.tolist()
        grams_of_image: dict[int, set[Gram]] = {}
        for image, caption in zip(images, captions, strict=True):
            grams_of_image.setdefault(image, set()).update(_grams(caption))
        self._frequency = Counter(gram for grams in grams_of_image.values() for gram in grams)
        self._log_documents = math.log(len(grams_of_image))
        return self

    def encode(self, captions: Sequence[str]) -> SparseEncodings:
        """Reference and candidate sides of each caption.

        Raises:
            InputError: not fitted.
        """
        if self._frequency is None:
            raise InputError("CiderScorer must be fitted on captions before it can encode")
        counted = [_grams(caption) for caption in captions]
        columns: dict[tuple[Gram, int], int] = {}
        references, candidates = _Rows(), _Rows()
        for grams in counted:
            norms = self._norms(grams)
            for gram, count in grams.items():
                norm = norms[len(gram)]
                weight = self._rarity(gram)
                for times in range(1, count + 1):
                    column = columns.setdefault((gram, times), len(columns))
                    references.add(column, count * weight**2 / norm / LONGEST if norm else 0.0)
                    candidates.add(column, 1.0 / norm if norm else 0.0)
            references.end()
            candidates.end()
        lengths = np.array([sum(n for g, n in grams.items() if len(g) == 2) for grams in counted], dtype=np.float32)
        return SparseEncodings(references.matrix(len(columns)), candidates.matrix(len(columns)), lengths, SIGMA)

    def _rarity(self, gram: Gram) -> float:
        assert self._frequency is not None
        return self._log_documents - math.log(max(1, self._frequency[gram]))

    def _norms(self, grams: Counter[Gram]) -> list[float]:
        squares = [0.0] * (LONGEST + 1)
        for gram, count in grams.items():
            squares[len(gram)] += (count * self._rarity(gram)) ** 2
        return [math.sqrt(square) for square in squares]


class _Rows:
    """A CSR matrix under construction."""

    def __init__(self) -> None:
        self._values: list[float] = []
        self._columns: list[int] = []
        self._ends = [0]

    def add(self, column: int, value: float) -> None:
        self._columns.append(column)
        self._values.append(value)

    def end(self) -> None:
        self._ends.append(len(self._values))

    def matrix(self, columns: int) -> sparse.csr_array:
        parts = (np.array(self._values), np.array(self._columns, dtype=np.int32), np.array(self._ends, dtype=np.int64))
        return sparse.csr_array(parts, shape=(len(self._ends) - 1, max(1, columns)))


def _grams(caption: str) -> Counter[Gram]:
    """Counts of a caption's 1- to 4-grams."""
    words = words_of(caption)
    return Counter(
        tuple(words[start : start + n]) for n in range(1, LONGEST + 1) for start in range(len(words) - n + 1)
    )
