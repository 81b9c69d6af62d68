"""A caption tower that sums word vectors with learnt weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bcls.models.towers import CaptionTower, require_share, require_sizes
from bcls.models.words import WordBags, vocabulary_of
from bcls.text import Tokenizer, UnicodeWords, usable_tokenizer


class BagOfWordsTower(CaptionTower):
    """The sum of a caption's word vectors, each times a learnt positive weight of its word.

    Order is ignored. Plain, quick, and hard to beat when training captions are few.

    Args:
        dim: size of the embedding and of the word vectors.
        minimum_count: rarer words of the training captions are unknown words.
        dropout: share of a caption's words left out in training.
        tokenizer: splits captions into words; None = `UnicodeWords()`, which knows every script.

    Raises:
        InputError: a size or a share out of range, or something else than a registered tokenizer.

    Example:
        >>> tower = BagOfWordsTower(dim=4, minimum_count=1)
        >>> tower.fit(["a dog", "a cat"])
        >>> tower(tower.tokenize(["a dog", "a bird and a cat"])).shape
        torch.Size([2, 4])
    """

    def __init__(
        self, *, dim: int = 512, minimum_count: int = 3, dropout: float = 0.2, tokenizer: Tokenizer | None = None
    ) -> None:
        super().__init__()
        require_share("dropout", dropout)
        require_sizes(dim=dim, minimum_count=minimum_count)
        self.dim = dim
        self.minimum_count = minimum_count
        self.dropout = dropout
        self.tokenizer = UnicodeWords() if tokenizer is None else usable_tokenizer(tokenizer)
        self._vocabulary: list[str] | None = None

    def fit(self, captions: Sequence[str]) -> None:
        """Learn the vocabulary."""
        self.restore({"vocabulary": vocabulary_of(captions, self.minimum_count, self.tokenizer)})

    def fitted(self) -> dict[str, Any] | None:
        """The vocabulary."""
        return None if self._vocabulary is None else {"vocabulary": self._vocabulary}

    def restore(self, fitted: dict[str, Any]) -> None:
        """Make the word vectors and weights."""
        self._vocabulary = list(fitted["vocabulary"])
        self._ids = {word: row for row, word in enumerate(self._vocabulary, start=2)}
        self.vectors = nn.EmbeddingBag(len(self._ids) + 2, self.dim, mode="sum")
        nn.init.normal_(self.vectors.weight, std=0.05)
        self.weights = nn.Parameter(torch.zeros(len(self._ids) + 2))

    def tokenize(self, captions: Sequence[str]) -> WordBags:
        """Word ids of each caption."""
        self.require_fitted()
        return WordBags.of(captions, self._ids, tokenizer=self.tokenizer)

    def project(self, captions: WordBags) -> Tensor:
        """Word bags -> (captions, dim)."""
        weights = F.softplus(self.weights)[captions.words]
        if self.training and self.dropout > 0:
            weights = weights * (torch.rand_like(weights) >= self.dropout)
        summed: Tensor = self.vectors(captions.words, captions.starts, per_sample_weights=weights)
        return summed
