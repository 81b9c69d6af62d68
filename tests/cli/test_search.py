"""`bcls embed`, `bcls index` and `bcls search`, as a person calls them."""

from __future__ import annotations

import json

import pytest

from bcls.cli.search import _table
from bcls.search import Hit


@pytest.fixture
def index(bcls, config, folder, tmp_path):
    """An index of the trained run's data."""
    assert bcls("train", "--config", config).code == 0
    said = bcls("embed", tmp_path / "run", folder, tmp_path / "embeddings", "--shard-images", "10")
    assert said.code == 0, said.err
    assert "3 shards made, 0 were there; 0 images broken" in said.out
    said = bcls("index", tmp_path / "embeddings", f"memory:{tmp_path / 'index'}")
    assert said.code == 0, said.err
    assert "72 records" in said.out
    return tmp_path / "index"


def test_finds_by_words_and_by_images(bcls, index, tmp_path):
    said = bcls("search", "a brown dog", "--index", index, "--where", "split=val", "--k", "3")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].split() == ["score", "id", "text"]
    assert len(lines) == 4
    assert max(map(len, lines)) <= 80
    said = bcls("search", "one brown dog is there", "--index", index, "--find", "captions", "--k", "2", "--json")
    found = json.loads(said.out)
    assert len(found) == 2
    assert "brown" in found[0]["fields"]["text"]
    assert found[0]["score"] == pytest.approx(1, abs=1e-5)
    moved = bcls("search", "one brown dog is there", "--index", index, "--k", "2", "--model", tmp_path / "run")
    assert moved.code == 0, moved.err
    said = bcls("search", "--image", "3", "--index", index, "--k", "1", "--json")
    assert json.loads(said.out)[0]["id"] == "3"
    assert bcls("search", "dog", "--index", index, "--where", "split=none").out == "nothing found\n"


def test_refusals_are_one_line(bcls, index, tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"no picture")
    for words, named in [
        (("search", "--index", index), "one of the two"),
        (("search", "dog", "--image", "3", "--index", index), "one of the two"),
        (("search", "dog", "--index", tmp_path / "nowhere"), "no index is there"),
        (("search", "dog", "--index", index, "--k", "0"), "k is 0"),
        (("search", "dog", "--index", index, "--where", "color=red"), "no field 'color'"),
        (("search", "dog", "--index", index, "--find", "sounds"), "sounds"),
        (("search", "--image", "nobody", "--index", index), "neither a file nor the id"),
        (("search", "--image", tmp_path / "x.jpg", "--index", index), "x.jpg"),
        (("search", "dog", "--index", index, "--model", tmp_path / "nowhere"), "nowhere"),
        (("search", "dog", "--index", "milvus://nowhere"), "milvus://HOST:PORT/NAME"),
        (("search", " ", "--index", index), "the words to look for are empty"),
        (("search", "caf\udce9", "--index", index), "the words to look for are not UTF-8 text"),
        (("embed", tmp_path / "run", tmp_path / "none", tmp_path / "out"), "none"),
        (("embed", tmp_path / "run", tmp_path / "data", tmp_path / "out", "--part", "1of2"), "I/N"),
    ]:
        said = bcls(*words)
        assert said.code == 2, (words, said.err)
        assert named in said.err.splitlines()[-1], said.err


@pytest.mark.parametrize("verb", ["embed", "search"])
def test_has_help(bcls, verb):
    said = bcls(verb, "--help")
    assert (said.code, "example:" in said.out) == (0, True)


def test_what_a_caption_says_moves_no_cursor():
    hit = Hit("a\x1b[2J", 0.5, {"text": "one\ttwo\r\x1b[31mred\nthree é"})
    assert _table([hit]).splitlines()[1] == "   1  0.500  a [2J  one two  [31mred | three é"
