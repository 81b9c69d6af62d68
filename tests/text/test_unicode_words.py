"""Words of captions in many scripts, worked by hand, and properties that hold for any text."""

from __future__ import annotations

import csv
import json
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bcls.errors import InputError, MissingExtraError
from bcls.text import UnicodeWords, WordCharacters, folded, words_of
from bcls.text import unicode_words as module

CAPTIONS = {
    "Hindi": ("एक कुत्ता घास पर दौड़ता है।", ["एक", "कुत्ता", "घास", "पर", "दौड़ता", "है"]),
    "Bengali": ("সবুজ মাঠে একটি কুকুর", ["সবুজ", "মাঠে", "একটি", "কুকুর"]),
    "Tamil": ("ஒரு நாய் ஓடுகிறது", ["ஒரு", "நாய்", "ஓடுகிறது"]),
    "Arabic with vowels": ("كَلْبٌ يَجْرِي عَلَى العُشْبِ", ["كَلْبٌ", "يَجْرِي", "عَلَى", "العُشْبِ"]),
    "Arabic stretched": ("كـــلب و ٣ قطط،", ["كلب", "و", "3", "قطط"]),
    "Persian": ("او می\u200cرود", ["او", "میرود"]),
    "pointed Hebrew": ("כֶּלֶב רָץ עַל־הַדֶּשֶׁא", ["כֶּלֶב", "רָץ", "עַל", "הַדֶּשֶׁא"]),
    "Korean": ("한 마리의 개가 달린다.", ["한", "마리의", "개가", "달린다"]),
    "Vietnamese": ("Một con chó chạy trên cỏ", ["một", "con", "chó", "chạy", "trên", "cỏ"]),
    "Turkish": ("İstanbul'da ışıklar, Iğdır", ["istanbul", "da", "ışıklar", "iğdır"]),
    "Greek": ("Ένας ΣΚΎΛΟΣ", ["ένασ", "σκύλοσ"]),
    "German": ("Die Straße, zwei Zäune", ["die", "strasse", "zwei", "zäune"]),
    "Tibetan": ("ཁྱི་དཀར་", ["ཁྱི", "དཀར"]),
    "Chinese": ("2只黑色的狗，在草地上。", ["2", "只", "黑", "色", "的", "狗", "在", "草", "地", "上"]),
    "Japanese": ("赤いTシャツでらーめんを、", ["赤", "い", "t", "シャツ", "で", "ら", "ー", "め", "ん", "を"]),
    "half-width": ("ﾎﾞｰﾙ ＡＢ１", ["ボール", "ab1"]),
    "Thai": ("หมาวิ่งในน้ำ ๓ ตัว", [*"หม", "า", "วิ่", "ง", "ใ", "น", "น้ำ", "3", "ตั", "ว"]),
    "Lao": ("ໝານ້ຳ", ["ໝ", "າ", "ນ້ຳ"]),
    "Khmer": ("ឆ្កែពណ៌ស\u200bរត់", ["ឆ្កែ", "ព", "ណ៌", "ស", "រ", "ត់"]),
    "Burmese": ("ခွေးမြန္မာ", ["ခွေး", "မြ", "န္မာ"]),
    "apostrophes": ("don’t don't dog`s x_1", ["don", "t", "don", "t", "dog", "s", "x_1"]),
    "numbers": ("2½ m² 3.14 1,000 №5", ["2½", "m²", "3", "14", "1", "000", "no5"]),
    "emoji": ("a dog 🐶❤️👋🏽 🇫🇷🇩🇪 👩‍🚒 1️⃣ ©★™", ["a", "dog", *"🐶❤👋", "🇫🇷", "🇩🇪", *"👩🚒", "1"]),
    "marks without a letter": ("\u0301a \u064b . \u0301", ["a"]),
    "no words": ("¡… — « ™ »!", []),
}


@pytest.mark.parametrize(("caption", "words"), CAPTIONS.values(), ids=CAPTIONS)
def test_words(caption, words):
    for form in ("NFC", "NFD"):
        assert words_of(unicodedata.normalize(form, caption)) == [unicodedata.normalize("NFC", one) for one in words]


@given(st.text())
@example("กำ\u0301")
@example("\U0001f1eb\u0301\U0001f1f7")
@example("ក្\u200bក")
def test_canonically_equivalent_captions_have_the_same_words(caption):
    assert words_of(unicodedata.normalize("NFD", caption)) == words_of(unicodedata.normalize("NFC", caption))


@given(st.text())
@example("ក្\u0301ក")
def test_words_joined_by_spaces_are_the_same_words(caption):
    words = words_of(caption)
    assert words_of(" ".join(words)) == words
    assert all(word and not re.search(r"\s", word) for word in words)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_letter_and_no_digit_is_lost(caption):
    def content(text):
        return [one for one in text if unicodedata.category(one)[0] in "LN" or one == "_"]

    assert content("".join(words_of(caption))) == content(folded(caption))


@given(st.text(st.sampled_from("aZ9_ '.-\t\n\x1cé"), max_size=12))
@example("x\x1fé")
def test_beside_one_foreign_letter_words_are_those_of_release_0_1(caption):
    assert words_of(caption) == WordCharacters()(caption)


@given(st.text(st.characters(max_codepoint=127)))
def test_words_in_ascii_are_those_of_release_0_1(caption):
    assert words_of(caption) == WordCharacters()(caption) == re.findall(r"\w+", caption.lower())


def test_words_of_flickr8k_are_those_of_release_0_1(flickr8k):
    images = json.loads((flickr8k / "dataset_flickr8k.json").read_text(encoding="utf-8"))["images"]
    captions = [sentence["raw"] for image in images for sentence in image["sentences"]]
    assert len(captions) == 35_000
    assert [one for one in captions if words_of(one) != WordCharacters()(one)] == []


def test_words_of_coco_are_those_of_release_0_1(human_ratings):
    with human_ratings.open(encoding="utf-8", newline="") as file:
        captions = [row[name] for row in csv.DictReader(file) for name in ("caption1", "caption2")]
    assert len(captions) > 44_000
    assert [one for one in captions if words_of(one) != WordCharacters()(one)] == []


@pytest.mark.parametrize("unknown", ["words", "", None, 3])
def test_an_unknown_rule_for_unspaced_scripts_is_refused(unknown):
    with pytest.raises(InputError, match=r"unspaced is .*; it must be one of characters, dictionary"):
        UnicodeWords(unspaced=unknown)


def test_dictionaries_need_their_extra(monkeypatch):
    module.icu_version.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "icu4py", None)
    with pytest.raises(MissingExtraError, match="segmentation"):
        UnicodeWords(unspaced="dictionary")


DICTIONARY = {
    "Chinese": ("2只黑色的狗，在草地上。", ["2", "只", "黑色", "的", "狗", "在", "草地", "上"]),
    "Japanese": ("赤いTシャツ、テニスボール", ["赤い", "t", "シャツ", "テニス", "ボール"]),
    "Thai": ("สุนัขสีน้ำตาลวิ่งบนสนามหญ้า", ["สุนัข", "สี", "น้ำตาล", "วิ่ง", "บน", "สนาม", "หญ้า"]),
    "Lao": ("ໝາສີນ້ຳຕານ", ["ໝາ", "ສີ", "ນ້ຳ", "ຕານ"]),
    "Khmer": ("ឆ្កែពណ៌ត្នោត", ["ឆ្កែ", "ពណ៌ត្នោត"]),
    "Burmese": ("ခွေးတစ်ကောင်", ["ခွေး", "တစ်", "ကောင်"]),
}


@pytest.mark.parametrize(("caption", "words"), DICTIONARY.values(), ids=DICTIONARY)
def test_words_by_dictionary(caption, words):
    pytest.importorskip("icu4py")
    tokenizer = UnicodeWords(unspaced="dictionary")
    for form in ("NFC", "NFD"):
        assert tokenizer(unicodedata.normalize(form, caption)) == words
    assert tokenizer.settings()["icu"]


@given(st.text(st.sampled_from("a é ไทย หมา 狗在 ー シャツ1\u0301🐶")))
def test_dictionaries_lose_no_letter(caption):
    pytest.importorskip("icu4py")
    assert "".join(UnicodeWords(unspaced="dictionary")(caption)) == "".join(words_of(caption))


def test_spaced_scripts_do_not_ask_the_dictionary():
    pytest.importorskip("icu4py")
    for name in ("Hindi", "Arabic with vowels", "Korean", "Vietnamese", "apostrophes", "numbers", "emoji"):
        assert UnicodeWords(unspaced="dictionary")(CAPTIONS[name][0]) == words_of(CAPTIONS[name][0])
