"""Running extremes and gaps against the naive loop over ranges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.losses.compiled.extremes import first_below, largest_in_ranges


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 10_000), st.sampled_from([2, 1000]))
@settings(max_examples=200, deadline=None)
def test_the_largest_of_each_range(length, ranges, seed, levels):
    random = np.random.default_rng(seed)
    scores = random.integers(0, levels, length).astype(np.float32)
    borders = np.sort(random.integers(0, length, (2, ranges)), axis=1)
    begins, ends = borders.min(axis=0).astype(np.int32), borders.max(axis=0).astype(np.int32)
    expected = [begin + int(scores[begin : end + 1].argmax()) for begin, end in zip(begins, ends, strict=True)]
    largest_in_ranges(scores, begins, ends, np.empty(length, np.int32))
    assert begins.tolist() == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["plain", "levels", "clusters", "equal", "narrow", "one apart"])
@pytest.mark.parametrize("length", [1, 2, 7, 300, 5000])
@pytest.mark.parametrize("gap", [0.0, 0.1, 0.3, 0.9])
def test_the_first_below_the_gap(dtype, kind, length, gap):
    random = np.random.default_rng(length)
    labels = {
        "plain": random.random(length),
        "levels": random.integers(0, 11, length) / 10,
        "clusters": random.integers(0, 2, length) * 0.1 + random.random(length) * 1e-6,
        "equal": np.full(length, 0.7),
        "narrow": 0.5 + random.random(length) * 1e-7,
        "one apart": np.where(np.arange(length) == 0, 1.0, random.random(length) * 1e-5),
    }[kind]
    falling = -np.sort(-labels.astype(dtype))
    found = np.empty(length, np.int32)
    first_below(falling, dtype(gap), found)
    for position in range(0, length, max(1, length // 300)):
        below = np.flatnonzero(falling[position] - falling > dtype(gap))
        assert found[position] == (below[0] if below.size else length)
