"""The order of known values against NumPy's stable sort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bcls.losses.compiled.order import order_of, sorting_room


def check(values: np.ndarray, *, descending: bool) -> None:
    order, ordered = np.full(len(values), -1, np.int32), np.empty_like(values)
    known = order_of(values, descending, order, ordered, sorting_room(len(values)))
    places = np.flatnonzero(~np.isnan(values))
    expected = places[np.argsort(-values[places] if descending else values[places], kind="stable")]
    assert order[:known].tolist() == expected.tolist()
    np.testing.assert_array_equal(ordered[:known], values[expected])


@pytest.mark.parametrize(("dtype", "width"), [(np.float32, 32), (np.float64, 64)])
@given(data=st.data(), descending=st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_values(dtype, width, data, descending):
    numbers = st.floats(allow_infinity=False, width=width)
    few = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, np.nan])
    check(data.draw(arrays.arrays(dtype, st.integers(1, 40), elements=st.one_of(numbers, few))), descending=descending)


@pytest.mark.parametrize("length", [600, 1500, 5000])
@pytest.mark.parametrize("kind", ["uniform", "few", "equal", "wide", "holes"])
@pytest.mark.parametrize("descending", [True, False])
def test_long_rows(length, kind, descending):
    random = np.random.default_rng(length)
    values = {
        "uniform": random.uniform(0, 1, length),
        "few": random.integers(0, 4, length) / 4,
        "equal": np.full(length, 0.25),
        "wide": random.normal(size=length) * 10.0 ** random.integers(-30, 30, length),
        "holes": np.where(random.random(length) < 0.3, np.nan, random.normal(size=length)),
    }[kind]
    check(values.astype(np.float32), descending=descending)
