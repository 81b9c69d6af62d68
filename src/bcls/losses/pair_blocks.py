"""How all pairs of candidates of all queries are cut, so that no block is larger than wanted."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor


def query_and_candidate_blocks(similarity: Tensor, most: int) -> Iterator[tuple[slice, slice]]:
    """Blocks (queries, first candidates) that are to be compared with all candidates.

    Many queries with all of their candidates where they fit; else one query, and some of its candidates at a time.

    Args:
        similarity: (queries, candidates).
        most: elements of a block (queries, first candidates, all candidates), as far as one candidate's row allows.

    Example:
        >>> import torch
        >>> list(query_and_candidate_blocks(torch.zeros(3, 2), 8))
        [(slice(0, 2, None), slice(0, 2, None)), (slice(2, 3, None), slice(0, 2, None))]
        >>> list(query_and_candidate_blocks(torch.zeros(1, 3), 6))
        [(slice(0, 1, None), slice(0, 2, None)), (slice(0, 1, None), slice(2, 3, None))]
    """
    queries, candidates = similarity.shape
    rows = max(1, most // candidates**2)
    width = max(1, min(candidates, most // (rows * candidates)))
    for start in range(0, queries, rows):
        for first in range(0, candidates, width):
            yield slice(start, min(start + rows, queries)), slice(first, min(first + width, candidates))
