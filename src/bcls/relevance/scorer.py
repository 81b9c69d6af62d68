"""What a scorer is: it says how similar two captions are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from bcls.relevance.encodings import Encodings
from bcls.text import to_texts, words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Scorer", "words_of"]


class Scorer(ABC):
    """Encodes captions so that any two can be compared, on a scale from 0 to 1.

    To add one, write the two descriptions (`name`, `settings`), `fit` and `encode`. A scorer that takes long also sets
    `part_size` and writes `encode_part` and `join`: its encodings are then kept part by part, and an interrupted
    encoding is resumed.

    Attributes:
        part_size: how many captions make a part; 0 = the scorer encodes all captions at once.
        needs: an optional package that the scorer cannot do without, as (module, extra of this package); None = none.
    """

    part_size: ClassVar[int] = 0
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

    def current_settings(self, kept: Any, captions: Sequence[str]) -> Any:
        """Settings as an earlier release kept them, in the form of `settings`, where nothing else has changed.

        Args:
            kept: settings from a label store or a calibration.
            captions: whose encodings are to be the same by the settings of then and now.

        Returns:
            `kept` with the entries that a later release added, if the captions are encoded as they were then; else
            `kept` as it is, so that it differs from `settings()`.
        """
        return kept

    def encode_part(self, captions: Sequence[str]) -> dict[str, NDArray[np.generic]]:
        """Encode some captions, whatever the others are.

        Args:
            captions: `part_size` captions that follow each other; fewer in the last part.

        Returns:
            Plain arrays, for `join`.

        Raises:
            InputError: the scorer must be fitted first.
            NotImplementedError: `part_size` is 0.
        """
        raise NotImplementedError(f"{type(self).__name__} encodes all captions at once")

    def join(self, parts: Iterator[Mapping[str, NDArray[np.generic]]]) -> Encodings:
        """Make the encodings of all captions of their parts: the same, bit for bit, that `encode` gives.

        Args:
            parts: what `encode_part` returned, in the order of the captions; one at least.

        Raises:
            NotImplementedError: `part_size` is 0.
        """
        raise NotImplementedError(f"{type(self).__name__} encodes all captions at once")

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
        references, candidates = to_texts(references, "references"), to_texts(candidates, "candidates")
        encodings = self.encode([*references, *candidates])
        rows = np.arange(len(encodings), dtype=np.int64)
        return encodings.similarity(rows[: len(references)], rows[len(references) :])
