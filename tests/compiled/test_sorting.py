"""The radix sort of 64-bit numbers against NumPy's sort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from bcls.compiled.sorting import sort_each_row


@pytest.mark.parametrize("high", [2**64, 2**40, 2**33, 3])
@pytest.mark.parametrize("width", [100, 501, 1500, 4097])
def test_rows_of_any_length_and_spread(width, high):
    random = np.random.default_rng(width)
    rows = random.integers(0, high, (6, width), dtype=np.uint64)
    rows[3] = rows[3, 0]
    rows[4] //= 1 << 20
    rows[4, ::2] += np.uint64(1 << 63)  # two crowds far apart: the highest bits tell little
    expected = np.sort(rows, axis=1)
    sort_each_row(rows)
    np.testing.assert_array_equal(rows, expected)


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 3).map(lambda n: n << 32), min_size=1, max_size=40))
@settings(deadline=None, max_examples=60)
def test_any_row(numbers):
    rows = np.array([numbers, numbers[::-1]], dtype=np.uint64)
    sort_each_row(rows)
    assert rows.tolist() == [sorted(numbers)] * 2
