"""Numbers of any kind as arrays, and rows taken from them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.evaluation.arrays import slice_if_consecutive


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_array_of_single_or_double_is_not_copied(dtype):
    values = np.arange(6, dtype=dtype).reshape(2, 3)
    assert np.shares_memory(to_array(values, "x"), values)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.uint64, np.bool_])
def test_whole_numbers_of_any_width_become_double(dtype):
    array = to_array(np.array([0, 1], dtype=dtype), "x")
    assert array.dtype == np.float64
    assert array.tolist() == [0.0, 1.0]


def test_a_whole_number_that_single_precision_cannot_hold_is_kept():
    assert to_array([2**24 + 1], "x").tolist() == [2**24 + 1]


def test_half_precision_becomes_single_and_wider_than_double_becomes_double():
    assert to_array(np.array([0.5], dtype=np.float16), "x").dtype == np.float32
    assert to_array(np.array([0.5], dtype=np.longdouble), "x").dtype == np.float64


def test_numbers_of_the_other_byte_order_keep_their_values():
    assert to_array(np.array([1.5, 2.0], dtype=">f4"), "x").tolist() == [1.5, 2.0]


def test_a_tensor_that_needs_a_gradient_is_taken_as_it_is():
    tensor = torch.tensor([[0.25, 4.0]], dtype=torch.bfloat16, requires_grad=True)
    array = to_array(tensor, "x")
    assert array.dtype == np.float32
    assert array.tolist() == [[0.25, 4.0]]


def test_a_tensor_of_whole_numbers_becomes_double():
    array = to_array(torch.tensor([2**53, 3]), "x")
    assert array.dtype == np.float64
    assert array.tolist() == [2**53, 3]


def test_unknown_and_infinite_numbers_are_numbers():
    np.testing.assert_array_equal(to_array([np.nan, np.inf, -np.inf], "x"), [np.nan, np.inf, -np.inf])


def test_nothing_is_an_empty_array_and_one_number_has_no_axis():
    assert to_array([], "x").shape == (0,)
    assert to_array(3, "x").shape == ()


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["1.0"], "<U3"),
        ([1j], "complex128"),
        (torch.tensor([1j]), "complex64"),
        (np.array(["2020-01-01"], dtype="M8[D]"), r"datetime64\[D\]"),
    ],
)
def test_what_is_no_real_number_is_refused_by_its_name_and_type(values, dtype):
    with pytest.raises(InputError, match=rf"^relevance must be numbers, got {dtype}$"):
        to_array(values, "relevance")


@pytest.mark.parametrize(("rows", "expected"), [([4], slice(4, 5)), ([0, 1], slice(0, 2)), ([3, 4, 5], slice(3, 6))])
def test_consecutive_rows_are_a_slice(rows, expected):
    assert slice_if_consecutive(np.array(rows)) == expected


@pytest.mark.parametrize("rows", [[], [1, 0], [0, 2], [0, 1, 1], [0, 1, 2, 4], [2, 2]])
def test_other_rows_stay_as_they_are(rows):
    given_rows = np.array(rows, dtype=np.int64)
    assert slice_if_consecutive(given_rows) is given_rows


@given(
    st.lists(st.integers(0, 6), max_size=5)
    | st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda t: [*range(*t)])
)
@settings(deadline=None, max_examples=40)
def test_either_way_the_same_rows_are_taken(rows):
    values, wanted = np.arange(7) * 10, np.array(rows, dtype=np.int64)
    assert values[slice_if_consecutive(wanted)].tolist() == [10 * row for row in rows]


def test_rows_of_different_lengths_are_refused():
    with pytest.raises(InputError, match=r"x must be numbers in rows of one length"):
        to_array([[1.0], [1.0, 2.0]], "x")
