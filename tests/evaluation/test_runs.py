"""Runs of equal values."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.evaluation.runs import offset_in_run, run_starts


@given(st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=1, max_size=4))
@settings(deadline=None, max_examples=50)
def test_offsets_count_within_groups(rows):
    values = np.sort(np.array(rows), axis=1)
    expected = [[place for _, group in groupby(row) for place, _ in enumerate(group)] for row in values.tolist()]
    starts = run_starts(values)
    assert offset_in_run(starts).tolist() == expected
    assert starts.tolist() == [[place == 0 for place in row] for row in expected]


def test_nothing_has_no_runs():
    assert offset_in_run(run_starts(np.zeros(0))).size == 0
