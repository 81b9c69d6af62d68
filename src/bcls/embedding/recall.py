"""Recall of what an index finds, to hold against `bcls evaluate`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from bcls.embedding.shards import Shard
from bcls.search import Condition, Filter, Hit, Index

CUTOFFS = (1, 5, 10)
_DIRECTIONS = {"image_to_text": ("image", "caption"), "text_to_image": ("caption", "image")}


def index_recall(index: Index, shards: Iterable[Shard], split: str) -> dict[str, float]:
    """Recall@1, @5 and @10 in both directions of searches in one split, each record of it a query.

    Args:
        index: filled from embeddings.
        shards: of these embeddings.
        split: asks, and is searched.

    Returns:
        As `hits_recall`; keys as in `bcls.evaluation.evaluate`: `image_to_text/recall@1` and so on.
    """
    rows = [
        (fields, vector)
        for shard in shards
        for (_, fields), vector in zip(shard.rows, shard.vectors, strict=True)
        if fields["split"] == split
    ]
    recalls: dict[str, float] = {}
    for direction, (asks, is_found) in _DIRECTIONS.items():
        where = Filter((Condition("split", "=", split), Condition("kind", "=", is_found)))
        queries = [(str(fields["image"]), vector) for fields, vector in rows if fields["kind"] == asks]
        own = Counter(str(fields["image"]) for fields, _ in rows if fields["kind"] == is_found)
        found = index.search(np.stack([vector for _, vector in queries]), enough_hits(own), where=where)
        recalls |= {f"{direction}/{key}": value for key, value in hits_recall([of for of, _ in queries], found).items()}
    return recalls


def enough_hits(own: Counter[str]) -> int:
    """How many hits of a query settle its rank up to the last cutoff, whatever ties there are.

    Args:
        own: image -> how many records of it are searched.
    """
    return max(CUTOFFS) + max(own.values())


def hits_recall(owners: Sequence[str], found: Sequence[Sequence[Hit]]) -> dict[str, float]:
    """Recall@1, @5 and @10 of hits.

    As in the evaluation, a record of another image that scores exactly as much as the query's own counts as before it:
    identical captions of two images cannot be told apart, and the place that an index gives them is no merit.

    Args:
        owners: the image that each query belongs to.
        found: the hits of each query, best first, `enough_hits` of them.

    Returns:
        `recall@1` and so on: the share, 0..100, of queries that find a record of their own image among the first K.
    """
    before = np.array([_strangers_before(own, hits) for own, hits in zip(owners, found, strict=True)])
    return {f"recall@{k}": 100 * float(np.mean(before < k)) for k in CUTOFFS}


def _strangers_before(own: str, hits: Sequence[Hit]) -> int:
    """How many hits of other images reach the best of its own; the last cutoff, where none is its own."""
    of_own = [hit.score for hit in hits if hit.fields["image"] == own]
    if not of_own:
        return max(CUTOFFS)
    return sum(hit.score >= max(of_own) for hit in hits if hit.fields["image"] != own)
