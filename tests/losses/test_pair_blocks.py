"""All pairs of candidates, cut into blocks."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.losses.pair_blocks import query_and_candidate_blocks


def size(part: slice) -> int:
    return part.stop - part.start


@given(st.integers(0, 9), st.integers(1, 9), st.integers(1, 800))
@settings(max_examples=40, deadline=None)
def test_blocks_cover_every_query_and_first_candidate_once_and_keep_to_their_size(queries, candidates, most):
    covered = torch.zeros(queries, candidates, dtype=torch.int64)
    for block, part in query_and_candidate_blocks(covered, most):
        assert block.stop <= queries
        assert part.stop <= candidates
        covered[block, part] += 1
        assert size(block) * size(part) * candidates <= max(most, candidates)  # one candidate's row at least
        assert size(block) == 1 or size(part) == candidates
    assert torch.equal(covered, torch.ones_like(covered))


def test_many_queries_are_taken_whole_where_they_fit():
    found = list(query_and_candidate_blocks(torch.zeros(5, 3), 20))  # two queries have 18 pairs
    assert found == [(slice(0, 2), slice(0, 3)), (slice(2, 4), slice(0, 3)), (slice(4, 5), slice(0, 3))]


def test_a_query_that_does_not_fit_is_cut_by_its_candidates():
    found = list(query_and_candidate_blocks(torch.zeros(2, 5), 14))  # two candidates have 10 pairs
    parts = [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert found == [(slice(q, q + 1), part) for q in (0, 1) for part in parts]


def test_a_block_too_small_for_anything_holds_one_candidate():
    assert len(list(query_and_candidate_blocks(torch.zeros(2, 3), 1))) == 6
