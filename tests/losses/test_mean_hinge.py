"""Mean hinges and positive slots against loops."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.losses.mean_hinge import mean_hinges, positive_slots


@given(seed=st.integers(0, 10_000), rounded=st.booleans())
@settings(max_examples=30, deadline=None)
def test_mean_hinges_equal_the_loop(make_matrices, seed, rounded):
    similarity, _, positives = make_matrices(4, 6, seed)
    similarity = similarity.mul(4).round().div(4) if rounded else similarity
    thresholds = similarity[:, :3].clone()
    found = mean_hinges(similarity, thresholds, ~positives)
    for i in range(4):
        for slot in range(3):
            hinges = [
                torch.relu(similarity[i, n] - thresholds[i, slot]).item() for n in range(6) if not positives[i, n]
            ]
            assert found[i, slot].item() == pytest.approx(sum(hinges) / max(1, len(hinges)), abs=1e-12)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_slots_list_every_positive_once(make_matrices, seed):
    _, _, positives = make_matrices(5, 7, seed)
    columns, there = positive_slots(positives)
    assert columns.shape[1] == positives.sum(dim=1).max()
    for row in range(5):
        assert columns[row][there[row]].tolist() == positives[row].nonzero().flatten().tolist()


def test_no_positive_needs_no_slot():
    assert positive_slots(torch.zeros(2, 3, dtype=torch.bool)).columns.shape == (2, 0)
