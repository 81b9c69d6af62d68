"""From shards to an index, and queries to it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from bcls.embedding import Embeddings, QueryEncoder, Shard, embed, fill_index
from bcls.errors import InputError
from bcls.search import Filter, create_index, open_index


@pytest.fixture
def embeddings(picture_model, collection, tmp_path) -> Embeddings:
    return embed(picture_model, collection, tmp_path / "embeddings", shard_images=4).embeddings


def test_finds_what_was_embedded(embeddings, picture_model, collection, tmp_path):
    with fill_index(embeddings, f"memory:{tmp_path / 'index'}") as index:
        assert index.count() == 30
        assert index.count(Filter.parse("kind=image split=val")) == 4
        encoder = QueryEncoder.for_index(index)
        assert encoder.takes_pictures
        vector = encoder.texts(["a blue picture"])
        hits = index.search(vector, 2, where=Filter.parse("kind=caption"))[0]
        assert [hit.id for hit in hits] == ["caption:p2#0", "caption:p7#0"]
        assert hits[0].score == pytest.approx(1, abs=1e-6)
        picture = encoder.pictures([Image.open(collection / "images" / "p3.png").convert("RGB")])
        assert index.search(picture, 1)[0][0].id == "p3"


def test_filling_again_changes_nothing(embeddings, tmp_path):
    place = f"memory:{tmp_path / 'index'}"
    fill_index(embeddings, place).close()
    with fill_index(embeddings, place) as index:
        assert index.count() == 30


def test_another_models_index_is_refused(embeddings, tmp_path):
    other = str(tmp_path / "other")
    fields = {"kind": "str", "image": "str", "file": "str", "split": "str", "text": "str"}
    create_index(f"memory:{other}", dim=8, model="another", fields=fields).close()
    with pytest.raises(InputError, match="not the model that made the index"):
        fill_index(embeddings, f"memory:{other}")
    create_index(f"memory:{other}2", dim=9, model=embeddings.info.model, fields=fields).close()
    with pytest.raises(InputError, match="8 dimensions, the index 9"):
        fill_index(embeddings, f"memory:{other}2")
    create_index(f"memory:{other}3", dim=8, model=embeddings.info.model, fields={}).close()
    with pytest.raises(InputError, match="other fields"):
        fill_index(embeddings, f"memory:{other}3")


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("caption:p2#0", "image", "two records have the id 'caption:p2#0' \\(caption and image\\)"),
        ("p3", "image", "two records have the id 'p3' \\(image\\)"),
        ("p3\n", "image", "contains the control character U\\+000A; use another id"),
        ("..", "image", "is a relative path"),
        ("x" * 513, "caption", "513 bytes"),
    ],
)
def test_an_id_that_is_taken_or_unusable_is_refused_and_replaces_nothing(embeddings, tmp_path, name, kind, says):
    shard = embeddings.read(2)
    _, fields = shard.rows[0]
    rows = [*shard.rows, (name, fields | {"kind": kind, "text": "wrong"})]
    vectors = np.concatenate([shard.vectors, shard.vectors[:1]])
    embeddings.write(2, Shard(rows, vectors, []))
    with pytest.raises(InputError, match=says):
        fill_index(embeddings, f"memory:{tmp_path / 'index'}")
    with open_index(f"memory:{tmp_path / 'index'}") as index:
        assert index.count(Filter.parse("text=wrong")) == 0


@pytest.mark.parametrize("wrong", ["nan", "inf", "zero", "dim"])
def test_vectors_without_a_direction_or_of_another_dim_are_refused(embeddings, wrong):
    shard = embeddings.read(1)
    vectors = {
        "nan": np.full_like(shard.vectors, np.nan),
        "inf": np.full_like(shard.vectors, np.inf),
        "zero": np.zeros_like(shard.vectors),
        "dim": shard.vectors[:, :5].copy(),
    }[wrong]
    embeddings.write(1, Shard(shard.rows, vectors, []))
    with pytest.raises(InputError, match=r"zero or not finite|its vector has shape"):
        fill_index(embeddings, "memory:")


def test_an_unfinished_or_damaged_shard_is_refused(embeddings, tmp_path):
    file = embeddings.file(2)
    whole = file.read_bytes()
    file.unlink()
    with pytest.raises(InputError, match="was not finished"):
        fill_index(embeddings, "memory:")
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 64]))
    with pytest.raises(InputError, match="damaged"):
        fill_index(embeddings, "memory:")
