"""TF-IDF cosine: how many rare words two captions share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy import sparse

from bcls.errors import InputError, MissingExtraError
from bcls.relevance.encoding_parts import parts_with_progress
from bcls.relevance.encodings import SparseEncodings
from bcls.relevance.word_scorer import WordScorer
from bcls.text import Tokenizer, to_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.feature_extraction.text import TfidfVectorizer


class TfidfScorer(WordScorer):
    """Cosine of TF-IDF vectors over words, with 1 + log of the counts. Needs the extra `text` (scikit-learn).

    No word is left out, since rare ones outweigh `a` and `the` anyway. Words that the fitted collection lacks are
    ignored: a caption of nothing else has similarity 0 to all, itself included, and so has one without words. The idf
    is the smoothed one, 1 + log((1 + captions) / (1 + captions with the word)): every caption is a document, whatever
    its image.

    Args:
        tokenizer: splits captions into words; None = `UnicodeWords()`, which knows every script.

    Raises:
        InputError: something else than a registered tokenizer.

    Example:
        >>> scorer = TfidfScorer().fit(["a dog runs", "a cat sleeps", "a dog sleeps"])
        >>> scorer.similarity(["a dog runs"], ["a dog runs", "a cat sleeps"]).round(2)
        array([[1.  , 0.18]], dtype=float32)
    """

    part_size: ClassVar[int] = 1 << 16
    needs: ClassVar[tuple[str, str] | None] = ("sklearn", "text")

    def __init__(self, tokenizer: Tokenizer | None = None) -> None:
        super().__init__(tokenizer)
        self._vectorizer: TfidfVectorizer | None = None

    @property
    def name(self) -> str:
        """`tfidf`."""
        return "tfidf"

    def settings(self) -> dict[str, Any]:
        """How words are found and weighed."""
        return {"scorer": "tfidf", "sublinear": True, "tokenizer": self.tokenizer.settings()}

    def fit(self, captions: Sequence[str], caption_image: NDArray[np.int64] | None = None) -> Self:
        """Learn how rare each word is among the captions; `caption_image` does not matter.

        Raises:
            MissingExtraError: scikit-learn is not installed.
            InputError: no caption has a word.
        """
        try:
            from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
        except ImportError:
            raise MissingExtraError("TfidfScorer", "text") from None
        captions = to_texts(captions, "captions")
        if not any(self.tokenizer(caption) for caption in captions):
            raise InputError("TfidfScorer: no caption has a word to learn from")
        self._vectorizer = TfidfVectorizer(analyzer=self.tokenizer, sublinear_tf=True, dtype=np.float32).fit(captions)
        return self

    def encode(self, captions: Sequence[str]) -> SparseEncodings:
        """Unit TF-IDF vectors.

        Raises:
            InputError: not fitted.
        """
        return self.join(parts_with_progress(self, captions))

    def encode_part(self, captions: Sequence[str]) -> dict[str, NDArray[np.generic]]:
        """The vectors of some captions as the parts of a CSR matrix; raises as `encode` does."""
        if self._vectorizer is None:
            raise InputError("TfidfScorer must be fitted on captions before it can encode")
        captions = to_texts(captions, "captions")
        if captions:
            vectors = sparse.csr_array(self._vectorizer.transform(captions))
        else:  # scikit-learn refuses to transform nothing
            vectors = sparse.csr_array(np.zeros((0, len(self._vectorizer.vocabulary_)), dtype=np.float32))
        return SparseEncodings(vectors).arrays()

    def join(self, parts: Iterator[Mapping[str, NDArray[np.generic]]]) -> SparseEncodings:
        """All vectors in one matrix."""
        matrices = [SparseEncodings.from_arrays(part).references for part in parts]
        return SparseEncodings(sparse.csr_array(sparse.vstack(matrices, format="csr")))
