"""Captions into ids as transformers makes them, also after a way through a saved model's files."""

from __future__ import annotations

import base64
import json
import shutil
import unicodedata
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.models.pretrained.tokenizer import FILES, PLACES, CaptionTokenizer
from tiny_folders import tiny_model

KINDS = ["clip", "siglip", "bert"]
CHOSEN = ["A dog runs on the wet grass .", "", "zyzzyva", "hats " * 60]
FIXED = {"clip": False, "siglip": True, "bert": False}

a_word = st.sampled_from(["a", "dog", "RUNS", "hats", "zyzzyva", ".", "ß", "犬"])
some_captions = st.lists(st.lists(a_word, max_size=12).map(" ".join), min_size=1, max_size=5)


def loaded(kind: str, longest: int = 20) -> CaptionTokenizer:
    return CaptionTokenizer.load(str(tiny_model(kind)), longest, fixed=FIXED[kind])


@cache
def whole_and_again(kind: str) -> tuple[CaptionTokenizer, CaptionTokenizer]:
    """The tokenizer of a folder, and that of its files after a way through JSON."""
    whole = loaded(kind)
    files = json.loads(json.dumps(whole.files))
    return whole, CaptionTokenizer.from_files(files, whole.longest, fixed=FIXED[kind])


def library_ids(kind: str, caption: str, longest: int) -> list[int]:
    """The ids of one caption alone, without padding."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model(kind))
    return tokenizer(caption, truncation=True, max_length=longest)["input_ids"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("longest", [20, 5])
def test_each_captions_ids_are_those_of_the_library_and_padding_is_on_the_right(kind, longest):
    ids, mask = loaded(kind, longest)(CHOSEN)
    expected = [library_ids(kind, caption, longest) for caption in CHOSEN]
    assert ids.dtype == torch.int64
    assert ids.shape == mask.shape == (4, longest)
    for row, own in enumerate(expected):
        assert ids[row, : len(own)].tolist() == own
        if not FIXED[kind]:
            assert mask[row].tolist() == [1] * len(own) + [0] * (longest - len(own))


@pytest.mark.parametrize("kind", KINDS)
@given(captions=some_captions)
@settings(deadline=None, max_examples=30)
def test_a_tokenizer_of_files_is_that_of_the_folder(kind, captions):
    whole, again = whole_and_again(kind)
    for one, other in zip(whole(captions), again(captions), strict=True):
        assert torch.equal(one, other)
    assert whole.files == again.files


def test_use_leaves_no_trace_in_the_files():
    before, used = loaded("clip").files, loaded("clip")
    used(CHOSEN)
    again = CaptionTokenizer.from_files(used.files, 20, fixed=False)
    assert used.files == again.files == before


@pytest.mark.parametrize("kind", KINDS)
def test_files_do_not_tell_where_they_lay(kind):
    folder = tiny_model(kind)
    files = loaded(kind).files
    assert set(files) <= set(FILES)
    assert str(folder) not in json.dumps(files)
    assert not set(PLACES) & set(json.loads(files["tokenizer_config.json"]))


def test_a_file_that_is_no_text_is_kept_in_base64():
    files = loaded("siglip").files
    assert base64.b64decode(files["spiece.model"]) == (tiny_model("siglip") / "spiece.model").read_bytes()


def test_the_tokenizers_own_limit_counts_where_it_is_lower():
    assert loaded("bert", 7).longest == 7
    assert loaded("bert", 999).longest == 32


def test_a_fixed_length_is_that_of_every_caption():
    assert loaded("siglip", 9).fixed_length == 9
    assert loaded("siglip", 9)(["a"])[0].shape == (1, 9)
    assert loaded("bert", 9).fixed_length is None
    assert loaded("bert", 9)(["a"])[0].shape == (1, 3)


def test_padding_is_on_the_right_whatever_the_folder_says(tmp_path):
    folder = shutil.copytree(tiny_model("bert"), tmp_path / "bert")
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "padding_side": "left"}))
    mask = CaptionTokenizer.load(str(folder), 9, fixed=False)(["a", "two men eat"])[1]
    assert mask.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]


def test_no_captions_are_no_rows():
    for part in loaded("bert")([]):
        assert len(part) == 0
        assert part.dtype == torch.int64


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"^the tokenizer of '.*none' cannot be loaded \(.+\)$"):
        CaptionTokenizer.load(str(tmp_path / "none"), 9, fixed=False)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "^no files of a tokenizer; there may be tokenizer.json, tokenizer_config.json, "),
        ({}, "^no files of a tokenizer; there may be "),
        ("tokenizer.json", "^no files of a tokenizer; there may be "),
        ({"tokenizer.json": "{}", "../evil.py": "x"}, "^no files of a tokenizer; there may be "),
        ({"tokenizer.json": 3}, "^the tokenizer's tokenizer.json is no text$"),
        ({"spiece.model": None}, "^the tokenizer's spiece.model is no text$"),
        ({"spiece.model": "no base64!"}, "^the tokenizer's spiece.model is not base64$"),
        ({"tokenizer.json": "{"}, r"^the tokenizer cannot be loaded \(.+\)$"),
    ],
)
def test_what_are_no_files_of_a_tokenizer_is_refused(files, message):
    with pytest.raises(InputError, match=message):
        CaptionTokenizer.from_files(files, 9, fixed=False)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_those_of_the_composed_caption(kind):
    captions = ["un café à Zürich", "Cậu bé", "한 마리"]
    decomposed = [unicodedata.normalize("NFD", caption) for caption in captions]
    assert decomposed != captions
    for found, expected in zip(loaded(kind)(decomposed), loaded(kind)(captions), strict=True):
        assert torch.equal(found, expected)


def test_a_tokenizer_that_knows_no_normal_form_gets_the_composed_caption():
    def bytes_of(captions, **_):
        ids = torch.tensor([list(caption.encode()) for caption in captions])
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    ids, _ = CaptionTokenizer(bytes_of, {}, 20, fixed=False)(["cafe\u0301"])
    assert ids.tolist() == [list("caf\u00e9".encode())]
