"""TF-IDF cosine: how many rare words two captions share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy import sparse

from bcls.errors import InputError, MissingExtraError
from bcls.relevance.encodings import SparseEncodings
from bcls.relevance.scorer import Scorer, words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.feature_extraction.text import TfidfVectorizer


class TfidfScorer(Scorer):
    """Cosine of TF-IDF vectors over words, with 1 + log of the counts. Needs the extra `text` (scikit-learn).

    Words are runs of letters and digits in lower case; none are left out, since rare ones outweigh `a` and `the`
    anyway. Words that the fitted collection lacks are ignored: a caption of nothing else has similarity 0 to all,
    itself included. The idf is the smoothed one, 1 + log((1 + captions) / (1 + captions with the word)): every caption
    is a document, whatever its image.

    Example:
        >>> scorer = TfidfScorer().fit(["a dog runs", "a cat sleeps", "a dog sleeps"])
        >>> scorer.similarity(["a dog runs"], ["a dog runs", "a cat sleeps"]).round(2)
        array([[1.  , 0.18]], dtype=float32)
    """

    needs: ClassVar[tuple[str, str] | None] = ("sklearn", "text")

    def __init__(self) -> None:
        self._vectorizer: TfidfVectorizer | None = None

    @property
    def name(self) -> str:
        """`tfidf`."""
        return "tfidf"

    def settings(self) -> dict[str, Any]:
        """How words are weighed."""
        return {"scorer": "tfidf", "sublinear": True}

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
        if not any(words_of(caption) for caption in captions):
            raise InputError("TfidfScorer: no caption has a word to learn from")
        self._vectorizer = TfidfVectorizer(analyzer=words_of, sublinear_tf=True, dtype=np.float32).fit(captions)
        return self

    def encode(self, captions: Sequence[str]) -> SparseEncodings:
        """Unit TF-IDF vectors.

        Raises:
            InputError: not fitted.
        """
        if self._vectorizer is None:
            raise InputError("TfidfScorer must be fitted on captions before it can encode")
        if not captions:  # scikit-learn refuses to transform nothing
            return SparseEncodings(sparse.csr_array(np.zeros((0, len(self._vectorizer.vocabulary_)), dtype=np.float32)))
        return SparseEncodings(sparse.csr_array(self._vectorizer.transform(captions)))
