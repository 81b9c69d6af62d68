"""Words, vocabularies and bags of words against plain Python."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.models.words import PADDING, WordBags, vocabulary_of, words_of

IDS = {"a": 2, "dog": 3, "cat": 4, "runs": 5}
caption_lists = st.lists(st.lists(st.sampled_from([*IDS, "zebra", "..."]), max_size=6).map(" ".join), min_size=1)


def naive_rows(captions: list[str]) -> list[list[int]]:
    return [[IDS.get(word, 1) for word in caption.split() if word != "..."] or [1] for caption in captions]


def rows_of(bags: WordBags) -> list[list[int]]:
    ends = (bags.starts + bags.lengths).tolist()
    return [bags.words[start:end].tolist() for start, end in zip(bags.starts.tolist(), ends, strict=True)]


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A dog's ball.", ["a", "dog", "s", "ball"]),
        ("ÉTÉ à Zürich", ["été", "à", "zürich"]),
        ("2 dogs,one cat", ["2", "dogs", "one", "cat"]),
        ("tab\tand\nline", ["tab", "and", "line"]),
        (" .,! ", []),
        ("", []),
    ],
)
def test_words(caption, words):
    assert words_of(caption) == words


@given(caption_lists, st.integers(1, 4))
def test_a_vocabulary_holds_the_words_that_occur_often_enough(captions, minimum):
    counts = Counter(word for caption in captions for word in caption.split() if word != "...")
    if not counts:
        with pytest.raises(InputError, match="no caption has a word to learn from"):
            vocabulary_of(captions, minimum)
        return
    vocabulary = vocabulary_of(captions, minimum)
    assert set(vocabulary) == {word for word, count in counts.items() if count >= minimum}
    assert vocabulary == sorted(vocabulary, key=lambda word: (-counts[word], word))


def test_vocabulary_and_bags_take_another_tokenizer():
    assert vocabulary_of(["A dog", "A cat"], 2, str.split) == ["A"]
    assert rows_of(WordBags.of(["a-dog"], {"a-dog": 7, "a": 2}, None, str.split)) == [[7]]


@given(caption_lists)
def test_bags_hold_the_ids_of_the_words(captions):
    assert rows_of(WordBags.of(captions, IDS)) == naive_rows(captions)


@given(caption_lists, st.data())
def test_selected_bags_are_packed_anew(captions, data):
    rows = data.draw(st.lists(st.integers(0, len(captions) - 1)))
    chosen = WordBags.of(captions, IDS).select(torch.tensor(rows, dtype=torch.int64))
    everything = naive_rows(captions)
    assert len(chosen) == len(rows)
    assert rows_of(chosen) == [everything[row] for row in rows]
    assert chosen.words.tolist() == [word for row in rows for word in everything[row]]


@given(caption_lists, st.data())
@settings(deadline=None)
def test_padded_rows_end_in_padding(captions, data):
    rows = data.draw(st.lists(st.integers(0, len(captions) - 1), min_size=1))
    padded = WordBags.of(captions, IDS).select(torch.tensor(rows)).padded()
    expected = [naive_rows(captions)[row] for row in rows]
    longest = max(map(len, expected))
    assert padded.tolist() == [row + [PADDING] * (longest - len(row)) for row in expected]


def test_moving_keeps_the_captions():
    bags = WordBags.of(["a dog", "cat"], IDS)
    assert rows_of(bags.to("cpu")) == rows_of(bags)
    assert {part.device.type for part in vars(bags.to("meta")).values()} == {"meta"}


@given(caption_lists, st.sampled_from([0.0, 0.3, 0.9]), st.integers(0, 99))
@settings(deadline=None)
def test_thinned_captions_are_parts_in_order_and_never_empty(captions, share, seed):
    torch.manual_seed(seed)
    for found, whole in zip(rows_of(WordBags.of(captions, IDS).thinned(share)), naive_rows(captions), strict=True):
        remaining = iter(whole)
        assert found
        assert all(word in remaining for word in found)
        assert share > 0 or found == whole


def test_as_many_words_are_left_out_as_was_asked():
    torch.manual_seed(0)
    bags = WordBags(torch.arange(20_000), torch.arange(0, 20_000, 100), torch.full((200,), 100))
    assert len(bags.thinned(0.2).words) / 20_000 == pytest.approx(0.8, abs=0.01)
