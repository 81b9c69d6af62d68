"""Words and vocabularies of the towers that read words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bcls.errors import InputError
from bcls.text import words_of

__all__ = ["PADDING", "UNKNOWN", "WordBags", "vocabulary_of", "words_of"]

PADDING, UNKNOWN = 0, 1
Words = Callable[[str], list[str]]


def vocabulary_of(captions: Iterable[str], minimum_count: int, tokenizer: Words = words_of) -> list[str]:
    """Words that occur at least so often, most frequent first, then by the alphabet.

    Args:
        captions: where they occur.
        minimum_count: how often at least.
        tokenizer: a caption's words.

    Raises:
        InputError: no caption has a word.

    Example:
        >>> vocabulary_of(["a dog", "a cat", "a dog runs"], minimum_count=2)
        ['a', 'dog']
    """
    counts = Counter(word for caption in captions for word in tokenizer(caption))
    if not counts:
        raise InputError("no caption has a word to learn from: give captions with letters, digits or emoji")
    return sorted((w for w, n in counts.items() if n >= minimum_count), key=lambda word: (-counts[word], word))


@dataclass(frozen=True)
class WordBags:
    """Captions as runs of word ids in one flat tensor.

    Attributes:
        words: (all words,) int64 ids; each caption has at least one.
        starts: (captions,) where each caption begins.
        lengths: (captions,) how many words each has.
    """

    words: Tensor
    starts: Tensor
    lengths: Tensor

    @classmethod
    def of(
        cls,
        captions: Sequence[str],
        ids: dict[str, int],
        ends: tuple[str, str] | None = None,
        tokenizer: Words = words_of,
    ) -> WordBags:
        """Look up every word; unknown words, and a caption without words, become the unknown word.

        Args:
            captions: what to look up.
            ids: of the known words.
            ends: words to put before and behind each caption; None = none.
            tokenizer: a caption's words; the same that made the vocabulary.
        """
        rows = [[ids.get(word, UNKNOWN) for word in tokenizer(caption)] or [UNKNOWN] for caption in captions]
        if ends is not None:
            rows = [[ids.get(ends[0], UNKNOWN), *row, ids.get(ends[1], UNKNOWN)] for row in rows]
        lengths = torch.tensor([len(row) for row in rows], dtype=torch.int64)
        flat = torch.tensor([word for row in rows for word in row], dtype=torch.int64)
        return cls(flat, lengths.cumsum(0) - lengths, lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def select(self, rows: Tensor) -> WordBags:
        """The captions at `rows`, in that order, packed anew."""
        lengths = self.lengths[rows]
        starts = lengths.cumsum(0) - lengths
        shift = torch.repeat_interleave(self.starts[rows] - starts, lengths)
        return WordBags(self.words[shift + torch.arange(len(shift), device=shift.device)], starts, lengths)

    def to(self, device: torch.device | str) -> WordBags:
        """The same captions on another device."""
        return WordBags(self.words.to(device), self.starts.to(device), self.lengths.to(device))

    def thinned(self, share: float) -> WordBags:
        """The captions with this share of their words left out at random; every caption keeps at least one.

        Args:
            share: of words left out, in [0, 1).

        Example:
            >>> bags = WordBags.of(["a dog", "cats"], {"a": 2, "dog": 3, "cats": 4})
            >>> bags.thinned(0.0).words.tolist(), bags.thinned(0.999).lengths.tolist()
            ([2, 3, 4], [1, 1])
        """
        caption = torch.repeat_interleave(torch.arange(len(self), device=self.words.device), self.lengths)
        kept = torch.rand(len(self.words), device=self.words.device) >= share
        left = torch.bincount(caption[kept], minlength=len(self))
        kept[self.starts[left == 0]] = True
        lengths = left.clamp_min(1)
        return WordBags(self.words[kept], lengths.cumsum(0) - lengths, lengths)

    def padded(self) -> Tensor:
        """(captions, longest) word ids, padded at the end."""
        longest = int(self.lengths.max())
        position = torch.arange(longest, device=self.words.device)
        real = position < self.lengths[:, None]
        place = (self.starts[:, None] + position).clamp(max=len(self.words) - 1)
        return torch.where(real, self.words[place], PADDING)
