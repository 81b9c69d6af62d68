"""Labels of captions whose words release 0.1 took apart."""

from __future__ import annotations

import json

import pytest

from bcls.data.dataset import RetrievalDataset
from bcls.data.labels import label_split
from bcls.data.records import Caption, ImageRecord
from bcls.errors import InputError
from bcls.relevance import Calibration, CiderScorer
from bcls.text import WordCharacters

HINDI, ENGLISH = ["बाल लाल", "बोलो लीला", "एक कुत्ता"], ["a dog", "a cat", "two boats"]


def dataset_of(captions):
    images = [ImageRecord(str(n), None, "train", (Caption(f"{n}#0", text),)) for n, text in enumerate(captions)]
    return RetrievalDataset("tiny", images)


def curve_of_0_1():
    settings = {name: value for name, value in CiderScorer().settings().items() if name != "tokenizer"}
    return Calibration((0.0, 1.0), (0.0, 1.0), settings)


def test_a_curve_of_release_0_1_is_for_captions_in_which_it_finds_the_same_words(tmp_path):
    label_split(dataset_of(ENGLISH), "train", CiderScorer(), tmp_path / "english", calibration=curve_of_0_1())
    with pytest.raises(InputError, match="the calibration is for the scorer"):
        label_split(dataset_of(HINDI), "train", CiderScorer(), tmp_path / "hindi", calibration=curve_of_0_1())
    scorer = CiderScorer(WordCharacters())
    label_split(dataset_of(HINDI), "train", scorer, tmp_path / "pieces", calibration=curve_of_0_1())


def test_the_tokenizer_stands_in_the_store(tmp_path):
    label_split(dataset_of(HINDI), "train", CiderScorer(), tmp_path)
    (about,) = tmp_path.rglob("labels.json")
    assert json.loads(about.read_text(encoding="utf-8"))["settings"]["tokenizer"]["tokenizer"] == "UnicodeWords"
