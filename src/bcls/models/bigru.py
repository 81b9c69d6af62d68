"""A caption tower that reads words in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bcls.models.dropout import Dropout
from bcls.models.gpo import Pooling, make_pooling
from bcls.models.towers import CaptionTower, require_share, require_sizes
from bcls.models.words import PADDING, WordBags, vocabulary_of
from bcls.text import Tokenizer, UnicodeWords, usable_tokenizer

START, END = "<start>", "<end>"


class BiGRUTower(CaptionTower):
    """Word vectors through a bidirectional GRU, the two directions averaged, pooled over the words.

    A similarity of sets gets the words unpooled. The field's usual caption tower without pretraining (VSE++, SCAN,
    VSE-infinity).

    Args:
        dim: size of the embedding and of the GRU's state.
        word_dim: size of the word vectors.
        layers: of the GRU.
        pooling: `mean`, `max`, or `gpo`.
        minimum_count: rarer words of the training captions are unknown words.
        dropout: share of word vectors' entries zeroed in training.
        dropped_words: share of words left out in training (VSE-infinity's size augmentation has 0.2).
        marked: whether every caption begins and ends with a mark of its own, as in VSE++ and VSE-infinity.
        tokenizer: splits captions into words; None = `UnicodeWords()`, which knows every script.

    Raises:
        InputError: a size or a share out of range, or something else than a registered tokenizer.

    Example:
        >>> tower = BiGRUTower(dim=4, word_dim=3, minimum_count=1)
        >>> tower.fit(["a dog", "a cat"])
        >>> tower(tower.tokenize(["a dog", "a bird and a cat"])).shape
        torch.Size([2, 4])
    """

    gives_sets: ClassVar[bool] = True

    def __init__(
        self,
        *,
        dim: int = 512,
        word_dim: int = 300,
        layers: int = 1,
        pooling: Pooling = "gpo",
        minimum_count: int = 3,
        dropout: float = 0.2,
        dropped_words: float = 0.0,
        marked: bool = False,
        tokenizer: Tokenizer | None = None,
    ) -> None:
        super().__init__()
        require_share("dropout", dropout)
        require_share("dropped_words", dropped_words)
        require_sizes(dim=dim, word_dim=word_dim, layers=layers, minimum_count=minimum_count)
        self.dim = dim
        self.word_dim = word_dim
        self.layers = layers
        self.pooling: Pooling = pooling
        self.minimum_count = minimum_count
        self.dropout = dropout
        self.dropped_words = dropped_words
        self.marked = marked
        self.pool = make_pooling(pooling)
        self.tokenizer = UnicodeWords() if tokenizer is None else usable_tokenizer(tokenizer)
        self._vocabulary: list[str] | None = None

    def fit(self, captions: Sequence[str]) -> None:
        """Learn the vocabulary."""
        marks = [START, END] if self.marked else []
        self.restore({"vocabulary": marks + vocabulary_of(captions, self.minimum_count, self.tokenizer)})

    def fitted(self) -> dict[str, Any] | None:
        """The vocabulary."""
        return None if self._vocabulary is None else {"vocabulary": self._vocabulary}

    def restore(self, fitted: dict[str, Any]) -> None:
        """Make the word vectors and the GRU."""
        self._vocabulary = list(fitted["vocabulary"])
        self._ids = {word: row for row, word in enumerate(self._vocabulary, start=2)}
        self.vectors = nn.Embedding(len(self._ids) + 2, self.word_dim, padding_idx=PADDING)
        nn.init.uniform_(self.vectors.weight, -0.1, 0.1)
        self.drop = Dropout(self.dropout)
        self.gru = nn.GRU(self.word_dim, self.dim, self.layers, batch_first=True, bidirectional=True)

    def tokenize(self, captions: Sequence[str]) -> WordBags:
        """Word ids of each caption, in order."""
        self.require_fitted()
        return WordBags.of(captions, self._ids, (START, END) if self.marked else None, self.tokenizer)

    def members(self, inputs: WordBags) -> Tensor:
        """Words in order -> (captions, longest, dim), a vector for each word in its place; padding is zero."""
        return self._states(self._thinned(inputs))

    def project(self, captions: WordBags) -> Tensor:
        """Words in order -> (captions, dim)."""
        read = self._thinned(captions)
        pooled: Tensor = self.pool(self._states(read), read.lengths)
        return torch.as_tensor(pooled)

    def _thinned(self, captions: WordBags) -> WordBags:
        return captions.thinned(self.dropped_words) if self.training and self.dropped_words > 0 else captions

    def _states(self, captions: WordBags) -> Tensor:
        vectors = self.drop(self.vectors(captions.padded()))
        packed = nn.utils.rnn.pack_padded_sequence(
            vectors, captions.lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        states, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True)
        forward, backward = states.chunk(2, dim=2)
        return torch.as_tensor((forward + backward) / 2)
