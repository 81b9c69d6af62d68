"""Embedding: models and data sets into vectors, vectors into an index, queries into the index's space."""

from __future__ import annotations

from bcls.embedding.collection import open_collection
from bcls.embedding.embed import EmbedResult, embed
from bcls.embedding.fill import fill_index, require_model
from bcls.embedding.query import QueryEncoder
from bcls.embedding.recall import index_recall
from bcls.embedding.records import CAPTION, FIELDS
from bcls.embedding.shards import Broken, Embeddings, EmbeddingsInfo, Shard

__all__ = [
    "CAPTION",
    "FIELDS",
    "Broken",
    "EmbedResult",
    "Embeddings",
    "EmbeddingsInfo",
    "QueryEncoder",
    "Shard",
    "embed",
    "fill_index",
    "index_recall",
    "open_collection",
    "require_model",
]
