"""A caption tower around a pretrained text encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from bcls.errors import InputError
from bcls.models.gpo import make_pooling
from bcls.models.pretrained.encoders import Half, caption_states, caption_vectors
from bcls.models.pretrained.learning import Trained, Weights
from bcls.models.pretrained.tokenizer import CaptionTokenizer
from bcls.models.pretrained.tower import PretrainedTower
from bcls.models.sentence_encoder import SentenceTokens, SentenceVectors
from bcls.models.towers import CaptionTower, require_sizes
from bcls.progress import progress

CaptionPooling = Literal["own", "mean", "max", "gpo"]
BLOCK = 128


class PaddedTokens(SentenceTokens):
    """Captions as tokens that are all padded to one length, because the encoder was trained so (SigLIP)."""

    def select(self, rows: Tensor) -> PaddedTokens:
        """The captions at `rows`, in that order."""
        return PaddedTokens(self.ids[rows], self.mask[rows])

    def to(self, device: torch.device | str) -> PaddedTokens:
        """The same captions on another device."""
        return PaddedTokens(self.ids.to(device), self.mask.to(device))


class PretrainedCaptionTower(PretrainedTower, CaptionTower):
    """The text half of CLIP or SigLIP, or any text encoder of transformers (BERT, MiniLM, RoBERTa, ...).

    Where the encoder learns nothing and the pooling is `own` or `mean`, captions are encoded once, by `tokenize`, and
    training runs at the speed of features. A saved model holds encoder and tokenizer whole. Needs the extra `hf`.
    Nothing is downloaded unless `model` names a hub id.

    Args:
        model: a local folder, or a hub id, which is downloaded.
        dim: size of a new linear projection on top; null = none, the embedding is the model's own (CLIP, SigLIP).
        pooling: `own` = the model's own vector of a caption, or the mean of its tokens where it has none (BERT);
            `mean`, `max` or `gpo` (generalized pooling) of its tokens.
        longest: tokens of a caption at most; null = as many as the encoder takes.
        trained: `all` of the encoder, its `last` layers with what follows them, low-rank adapters (`lora`), or
            `nothing`.
        last_layers: how many layers learn, with `trained: last`.
        lora_rank: of the adapters, with `trained: lora`.
        layer_decay: factor on the learning rate from each layer to the one below it; 1 = all learn alike.
        gradient_checkpointing: less memory for a third more time: activations are computed again in the backward pass.
        weights: number format of weights that do not learn. To compute in bfloat16 while all learn, see
            `optimization.precision`.
        dropout: share of the projection's inputs zeroed in training.
    """

    side: ClassVar[Half] = "text"

    def __init__(
        self,
        *,
        model: str,
        dim: int | None = None,
        pooling: CaptionPooling = "own",
        longest: int | None = None,
        trained: Trained = "all",
        last_layers: int = 2,
        lora_rank: int = 8,
        layer_decay: float = 1.0,
        gradient_checkpointing: bool = False,
        weights: Weights = "float32",
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            model=model,
            dim=dim,
            trained=trained,
            last_layers=last_layers,
            lora_rank=lora_rank,
            layer_decay=layer_decay,
            gradient_checkpointing=gradient_checkpointing,
            weights=weights,
            dropout=dropout,
        )
        require_sizes(longest=longest)
        if pooling not in ("own", "mean", "max", "gpo"):
            raise InputError(f"pooling is {pooling!r}; it must be one of own, mean, max, gpo")
        self.pooling: CaptionPooling = pooling
        self.longest = longest
        self.pool = make_pooling("mean" if pooling == "own" else pooling)

    @property
    def pools_after_projection(self) -> bool:
        """Whether the projection works on tokens, before they are pooled."""
        return self.pooling in ("max", "gpo")

    def fit(self, captions: Sequence[str]) -> None:
        """Load encoder and tokenizer, and try them on a few of the captions."""
        self._load()
        longest, fixed = self._limits()
        self.tokenizer = CaptionTokenizer.load(self.model, longest, fixed=fixed)
        try:
            with torch.no_grad():
                width = self.encode(*self.tokenizer([*captions[:8], "a"])).shape[-1]
        except (RuntimeError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise InputError(f"{self.model} does not take the tokens of its tokenizer ({error})") from None
        self._project_to_dim(width)

    def fitted(self) -> dict[str, Any] | None:
        """The encoder's config and hash, the tokenizer's files and limit, and the width."""
        if self._width is None:
            return None
        tokenizer = {"files": self.tokenizer.files, "longest": self.tokenizer.longest}
        return {**self._about_encoder(), "tokenizer": tokenizer, "width": self._width}

    def restore(self, fitted: dict[str, Any]) -> None:
        """Build encoder, tokenizer and projection for a saved tower's tensors."""
        self._rebuild(fitted)
        longest = int(fitted["tokenizer"]["longest"])
        self.tokenizer = CaptionTokenizer.from_files(fitted["tokenizer"]["files"], longest, fixed=self._limits()[1])
        self._project_to_dim(int(fitted["width"]))

    def tokenize(self, captions: Sequence[str]) -> SentenceVectors | SentenceTokens:
        """Tokens; or vectors, where the encoder learns nothing and gives one vector a caption."""
        self.require_fitted()
        ids, mask = self.tokenizer(captions)
        if self.trained == "nothing" and not self.pools_after_projection:
            return SentenceVectors(self._encode_all(ids, mask))
        return (PaddedTokens if self._limits()[1] else SentenceTokens)(ids, mask)

    def encode(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(captions, tokens) ids and mask -> the encoder's output, before any projection.

        Returns:
            (captions, width), or (captions, tokens, width) with the pooling `max` or `gpo`.
        """
        found = self.encoder(input_ids=ids, attention_mask=None if self._limits()[1] else mask)
        if self.pooling == "own":
            vectors = caption_vectors(found)
            if vectors is not None:
                return vectors.float()
        states = caption_states(self.encoder, found).float()
        if self.pools_after_projection:
            return states
        pooled: Tensor = self.pool(states, mask.sum(dim=1))
        return pooled

    def project(self, captions: SentenceVectors | SentenceTokens) -> Tensor:
        """Tokens or vectors -> (captions, dim)."""
        if isinstance(captions, SentenceVectors):
            vectors: Tensor = self.projection(captions.vectors)
            return vectors
        return self.project_tokens(captions.ids, captions.mask)

    def project_tokens(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(captions, tokens) ids and mask -> (captions, dim)."""
        projected: Tensor = self.projection(self.encode(ids, mask))
        if self.pools_after_projection:
            projected = self.pool(projected, mask.sum(dim=1))
        return projected

    def _limits(self) -> tuple[int, bool]:
        """Tokens of a caption at most, and whether every caption is padded to that many."""
        config: Any = self.encoder.config
        most = int(getattr(config, "max_position_embeddings", 512))
        if config.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet"):
            most -= int(config.pad_token_id) + 1  # positions are counted from behind the padding's
        return min(most, self.longest or most), config.model_type == "siglip_text_model"

    def _encode_all(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(captions, width) vectors of an encoder that learns nothing, long captions beside long ones."""
        device = next(self.encoder.parameters()).device
        order = mask.sum(dim=1).argsort(stable=True)
        assert self._width is not None
        vectors = torch.zeros(len(ids), self._width)
        starts = range(0, len(ids), BLOCK)
        with torch.no_grad():
            for start in progress(starts, "encoding captions", unit=f" x {BLOCK}") if len(starts) > 1 else starts:
                rows = order[start : start + BLOCK]
                most = ids.shape[1] if self._limits()[1] else int(mask[rows].sum(dim=1).max())
                found = self.encode(ids[rows, :most].to(device), mask[rows, :most].to(device))
                vectors[rows] = found.float().cpu()
        return vectors
