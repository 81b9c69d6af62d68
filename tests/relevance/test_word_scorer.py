"""Scorers of words in every script, with the tokenizer that is asked for, and what release 0.1 kept."""

from __future__ import annotations

import json
import unicodedata

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.relevance import Calibration, CiderScorer, TfidfScorer, open_labels, write_labels
from bcls.text import Tokenizer, UnicodeWords, WordCharacters

SCORERS = [TfidfScorer, CiderScorer]
HINDI = ["एक कुत्ता घास पर दौड़ता है", "बाल लाल", "बोलो लीला", "दो आदमी नाव में", "एक लड़का गेंद से"]
FRENCH = ["un café noir", "l'été à Zürich", "deux chiens", "un été"]
IMAGES = np.arange(5)


def kept_by_0_1(folder):
    """Make a label store one of release 0.1, which knew one tokenizer alone and did not name it."""
    about = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    del about["settings"]["tokenizer"]
    (folder / "labels.json").write_text(json.dumps(about), encoding="utf-8")


@pytest.mark.parametrize("make", SCORERS)
def test_hindi_captions_without_a_common_word_have_nothing_in_common(make):
    scorer = make().fit(HINDI)
    assert scorer.similarity(HINDI[1:2], HINDI[2:3])[0, 0] == 0
    assert scorer.similarity(HINDI[:1], HINDI[4:])[0, 0] > 0  # the first word


@pytest.mark.parametrize("make", SCORERS)
@pytest.mark.parametrize(
    "captions", [["दौ\u095cता कुत्ता", "बाल"], FRENCH, ["한 마리의 개가 달린다", "두 사람이 걷는다", "개가 잔다"]]
)
def test_the_normal_form_makes_no_difference(make, captions):
    other = [unicodedata.normalize("NFD", caption) for caption in captions]
    assert other != captions
    scorer = make().fit(captions)
    np.testing.assert_array_equal(scorer.similarity(other, captions), scorer.similarity(captions, captions))
    np.testing.assert_array_equal(make().fit(other).similarity(captions, captions), scorer.similarity(other, other))


@pytest.mark.parametrize("make", SCORERS)
def test_captions_without_words_are_like_nothing_and_no_collection(make):
    scorer = make().fit(["a dog runs", "!!"])
    found = scorer.similarity(["...", "", "a dog runs"], ["!!", "…", "a dog runs"])
    np.testing.assert_array_equal(found[:2], 0)
    np.testing.assert_array_equal(found[:, :2], 0)
    with pytest.raises(InputError, match="no caption has a word to learn from"):
        make().fit(["...", "", "«»"])


@pytest.mark.parametrize("make", SCORERS)
def test_captions_that_are_no_text_are_refused(make):
    with pytest.raises(InputError, match=r"element [01] must be text, not NoneType"):
        make().fit(["a dog", None])
    with pytest.raises(InputError, match=r"element [01] must be text, not float"):
        make().fit(["a dog", "a cat"]).encode(["a dog", float("nan")])


@pytest.mark.parametrize("make", SCORERS)
def test_the_tokenizer_is_the_one_asked_for_and_in_the_settings(make):
    then = make(WordCharacters()).fit(HINDI)
    assert then.similarity(HINDI[1:2], HINDI[2:3])[0, 0] > 0.1  # the fault of release 0.1
    assert then.settings()["tokenizer"] == {"tokenizer": "WordCharacters"}
    assert make().settings()["tokenizer"] == UnicodeWords().settings()


@pytest.mark.parametrize("make", SCORERS)
def test_a_tokenizer_that_no_store_could_name_is_refused(make):
    class Own(Tokenizer):
        def words(self, caption):
            return caption.split()

    for unusable in (Own(), str.split):
        with pytest.raises(InputError, match=r"is not registered|must be a Tokenizer"):
            make(unusable)


@pytest.mark.parametrize("make", SCORERS)
def test_a_store_of_release_0_1_opens_where_its_words_are_the_same(make, tmp_path):
    ids, image = list("abcd"), IMAGES[:4]
    scorer = make(WordCharacters()).fit(FRENCH, image)
    write_labels(tmp_path / "x", scorer, FRENCH, ids, image)
    kept_by_0_1(tmp_path / "x")
    found = open_labels(tmp_path / "x", make(), FRENCH, ids, image)
    np.testing.assert_array_equal(found.similarity(image, image), scorer.similarity(FRENCH, FRENCH))


@pytest.mark.parametrize("make", SCORERS)
def test_a_store_of_release_0_1_is_stale_where_its_words_are_others(make, tmp_path):
    scorer = make(WordCharacters()).fit(HINDI, IMAGES)
    write_labels(tmp_path / "x", scorer, HINDI, list("abcde"), IMAGES)
    kept_by_0_1(tmp_path / "x")
    with pytest.raises(InputError, match=r"stale labels: its settings were .*WordCharacters.*, now .*UnicodeWords"):
        open_labels(tmp_path / "x", make(), HINDI, list("abcde"), IMAGES)
    found = open_labels(tmp_path / "x", make(WordCharacters()), HINDI, list("abcde"), IMAGES)
    np.testing.assert_array_equal(found.similarity(IMAGES, IMAGES), scorer.similarity(HINDI, HINDI))


@pytest.mark.parametrize("make", SCORERS)
def test_a_store_of_another_tokenizer_is_stale(make, tmp_path):
    write_labels(tmp_path / "x", make(WordCharacters()).fit(FRENCH), FRENCH, list("abcd"), IMAGES[:4])
    with pytest.raises(InputError, match=r"stale labels: its settings were .*WordCharacters"):
        open_labels(tmp_path / "x", make(), FRENCH, list("abcd"), IMAGES[:4])


@pytest.mark.parametrize("make", SCORERS)
def test_a_curve_of_release_0_1_serves_where_its_words_are_the_same(make):
    settings = make().settings()
    del settings["tokenizer"]
    curve = Calibration((0.0, 1.0), (0.0, 1.0), settings)
    curve.require(make())
    curve.require(make(), FRENCH)
    curve.require(make(WordCharacters()), HINDI)
    with pytest.raises(InputError, match="the calibration is for the scorer"):
        curve.require(make(), HINDI)
    with pytest.raises(InputError, match="the calibration is for the scorer"):
        Calibration((0.0, 1.0), (0.0, 1.0), {**settings, "sigma": 5.0}).require(make())
