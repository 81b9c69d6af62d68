"""From shards to an index, and queries to it."""

from __future__ import annotations

import pytest
from PIL import Image

from bcls.embedding import Embeddings, QueryEncoder, embed, fill_index
from bcls.errors import InputError
from bcls.search import Filter, create_index


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


def test_an_unfinished_or_damaged_shard_is_refused(embeddings, tmp_path):
    file = embeddings.file(2)
    whole = file.read_bytes()
    file.unlink()
    with pytest.raises(InputError, match="was not finished"):
        fill_index(embeddings, "memory:")
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 64]))
    with pytest.raises(InputError, match="damaged"):
        fill_index(embeddings, "memory:")
