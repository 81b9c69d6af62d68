"""The normal forms against Unicode's own, and cases worked by hand."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bcls.text import composed, folded

EVERY_CHARACTER = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A Dog", "a dog"),
        ("CAFE\u0301", "caf\u00e9"),
        ("\uff21\uff22\uff23 \uff11\uff12", "abc 12"),  # full width
        ("\uff76\uff9e\uff97\uff7d", "ガラス"),  # half width
        ("\ufb01sh", "fish"),
        ("𝓱𝓮𝓵𝓵𝓸", "hello"),
        ("5㎏", "5kg"),
        ("2½ m² Nike™", "2½ m² nike™"),  # fractions and superscripts stay
        ("Straße STRASSE", "strasse strasse"),
        ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
        ("\u0130stanbul", "istanbul"),
        ("I\u0307stanbul", "istanbul"),
        ("ıs\u0131", "ısı"),
        ("co\u00adoperate", "cooperate"),  # soft hyphen
        ("می\u200cرود", "میرود"),  # zero width non-joiner
        ("क्\u200dष", "क्ष"),  # zero width joiner
        ("ក\u200bខ", "ក ខ"),  # zero width space
        ("كـــلب", "كلب"),  # tatweel
        ("ﻛﻠﺐ", "كلب"),  # presentation forms
        ("٣ ३ ๓ 3", "3 3 3 3"),
        ("1\ufe0f\u20e3", "1"),  # a keycap
        ("❤\ufe0f 👋🏽 👩\u200d🚒", "❤ 👋 👩🚒"),
        ("น\u0e49\u0e4d\u0e32", "น้ำ"),  # SARA AM in two parts
        ("ນ\u0ec9\u0ecd\u0eb2", "ນ້ຳ"),
        ("\u1112\u1161\u11ab", "한"),  # jamo
        ("\u0958", "\u0915\u093c"),  # a composition that NFC excludes
    ],
)
def test_folded(text, expected):
    assert folded(text) == expected
    assert folded(unicodedata.normalize("NFD", text)) == expected


def test_every_character_is_folded_alike_in_every_canonical_form():
    for character in EVERY_CHARACTER:
        form = folded(character)
        if form == character:
            continue
        assert folded(form) == form, hex(ord(character))
        assert folded(unicodedata.normalize("NFD", character)) == form, hex(ord(character))


@given(st.text())
@example("i\u0307\u0307")
@example("a\u0345\u034f\u0301")
@example("\u0e4d\u200d\u0e32")
def test_equivalent_texts_have_one_form_which_is_its_own(text):
    form = folded(text)
    assert folded(form) == form
    assert unicodedata.normalize("NFC", form) == form
    assert folded(unicodedata.normalize("NFD", text)) == form
    assert folded(unicodedata.normalize("NFC", text)) == form


@given(st.text(st.characters(categories=["L", "Nd", "Zs"], max_codepoint=0x2FF)))
def test_case_makes_no_difference(text):
    dotless = text.replace("ı", "")  # its capital is that of the letter with a dot
    assert folded(dotless.upper()) == folded(dotless.lower()) == folded(dotless)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_put_in_lower_case_alone(text):
    assert folded(text) == text.lower()
    assert composed(text) == text


@given(st.text())
def test_composed_is_nfc(text):
    assert composed(text) == unicodedata.normalize("NFC", text)
