"""Recall of what an index finds, to hold against `bcls evaluate`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bcls.embedding.shards import Shard
from bcls.search import Condition, Filter, Index

CUTOFFS = (1, 5, 10)
_DIRECTIONS = {"image_to_text": ("image", "caption"), "text_to_image": ("caption", "image")}


def index_recall(index: Index, shards: Iterable[Shard], split: str) -> dict[str, float]:
    """Recall@1, @5 and @10 in both directions of searches in one split, each record of it a query.

    Args:
        index: filled from embeddings.
        shards: of these embeddings.
        split: asks, and is searched.

    Returns:
        The share, 0..100, of queries that find a record of their own image among the first K; keys as in
        `bcls.evaluation.evaluate`: `image_to_text/recall@1` and so on.
    """
    rows = [
        (fields, vector)
        for shard in shards
        for (_, fields), vector in zip(shard.rows, shard.vectors, strict=True)
        if fields["split"] == split
    ]
    recalls = {}
    for direction, (asks, is_found) in _DIRECTIONS.items():
        where = Filter((Condition("split", "=", split), Condition("kind", "=", is_found)))
        queries = [(fields["image"], vector) for fields, vector in rows if fields["kind"] == asks]
        found = index.search(np.stack([vector for _, vector in queries]), max(CUTOFFS), where=where)
        owners = [[hit.fields["image"] for hit in hits] for hits in found]
        for k in CUTOFFS:
            hits = [own in of_query[:k] for (own, _), of_query in zip(queries, owners, strict=True)]
            recalls[f"{direction}/recall@{k}"] = 100 * float(np.mean(hits))
    return recalls
