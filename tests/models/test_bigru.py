"""The GRU tower against captions read one by one, without packing or padding."""

from __future__ import annotations

import pytest
import torch

from bcls.errors import InputError
from bcls.models import BiGRUTower
from bcls.models.words import PADDING
from bcls.text import WordCharacters

POOLINGS = ("mean", "max", "gpo")


def make(captions, pooling="mean", **settings) -> BiGRUTower:
    torch.manual_seed(0)
    tower = BiGRUTower(dim=6, word_dim=5, pooling=pooling, minimum_count=1, **settings)
    tower.fit(captions)
    return tower.eval()


def states_of(tower: BiGRUTower, caption: str) -> torch.Tensor:
    """(1, words, dim): forward and backward states averaged, one caption and no padding."""
    ids = {word: row for row, word in enumerate(tower.fitted()["vocabulary"], start=2)}
    words = [word for word in caption.lower().split() if word.isalnum()]
    vectors = tower.vectors.weight[[ids.get(word, 1) for word in words] or [1]]
    states = tower.gru(vectors[None])[0]
    return (states[..., :6] + states[..., 6:]) / 2


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("layers", [1, 2])
def test_equals_reading_captions_one_by_one(captions, pooling, layers):
    tower = make(captions, pooling, layers=layers)
    chosen = [*captions, "a zebra", ""]
    for caption, embedding in zip(chosen, tower(tower.tokenize(chosen)), strict=True):
        states = states_of(tower, caption)
        if pooling == "gpo":
            expected = tower.pool(states, torch.tensor([states.shape[1]]))[0]
        else:
            expected = states[0].mean(dim=0) if pooling == "mean" else states[0].amax(dim=0)
        torch.testing.assert_close(embedding, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_vector_of_padding_does_not_matter(captions, pooling):
    tower = make(captions, pooling)
    before = tower(tower.tokenize(captions))
    with torch.no_grad():
        tower.vectors.weight[PADDING] = 1e6
    assert torch.equal(tower(tower.tokenize(captions)), before)


def test_padding_is_not_learnt(captions):
    tower = make(captions)
    tower(tower.tokenize(captions)).square().sum().backward()
    assert not tower.vectors.weight.grad[PADDING].any()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_order_of_words_matters(captions, pooling):
    tower = make(captions, pooling)
    first, second = tower(tower.tokenize(["hats eat men", "men eat hats"]))
    assert (first - second).abs().max() > 1e-3


def test_unknown_words_are_one_word(captions):
    tower = make(captions)
    first, second, known = tower(tower.tokenize(["a zebra runs", "a lion runs", "a dog runs"]))
    assert torch.equal(first, second)
    assert not torch.allclose(first, known)


def test_words_are_left_out_in_training_alone(captions):
    tower = make(captions, "max", dropout=0.0, dropped_words=0.5)
    tokens = tower.tokenize(captions)
    assert torch.equal(tower(tokens), make(captions, "max")(tokens))
    tower.train()
    torch.manual_seed(1)
    found = tower(tokens)
    torch.manual_seed(1)
    members = tower.members(tokens)
    lengths = (members != 0).any(dim=2).sum(dim=1)
    assert (lengths <= tokens.lengths).all()
    assert (lengths < tokens.lengths).any()
    for row, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(found[row], members[row, :length].amax(dim=0))


def test_words_are_those_of_the_tokenizer_asked_for():
    captions = ["बाल लाल", "बोलो लीला"]
    whole, pieces = (
        BiGRUTower(dim=2, minimum_count=1, word_dim=3),
        BiGRUTower(dim=2, minimum_count=1, word_dim=3, tokenizer=WordCharacters()),
    )
    whole.fit(captions)
    pieces.fit(captions)
    assert sorted(whole.fitted()["vocabulary"]) == sorted(["बाल", "लाल", "बोलो", "लीला"])
    assert sorted(pieces.fitted()["vocabulary"]) == ["ब", "ल"]
    assert whole.tokenize(captions).lengths.tolist() == [2, 2]
    assert pieces.tokenize(captions).words.tolist() == [3, 2, 2, 2, 3, 2, 2, 2]
    with pytest.raises(InputError, match="tokenizer is 'UnicodeWords'; it must be a Tokenizer"):
        BiGRUTower(tokenizer="UnicodeWords")
