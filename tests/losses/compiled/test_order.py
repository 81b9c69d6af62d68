"""The radix sort against NumPy's stable sort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bcls.losses.compiled.order import order_of


def _order(values: np.ndarray, *, descending: bool) -> list[int]:
    order, spare = np.full(len(values), -1, np.int32), np.empty(len(values), np.int32)
    order_of(values, descending, order, spare)
    return order.tolist()


@pytest.mark.parametrize(("dtype", "width"), [(np.float32, 32), (np.float64, 64)])
@given(data=st.data(), descending=st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_finite_values(dtype, width, data, descending):
    numbers = st.floats(allow_nan=False, allow_infinity=False, width=width)
    few = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5])
    values = data.draw(arrays.arrays(dtype, st.integers(1, 40), elements=st.one_of(numbers, few)))
    expected = np.argsort(-values if descending else values, kind="stable")
    assert _order(values, descending=descending) == expected.tolist()


@pytest.mark.parametrize("length", [1023, 1024, 5000])
@pytest.mark.parametrize("kind", ["uniform", "few", "equal", "wide"])
@pytest.mark.parametrize("descending", [True, False])
def test_long_rows(length, kind, descending):
    random = np.random.default_rng(length)
    values = {
        "uniform": random.uniform(0, 1, length),
        "few": random.integers(0, 4, length) / 4,
        "equal": np.full(length, 0.25),
        "wide": random.normal(size=length) * 10.0 ** random.integers(-30, 30, length),
    }[kind].astype(np.float32)
    expected = np.argsort(-values if descending else values, kind="stable")
    assert _order(values, descending=descending) == expected.tolist()
