"""CIDEr-D between single captions, as a sparse dot product."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy import sparse

from bcls.arrays import to_rows
from bcls.errors import InputError
from bcls.relevance.encoding_parts import parts_with_progress
from bcls.relevance.encodings import SparseEncodings
from bcls.relevance.word_scorer import WordScorer
from bcls.text import Tokenizer, to_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 4
SIGMA = 6.0
WORD_END, FEATURE_END = "\x1f", "\x1e"
"""Separators that no word holds."""

Gram = tuple[str, ...]


class CiderScorer(WordScorer):
    """CIDEr-D of a candidate caption against one reference caption, divided by 10 to lie in [0, 1].

    For n = 1..4, with h the n-gram counts times inverse document frequency: the sum over n-grams g of
    min(h_candidate(g), h_reference(g)) h_reference(g), divided by both norms, times a Gaussian penalty on the
    difference of lengths (sigma 6, in bigrams as the reference implementation counts); the mean over n. An image is a
    document. Not symmetric.

    Counts are small integers, so min(a, b) b = sum over t of [a >= t] [b >= t] b: with one feature for each (n-gram,
    t) the clipped product is an exact sparse dot product, and CIDEr-D of all pairs is one sparse matrix product.

    The reference implementation finds words by a Java tokenizer for English, which keeps punctuation within words. A
    caption without a word has similarity 0 to every caption.

    Args:
        tokenizer: splits captions into words; None = `UnicodeWords()`, which knows every script.

    Raises:
        InputError: something else than a registered tokenizer.

    Source: CIDEr, arXiv 1411.5726, equation 4 and the CIDEr-D variant of its section 8.

    Example:
        >>> scorer = CiderScorer().fit(["a dog runs on grass", "a cat sleeps at home", "two men eat an apple"])
        >>> scorer.similarity(["a dog runs on grass"], ["a dog runs on grass", "a dog sleeps on grass"]).round(2)
        array([[1.  , 0.31]], dtype=float32)
    """

    part_size: ClassVar[int] = 8192

    def __init__(self, tokenizer: Tokenizer | None = None) -> None:
        super().__init__(tokenizer)
        self._frequency: Counter[Gram] | None = None
        self._log_documents = 0.0

    @property
    def name(self) -> str:
        """`cider-d`."""
        return "cider-d"

    def settings(self) -> dict[str, Any]:
        """How words are found, and the measure's constants."""
        return {"scorer": "cider-d", "longest": LONGEST, "sigma": SIGMA, "tokenizer": self.tokenizer.settings()}

    def fit(self, captions: Sequence[str], caption_image: NDArray[np.int64] | None = None) -> Self:
        """Count in how many images' captions each n-gram occurs.

        Args:
            captions: the collection, usually the training captions.
            caption_image: (captions,) image row of each; None = every caption is of an image of its own.

        Raises:
            InputError: something else than texts, no caption has a word, all captions are of one image, or there are
                other numbers of image rows and captions.
        """
        captions = to_texts(captions, "captions")
        if len(captions) == 0:
            raise InputError("CiderScorer: no captions to learn from")
        rows = np.arange(len(captions)) if caption_image is None else to_rows(caption_image, "caption_image")
        if len(rows) != len(captions):
            raise InputError(f"CiderScorer: {len(captions)} captions, but caption_image has {len(rows)} rows")
        images = rows.tolist()
        grams_of_image: dict[int, set[Gram]] = {}
        for image, caption in zip(images, captions, strict=True):
            grams_of_image.setdefault(image, set()).update(_grams(self.tokenizer(caption)))
        if not any(grams_of_image.values()):
            raise InputError("CiderScorer: no caption has a word to learn from")
        if len(grams_of_image) == 1:  # an n-gram of all images weighs log 1 = 0
            raise InputError(
                "CiderScorer: all captions are of one image, so that every n-gram weighs 0 and so would every label; "
                "fit it on the captions of at least two images"
            )
        self._frequency = Counter(gram for grams in grams_of_image.values() for gram in grams)
        self._log_documents = math.log(len(grams_of_image))
        return self

    def encode(self, captions: Sequence[str]) -> SparseEncodings:
        """Reference and candidate sides of each caption.

        An n-gram that the fitted collection lacks counts as if one image had it. Costs about 0.2 ms a caption.

        Raises:
            InputError: not fitted, or something else than texts.
        """
        return self.join(parts_with_progress(self, captions))

    def encode_part(self, captions: Sequence[str]) -> dict[str, NDArray[np.generic]]:
        """Both sides of some captions, their features numbered within the part; raises as `encode` does."""
        if self._frequency is None:
            raise InputError("CiderScorer must be fitted on captions before it can encode")
        captions = to_texts(captions, "captions")
        columns: dict[tuple[Gram, int], int] = {}
        references, candidates = _Rows(), _Rows()
        lengths = np.zeros(len(captions), dtype=np.float32)
        for row, caption in enumerate(captions):
            grams = _grams(self.tokenizer(caption))
            lengths[row] = sum(count for gram, count in grams.items() if len(gram) == 2)
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
        features = FEATURE_END.join(WORD_END.join([str(times), *gram]) for gram, times in columns)
        return {
            "features": np.frombuffer(features.encode("utf-8", "surrogatepass"), dtype=np.uint8),
            "references": references.values(),
            "candidates": candidates.values(),
            "columns": references.columns(),
            "ends": references.ends(),
            "lengths": lengths,
        }

    def join(self, parts: Iterator[Mapping[str, NDArray[np.generic]]]) -> SparseEncodings:
        """Number the features in the order in which the captions have them first."""
        numbers: dict[bytes, int] = {}
        held: dict[str, list[NDArray[Any]]] = {
            name: [] for name in ("references", "candidates", "columns", "ends", "lengths")
        }
        entries = 0
        for part in parts:
            features = part["features"].tobytes()
            known = [numbers.setdefault(name, len(numbers)) for name in features.split(FEATURE_END.encode()) if name]
            for name in ("references", "candidates", "lengths"):
                held[name].append(part[name])
            held["columns"].append(np.array(known, dtype=np.int32)[part["columns"]])
            held["ends"].append(np.asarray(part["ends"])[(1 if held["ends"] else 0) :] + entries)
            entries += len(part["columns"])
        values = {name: np.concatenate(arrays) for name, arrays in held.items()}
        shape = (len(values["lengths"]), max(1, len(numbers)))
        references, candidates = (
            sparse.csr_array((values[side], values["columns"], values["ends"]), shape=shape)
            for side in ("references", "candidates")
        )
        return SparseEncodings(references, candidates, values["lengths"], SIGMA)

    def _rarity(self, gram: Gram) -> float:
        assert self._frequency is not None
        return self._log_documents - math.log(max(1, self._frequency[gram]))

    def _norms(self, grams: Counter[Gram]) -> list[float]:
        squares = [0.0] * (LONGEST + 1)
        for gram, count in grams.items():
            squares[len(gram)] += (count * self._rarity(gram)) ** 2
        return [math.sqrt(square) for square in squares]


class _Rows:
    """A CSR matrix under construction, in packed arrays: lists of Python numbers would take four times the memory."""

    def __init__(self) -> None:
        self._values = array("d")
        self._columns = array("i")
        self._ends = array("q", [0])

    def add(self, column: int, value: float) -> None:
        """Put a value into the open row."""
        self._columns.append(column)
        self._values.append(value)

    def end(self) -> None:
        """Close the open row."""
        self._ends.append(len(self._values))

    def values(self) -> NDArray[np.float64]:
        """The numbers, row by row."""
        return np.array(self._values)

    def columns(self) -> NDArray[np.int32]:
        """The column of each."""
        return np.array(self._columns, dtype=np.int32)

    def ends(self) -> NDArray[np.int64]:
        """Where each row begins, and the end of the last."""
        return np.array(self._ends, dtype=np.int64)


def _grams(words: list[str]) -> Counter[Gram]:
    """Counts of the 1- to 4-grams of a caption's words."""
    return Counter(
        tuple(words[start : start + n]) for n in range(1, LONGEST + 1) for start in range(len(words) - n + 1)
    )
