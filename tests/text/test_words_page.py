"""The rule of docs/words.md, written down again from the page's words alone, one character at a time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import regex
from fontTools import unicodedata as scripts  # a table of its own: what is tested asks `regex`
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bcls.text import folded, words_of
from bcls.text.unicode_words import UNSPACED_SCRIPTS

PAGE = (Path(__file__).parents[2] / "docs" / "words.md").read_text(encoding="utf-8")
UNSPACED = {name.strip().replace(" ", "_") for name in re.search(r"of the scripts (Han.*?) \|", PAGE)[1].split(",")}
IGNORABLE, EMOJI, SKIN_TONE, FLAG_LETTER = (
    regex.compile(rf"\p{{{name}}}")
    for name in ("Default_Ignorable_Code_Point", "Emoji", "Emoji_Modifier", "Regional_Indicator")
)
KEPT_KINDS = ("<super>", "<sub>", "<fraction>")
AM, BELOW = "\u0e33\u0eb3", "\u17d2\u1039\u1a60"


def script(character: str) -> str:
    return scripts.script_name(scripts.script(character))


def is_kind(character: str, *kinds: str) -> bool:
    return unicodedata.category(character).startswith(kinds)


def normal_form(caption: str) -> str:
    def stays(character: str) -> bool:
        return script(character) in {"Thai", "Lao"} or unicodedata.decomposition(character).startswith(KEPT_KINDS)

    def caseless(text: str) -> str:
        text = unicodedata.normalize("NFD", text).casefold()
        return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())

    text, between = "", ""
    for character in caption:
        if stays(character):
            text, between = text + caseless(between) + character, ""
        else:
            between += character
    text += caseless(between)

    kept = ""
    for character in text:
        if character == "\u200b":
            kept += " "
        elif not (IGNORABLE.match(character) or is_kind(character, "Me") or SKIN_TONE.match(character)):
            kept += character if character != "\u0640" else ""
    text = unicodedata.normalize("NFD", kept)
    while re.search("[ij]\u0307", text):
        text = re.sub("([ij])\u0307", r"\1", text)
    text = text.replace("\u0e4d\u0e32", "\u0e33").replace("\u0ecd\u0eb2", "\u0eb3")
    text = "".join(str(unicodedata.decimal(one)) if is_kind(one, "Nd") else one for one in text)
    return unicodedata.normalize("NFC", text)


def group(character: str) -> str:
    if character == "\u30fc" or (is_kind(character, "L") and script(character) == "Katakana"):
        return "katakana"
    if is_kind(character, "L") and script(character).replace(" ", "_") in UNSPACED:
        return "unspaced"
    if is_kind(character, "L", "N") or character == "_":
        return "other"
    if EMOJI.match(character) and is_kind(character, "So") and character not in "©®™":
        return "emoji"
    return "mark" if is_kind(character, "M") else "nothing"


def words(caption: str) -> list[str]:
    if all(ord(character) < 128 for character in caption):
        return [word for word in re.split("[^a-z0-9_]", caption.lower()) if word]
    return list(found(normal_form(caption)))


def found(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        start, kind = place, group(text[place])
        place += 1
        if kind in {"mark", "nothing"}:
            continue
        if kind == "emoji":
            pair = text[start : start + 2]
            place += len(pair) == 2 and all(FLAG_LETTER.match(one) for one in pair)
        while place < len(text) and kind != "emoji":
            follows = group(text[place]) in {"mark", kind}
            if kind == "unspaced":
                below = text[place - 1] in BELOW and is_kind(text[place], "L")
                follows = group(text[place]) == "mark" or text[place] in AM
                follows = follows or (below and group(text[place]) == "unspaced")
            if not follows:
                break
            place += 1
        yield text[start:place]


CHARACTERS = st.characters(exclude_categories=["Cn", "Cs", "Co"]).filter(lambda one: unicodedata.category(one) != "Cn")
TELLING = st.sampled_from(
    "aZ9_ é\u0301\u0307iİß½²™©🐶🇫🇷\u200b\u200d\ufe0f狗の人ーシャツｶﾞไำ\u0e4d\u0e32น้៑្ខក်ကျ్कि한\u1112\u1161٣ـكَ·'’"
)


@settings(max_examples=300, deadline=None)
@given(st.text(st.one_of(CHARACTERS, TELLING), max_size=15))
@example("İi\u0307\u0307")
@example("ក\u17d2ខ\u17d2 \u1000\u1039\u1001")
@example("น\u0e49\u0e4d\u0e32 \u0e33ก")
def test_the_page_says_what_is_done(caption):
    assert normal_form(caption) == folded(caption)
    assert words(caption) == words_of(caption)


def test_the_page_names_the_scripts():
    assert set(UNSPACED_SCRIPTS) == UNSPACED
