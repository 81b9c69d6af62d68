"""Embeddings into an index."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from bcls.embedding.records import CAPTION, FIELDS
from bcls.embedding.shards import Embeddings
from bcls.errors import InputError
from bcls.progress import progress
from bcls.search import Index, IndexMissingError, Record, create_index, open_index


def fill_index(embeddings: Embeddings, place: str) -> Index:
    """Put all embeddings into an index, a new one or one that is there; records with known ids are replaced.

    Args:
        embeddings: finished ones.
        place: as `create_index` takes it.

    Returns:
        The index, optimized and open.

    Raises:
        InputError: a shard is missing or damaged (shards before it are in the index), or the index that is there is of
            another model or other fields.
    """
    index = _index(embeddings, place)
    index.add(_records(embeddings))
    index.optimize()
    return index


def require_model(index: Index, model: str, dim: int, whose: str) -> None:
    """Refuse a model whose vectors cannot be compared with those of an index.

    Args:
        index: the index.
        model: fingerprint of the model.
        dim: of its vectors.
        whose: what to call it.

    Raises:
        InputError: the index is another model's.
    """
    if index.dim != dim:
        raise InputError(f"{whose} has vectors of {dim} dimensions, the index {index.dim}: it is another model's")
    if index.model != model:
        raise InputError(
            f"{whose} is not the model that made the index (hash {model[:12]}, the index has {index.model[:12]}): "
            "their vectors cannot be compared; embed and index again, or name the right model"
        )


def _index(embeddings: Embeddings, place: str) -> Index:
    info = embeddings.info
    about = {"model_path": info.model_path, "data": info.data, "features": info.features or ""}
    try:
        index = open_index(place)
    except IndexMissingError:
        return create_index(place, dim=info.dim, model=info.model, fields=FIELDS, about=about)
    require_model(index, info.model, info.dim, str(embeddings.folder))
    if index.fields != FIELDS:
        raise InputError(f"{place}: an index with other fields ({', '.join(index.fields)})")
    return index


def _records(embeddings: Embeddings) -> Iterator[Record]:
    """All records, each of another id.

    Raises:
        InputError: an id occurs twice: one record would replace another.
    """
    seen: dict[str, str] = {}
    shards = progress(embeddings.read_all(), "indexing", total=embeddings.info.shards, unit=" shards")
    for shard in shards:
        for (name, fields), vector in zip(shard.rows, shard.vectors, strict=True):
            if name in seen:
                kinds = " and ".join(sorted({seen[name], fields["kind"]}))
                raise InputError(
                    f"{embeddings.folder}: two records have the id {name!r} ({kinds}), so that one would replace the "
                    f"other. Captions have the ids {CAPTION}ID, so that no image's id may begin so: rename it in the "
                    "data and embed again"
                )
            seen[name] = sys.intern(fields["kind"])
            yield Record(name, vector, fields)
