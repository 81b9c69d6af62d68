"""What a scorer is: it says how similar two captions are."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from bcls.relevance.encodings import Encodings

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Scorer(ABC):
    """Encodes captions so that any two can be compared, on a scale from 0 to 1.

    To add one, write the two descriptions (`name`, `settings`), `fit` and `encode`.

    Attributes:
        needs: an optional package that the scorer cannot do without, as (module, extra of this package); None = none.
    """

    needs: ClassVar[tuple[str, str] | None] = None

    @property
    @abstractmethod
    def name(self) -> str:
        """A word for file names and tables, e.g. `tfidf`."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What the encodings depend on beside the captions, JSON-able."""

    @abstractmethod
    def fit(self, captions: Sequence[str], caption_image: NDArray[np.int64] | None = None) -> Self:
        """Learn what the scorer must know of a collection, e.g. how rare each word is.

        Args:
            captions: the collection, usually the training captions.
            caption_image: (captions,) image row of each; None = every caption is of an image of its own.
        """

    @abstractmethod
    def encode(self, captions: Sequence[str]) -> Encodings:
        """Encode captions.

        Raises:
            InputError: the scorer must be fitted first.
        """

    def similarity(self, references: Sequence[str], candidates: Sequence[str]) -> NDArray[np.float32]:
        """Similarities of captions; for looking at a scorer, not for a training loop.

        Args:
            references: R captions that are compared against.
            candidates: C captions that are scored.

        Returns:
            (R, C) float32 in [0, 1].

        Raises:
            InputError: the scorer must be fitted first.
        """
        encodings = self.encode([*references, *candidates])
        rows = np.arange(len(encodings), dtype=np.int64)
        return encodings.similarity(rows[: len(references)], rows[len(references) :])


def words_of(caption: str) -> list[str]:
    """A caption's words: runs of letters, digits and underscores, in lower case.

    Example:
        >>> words_of("Two dogs, in the SNOW.")
        ['two', 'dogs', 'in', 'the', 'snow']
    """
    return re.findall(r"\w+", caption.lower())
