"""The bag of words against a loop over words."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from bcls.errors import InputError
from bcls.models import BagOfWordsTower
from bcls.text import WordCharacters


@pytest.fixture
def tower(captions) -> BagOfWordsTower:
    torch.manual_seed(0)
    tower = BagOfWordsTower(dim=6, minimum_count=1)
    tower.fit(captions)
    torch.nn.init.normal_(tower.weights)
    return tower.eval()


def test_equals_a_loop_over_words(tower, captions):
    ids = {word: row for row, word in enumerate(tower.fitted()["vocabulary"], start=2)}
    chosen = [*captions, "a zebra and a dog", "dog dog dog", ""]
    for caption, embedding in zip(chosen, tower(tower.tokenize(chosen)), strict=True):
        words = [word for word in caption.lower().split() if word.isalnum()]
        rows = [ids.get(word, 1) for word in words] or [1]
        expected = sum(F.softplus(tower.weights[row]) * tower.vectors.weight[row] for row in rows)
        torch.testing.assert_close(embedding, expected)


def test_the_order_of_words_does_not_matter(tower):
    first, second = tower(tower.tokenize(["hats eat men", "men eat hats"]))
    torch.testing.assert_close(first, second)


def test_unknown_words_are_one_word_but_not_none(tower):
    zebra, lion, none = tower(tower.tokenize(["a zebra", "a lion", "a"]))
    assert torch.equal(zebra, lion)
    assert not torch.allclose(zebra, none)


def test_rare_words_are_unknown():
    tower = BagOfWordsTower(dim=4, minimum_count=2)
    tower.fit(["a dog", "a cat", "dog"])
    assert tower.fitted() == {"vocabulary": ["a", "dog"]}
    cat, zebra = tower(tower.tokenize(["cat", "zebra"]))
    assert torch.equal(cat, zebra)


def test_weights_of_words_are_positive(tower):
    word = tower.fitted()["vocabulary"].index("dog") + 2
    with torch.no_grad():
        tower.weights[word] = -5.0
    embedding = tower(tower.tokenize(["dog"]))[0]
    assert torch.nn.functional.cosine_similarity(embedding, tower.vectors.weight[word], dim=0) > 0.999


def test_dropout_leaves_out_whole_words(captions):
    tower = BagOfWordsTower(dim=6, minimum_count=1, dropout=0.5)
    tower.fit(captions)
    alone = tower.train()(tower.tokenize(["dog"] * 200))
    left_out = (alone == 0).all(dim=1)
    assert 60 < left_out.sum() < 140
    torch.testing.assert_close(alone[~left_out], tower.eval()(tower.tokenize(["dog"])).expand(200, -1)[~left_out])


def test_a_caption_that_lost_all_its_words_gives_finite_gradients(captions):
    tower = BagOfWordsTower(dim=6, minimum_count=1, dropout=0.999)
    tower.fit(captions)
    F.normalize(tower(tower.tokenize(captions)), dim=1).sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in tower.parameters())


def test_fitted_anew_it_knows_the_new_words_only(tower):
    tower.fit(["zebra"])
    assert tower.fitted() == {"vocabulary": ["zebra"]}
    assert tower(tower.tokenize(["zebra"])).shape == (1, 6)


def test_words_are_those_of_the_tokenizer_asked_for():
    captions = ["बाल लाल", "बोलो लीला"]
    whole, pieces = (
        BagOfWordsTower(dim=2, minimum_count=1),
        BagOfWordsTower(dim=2, minimum_count=1, tokenizer=WordCharacters()),
    )
    whole.fit(captions)
    pieces.fit(captions)
    assert sorted(whole.fitted()["vocabulary"]) == sorted(["बाल", "लाल", "बोलो", "लीला"])
    assert sorted(pieces.fitted()["vocabulary"]) == ["ब", "ल"]
    assert whole.tokenize(captions).lengths.tolist() == [2, 2]
    assert pieces.tokenize(captions).words.tolist() == [3, 2, 2, 2, 3, 2, 2, 2]
    with pytest.raises(InputError, match="tokenizer is 'UnicodeWords'; it must be a Tokenizer"):
        BagOfWordsTower(tokenizer="UnicodeWords")
