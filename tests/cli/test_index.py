"""`bcls index`: embeddings into an index, new or there already, and what it refuses."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bcls.embedding.records import FIELDS
from bcls.embedding.shards import Embeddings, EmbeddingsInfo, Shard
from bcls.search import create_index, open_index


def embedded(folder: Path, *, model: str = "a" * 64, dim: int = 4, images: int = 6, start: int = 0) -> Embeddings:
    """Embeddings of images `i0`, `i1`, ..., three a shard."""
    info = EmbeddingsInfo(model, "model", "data", "d", None, dim, images, 3)
    embeddings = Embeddings.claim(folder, info)
    vectors = np.random.default_rng(start).normal(size=(images, dim)).astype(np.float32)
    for number in range(info.shards):
        rows = range(3 * number, min(3 * number + 3, images))
        about = {"kind": "image", "file": "", "split": "val"}
        told = [(f"i{row + start}", about | {"image": f"i{row}", "text": f"text {row}"}) for row in rows]
        embeddings.write(number, Shard(told, vectors[rows.start : rows.stop], []))
    return embeddings


@pytest.mark.parametrize(("prefix", "engine"), [("memory:", "memory"), ("", "lancedb")])
def test_says_what_is_there_and_fills_it(bcls, tmp_path, prefix, engine):
    if engine == "lancedb":
        pytest.importorskip("lancedb")
    embeddings = embedded(tmp_path / "embeddings")
    place = f"{prefix}{tmp_path / 'index'}"
    said = bcls("index", tmp_path / "embeddings", place)
    assert (said.code, said.out) == (0, f"6 records of 4 dimensions, {engine}, every record is compared: {place}\n")
    with open_index(tmp_path / "index") as index:
        assert (index.model, dict(index.fields)) == ("a" * 64, FIELDS)
        assert index.info().about == {"model_path": "model", "data": "data", "features": ""}
        for shard in embeddings.read_all():
            for (name, fields), vector in zip(shard.rows, shard.vectors, strict=True):
                hit = index.search(vector[None], 1)[0][0]
                assert (hit.id, hit.fields, hit.score) == (name, fields, pytest.approx(1, abs=1e-6))


def test_an_index_that_is_there_grows_and_known_records_are_replaced(bcls, tmp_path):
    place = f"memory:{tmp_path / 'index'}"
    embedded(tmp_path / "first")
    embedded(tmp_path / "second", start=4)
    assert bcls("index", tmp_path / "first", place).code == 0
    said = bcls("index", tmp_path / "second", place)
    assert said.out.startswith("10 records of 4 dimensions")
    with open_index(place) as index:
        texts = [record.fields["text"] for record in index.get([f"i{row}" for row in range(10)])]
    assert texts == [f"text {row}" for row in (0, 1, 2, 3, 0, 1, 2, 3, 4, 5)]
    assert bcls("index", tmp_path / "second", place).out == said.out


def test_a_trained_vector_index_is_told(bcls, tmp_path, monkeypatch):
    lance = pytest.importorskip("bcls.search.lance")
    monkeypatch.setattr(lance, "VECTOR_INDEX_FROM", 300)
    embedded(tmp_path / "embeddings", images=300)
    said = bcls("index", tmp_path / "embeddings", tmp_path / "index")
    assert said.out == f"300 records of 4 dimensions, lancedb, with a vector index: {tmp_path / 'index'}\n"


def error_of(said) -> str:
    """The one line of a refusal."""
    assert (said.code, said.out) == (2, ""), said.err
    return said.err.splitlines()[-1].removeprefix("bcls: error: ")


def test_embeddings_that_are_not_there_are_refused_and_nothing_is_made(bcls, tmp_path):
    assert error_of(bcls("index", tmp_path, tmp_path / "new")) == (
        f"{tmp_path}: no embeddings are there (no embeddings.json); `bcls embed` makes them"
    )
    assert not (tmp_path / "new").exists()


def test_an_index_that_is_kept_nowhere_is_refused(bcls, tmp_path):
    embedded(tmp_path / "embeddings")
    assert error_of(bcls("index", tmp_path / "embeddings", "memory:")) == (
        "memory: alone is kept nowhere and would be lost: name a folder, memory:FOLDER"
    )


def test_embeddings_that_were_not_finished_are_refused(bcls, tmp_path):
    embeddings = embedded(tmp_path / "embeddings")
    embeddings.file(1).unlink()
    said = error_of(bcls("index", tmp_path / "embeddings", f"memory:{tmp_path / 'index'}"))
    assert said == f"{embeddings.file(1)}: is missing: `bcls embed` was not finished; run it again"


def test_an_index_of_another_model_or_of_other_fields_is_refused_and_stays(bcls, tmp_path):
    embedded(tmp_path / "embeddings")
    given = {"other": ("b" * 64, 4, FIELDS), "wide": ("a" * 64, 5, FIELDS), "bare": ("a" * 64, 4, {"kind": "str"})}
    says = {
        "other": "is not the model that made the index (hash aaaaaaaaaaaa, the index has bbbbbbbbbbbb)",
        "wide": "has vectors of 4 dimensions, the index 5",
        "bare": "an index with other fields (kind)",
    }
    for name, (model, dim, fields) in given.items():
        place = f"memory:{tmp_path / name}"
        create_index(place, dim=dim, model=model, fields=fields).close()
        assert says[name] in error_of(bcls("index", tmp_path / "embeddings", place))
        assert open_index(place).count() == 0


def test_a_folder_of_other_things_is_refused(bcls, tmp_path):
    embedded(tmp_path / "embeddings")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("mine")
    for prefix in ("", "memory:"):
        said = error_of(bcls("index", tmp_path / "embeddings", f"{prefix}{tmp_path / 'home'}"))
        assert said == f"{tmp_path / 'home'}: holds other things (letter.txt); choose an empty folder"


@pytest.mark.parametrize("words", [(), ("embeddings",), ("embeddings", "index", "more"), ("a", "b", "--fast")])
def test_wrong_words_are_refused(bcls, words):
    error_of(bcls("index", *words))


def test_has_help_which_loads_no_model(bcls, monkeypatch):
    monkeypatch.setitem(sys.modules, "bcls.embedding", None)
    said = bcls("index", "--help")
    assert said.code == 0
    assert "example: bcls index embeddings index" in " ".join(said.out.split())
