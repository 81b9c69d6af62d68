"""Embeddings on disk: what is written is read, and damage is told."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

import bcls.embedding.shards as room
from bcls.embedding.shards import NAME, Broken, Embeddings, EmbeddingsInfo, Shard
from bcls.errors import InputError

INFO = EmbeddingsInfo("hash", "/m", "/d", "data-hash", None, 3, 5, 2)
SHARD = Shard(
    [("a", {"text": "é"}), ("b", {"text": "two\nlines"})],
    np.float32([[1, 0, 0], [0, 0.6, 0.8]]),
    [Broken("c", "c.jpg", "cut short")],
)


@pytest.fixture
def embeddings(tmp_path) -> Embeddings:
    return Embeddings.claim(tmp_path / "out", INFO)


def same(one: Shard, other: Shard) -> None:
    assert (one.rows, one.broken) == (other.rows, other.broken)
    np.testing.assert_array_equal(one.vectors, other.vectors)
    assert one.vectors.dtype == np.float32


@pytest.mark.parametrize(("images", "size", "shards"), [(0, 2, 0), (1, 2, 1), (4, 2, 2), (5, 2, 3), (5, 100, 1)])
def test_the_shards_are_as_many_as_hold_all_images(images, size, shards):
    assert replace(INFO, images=images, shard_images=size).shards == shards


def test_a_shard_is_read_as_it_was_written(embeddings):
    embeddings.write(7, SHARD)
    same(embeddings.read(7), SHARD)
    assert embeddings.file(7) == embeddings.folder / "shards" / "000007.safetensors"


def test_a_transposed_or_empty_array_is_read_as_it_was_written(embeddings):
    turned = replace(SHARD, vectors=np.asfortranarray(SHARD.vectors))
    empty = Shard([], np.zeros((0, 3), np.float32), [])
    for number, shard in enumerate((turned, empty)):
        embeddings.write(number, shard)
        same(embeddings.read(number), shard)


def test_a_shard_written_again_replaces_the_old_one(embeddings):
    embeddings.write(0, SHARD)
    other = Shard([("x", {})], np.float32([[0, 1, 0]]), [])
    embeddings.write(0, other)
    same(embeddings.read(0), other)


def test_all_shards_come_in_order(embeddings):
    for number in (2, 0, 1):
        embeddings.write(number, Shard([(str(number), {})], np.float32([[1, 0, 0]]), []))
    assert [shard.rows[0][0] for shard in embeddings.read_all()] == ["0", "1", "2"]
    embeddings.file(1).unlink()
    with pytest.raises(
        InputError, match=r"000001.safetensors: is missing: `bcls embed` was not finished; run it again"
    ):
        list(embeddings.read_all())


def test_a_write_cut_short_leaves_the_old_shard_and_no_rest(embeddings, monkeypatch):
    embeddings.write(0, SHARD)

    def cut(tensors, file, about):
        file.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(room, "save_file", cut)
    with pytest.raises(OSError, match="disk full"):
        embeddings.write(0, Shard([], np.zeros((0, 3), np.float32), []))
    same(embeddings.read(0), SHARD)
    assert len(list(embeddings.file(0).parent.iterdir())) == 1


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b"", lambda b: b.replace(b"two", b"tow")],
)
def test_a_damaged_shard_is_told(embeddings, damage):
    embeddings.write(0, SHARD)
    file = embeddings.file(0)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(InputError, match=r"000000.safetensors: damaged \(.*\); run `bcls embed` again"):
        embeddings.read(0)


def test_a_file_of_other_tensors_is_no_shard(embeddings):
    embeddings.write(0, SHARD)
    for tensors, about in (({"vectors": SHARD.vectors}, None), ({"other": SHARD.vectors}, {"shard": "{}"})):
        save_file(tensors, embeddings.file(0), about)
        with pytest.raises(InputError, match="damaged"):
            embeddings.read(0)


def test_a_folder_is_opened_with_what_it_was_made_of(embeddings):
    opened = Embeddings.open(str(embeddings.folder))
    assert (opened.folder, opened.info) == (embeddings.folder, INFO)


def test_a_folder_begun_before_is_taken_up_also_with_a_model_that_was_moved(embeddings):
    embeddings.write(0, SHARD)
    again = Embeddings.claim(embeddings.folder, replace(INFO, model_path="/moved"))
    assert again.info == INFO
    same(again.read(0), SHARD)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "other"}, "was begun with model hash, not other"),
        ({"data": "/other"}, "was begun with data /d, not /other"),
        ({"data_hash": "other"}, "was begun with data_hash data-hash, not other"),
        ({"features": "vectors"}, "was begun with features None, not vectors"),
        ({"shard_images": 3}, "was begun with shard_images 2, not 3: choose another folder"),
    ],
)
def test_a_folder_begun_with_something_else_is_refused(embeddings, change, message):
    with pytest.raises(InputError, match=message):
        Embeddings.claim(embeddings.folder, replace(INFO, **change))
    assert Embeddings.open(embeddings.folder).info == INFO


def test_where_no_embeddings_are_none_are_opened(tmp_path):
    with pytest.raises(InputError, match=r"no embeddings are there \(no embeddings.json\); `bcls embed` makes them"):
        Embeddings.open(tmp_path)


@pytest.mark.parametrize("change", [{"format": 2}, {"odd": 1}, None])
def test_a_description_of_another_kind_is_refused(embeddings, change):
    file = embeddings.folder / NAME
    content = json.loads(file.read_text())
    file.write_text(json.dumps([content] if change is None else content | change))
    with pytest.raises(InputError, match=r"embeddings.json: not a description of embeddings \("):
        Embeddings.open(embeddings.folder)


@pytest.mark.parametrize("wrong", [{"shard_images": 0}, {"dim": 0}, {"images": -1}])
def test_sizes_that_cannot_be_are_damage(tmp_path, wrong):
    info = EmbeddingsInfo("m", "p", "d", "h", None, 2, 3, 2)
    Embeddings.claim(tmp_path / "e", info)
    file = tmp_path / "e" / "embeddings.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | wrong))
    with pytest.raises(InputError, match=r"embeddings\.json: not a description of embeddings"):
        Embeddings.open(tmp_path / "e")
