"""Holm's correction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation import holm


def naive(p_values):
    """Reject step by step: the level at which each hypothesis first falls."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, reached = [0.0] * len(p_values), 0.0
    for step, place in enumerate(order):
        reached = max(reached, min(1.0, (len(p_values) - step) * p_values[place]))
        adjusted[place] = reached
    return adjusted


@given(st.lists(st.floats(0, 1), max_size=12))
def test_it_is_the_loop(p_values):
    np.testing.assert_allclose(holm(p_values), naive(p_values))


def test_no_test_is_not_counted():
    np.testing.assert_allclose(holm([0.02, np.nan, 0.5]), [0.04, np.nan, 0.5])


@pytest.mark.parametrize("p_values", [[1.5], [-0.1], [[0.1]]])
def test_what_is_no_p_value_is_refused(p_values):
    with pytest.raises(InputError, match="numbers in"):
        holm(p_values)
