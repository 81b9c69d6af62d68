"""Conversion of numbers of any kind: what is kept, what is missing, and what is refused with which words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from array_kinds import MISSING, ROWS_ONLY, SAME, UNUSABLE, WHOLE
from bcls.arrays import refuse_other_order, to_array, to_rows
from bcls.errors import InputError

EIGHTHS = st.integers(-64, 64).map(lambda number: number / 8)


def matrices(elements):
    return arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=2, max_side=4), elements=elements)


@given(matrices(EIGHTHS))
@settings(deadline=None, max_examples=25)
def test_every_kind_keeps_its_values(values):
    for kind, make in (SAME | ROWS_ONLY).items():
        found = to_array(make(values), "x")
        assert type(found) is np.ndarray, kind
        assert found.dtype in (np.float32, np.float64), kind
        assert found.dtype.isnative, kind
        np.testing.assert_array_equal(found, values, err_msg=kind)


@given(arrays.arrays(np.float64, st.integers(1, 5), elements=st.sampled_from([0.0, 1.0])))
@settings(deadline=None, max_examples=25)
def test_whole_numbers_keep_their_values(values):
    for kind, make in WHOLE.items():
        np.testing.assert_array_equal(to_array(make(values), "x"), values, err_msg=kind)


@given(matrices(st.one_of(EIGHTHS, st.just(np.nan))))
@settings(deadline=None, max_examples=25)
def test_what_is_missing_is_nan(values):
    for kind, make in MISSING.items():
        np.testing.assert_array_equal(to_array(make(values), "x"), values, err_msg=kind)


@pytest.mark.parametrize(
    "kind", sorted(UNUSABLE.keys() - {"one more axis", "one number"})
)  # a shape is the caller's to judge
def test_what_is_no_array_of_real_numbers_is_refused_by_its_name(kind):
    with pytest.raises(InputError, match=r"^labels (must be|is|cannot be)"):
        to_array(UNUSABLE[kind](np.ones((2, 2))), "labels")
    with pytest.raises(InputError, match=r"^labels (must be|is|cannot be)"):
        to_rows(UNUSABLE[kind](np.ones((2, 2))), "labels")


def test_a_mask_of_whole_numbers_is_kept_in_every_format():
    for dtype in (np.uint8, np.int64, bool, ">i2"):
        masked = np.ma.array([1, 1, 0], mask=[False, True, False], dtype=dtype)
        np.testing.assert_array_equal(to_array(masked, "x"), [1, np.nan, 0])
        with pytest.raises(InputError, match="x must be a list of whole numbers; element 1 is missing"):
            to_rows(masked, "x")


def test_the_values_under_a_mask_stay_untouched():
    masked = np.ma.array([0.5, 0.7], mask=[False, True])
    to_array(masked, "x")
    assert masked.data.tolist() == [0.5, 0.7]


def test_whole_numbers_that_double_cannot_hold_are_refused():
    assert to_array([2**53], "x").tolist() == [2**53]
    for values in ([2**53 + 1], np.array([2**60]), np.array([2**64 - 1], np.uint64), torch.tensor([-(2**54)])):
        with pytest.raises(InputError, match=r"x holds whole numbers above 2\*\*53"):
            to_array(values, "x")
    with pytest.raises(InputError, match="x holds a number that is too large"):
        to_array([10**400], "x")


def test_the_element_that_is_no_number_is_named():
    with pytest.raises(InputError, match=r"^x must be numbers; element \(1, 0\) is str 'a'$"):
        to_array(np.array([[1.0, None], ["a", 2.0]], object), "x")


def test_rows_of_a_list_that_differ_are_refused():
    for values in ([torch.ones(2), torch.ones(3)], pd.Series([[1.0], [1.0, 2.0]]), [np.ones(2), np.ones(3)]):
        with pytest.raises(InputError, match="x must be numbers in rows of one length"):
            to_array(values, "x")


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5))
@settings(deadline=None, max_examples=40)
def test_whole_numbers_of_64_bits_stay_exact(rows):
    for given_rows in (rows, np.array(rows, np.int64), np.array(rows, object), torch.tensor(rows, dtype=torch.int64)):
        assert to_rows(given_rows, "x").tolist() == rows


def test_labels_in_another_order_are_refused():
    frame = pd.DataFrame(np.eye(3), index=["a", "b", "c"], columns=[0, 1, 2])
    for values in (frame, frame.to_numpy(), [[1.0]], torch.eye(3)):
        refuse_other_order(values, ["a", "b", "c"], "x")
    refuse_other_order(frame.iloc[::-1], ["d", "e", "f"], "x")  # other labels: they name something else
    refuse_other_order(frame.iloc[::-1], None, "x")
    with pytest.raises(InputError, match="x: row 1 has the label 'c', but position 1 is that of 'b'"):
        refuse_other_order(frame.loc[["a", "c", "b"]], ["a", "b", "c"], "x")
    with pytest.raises(InputError, match="x: column 0 has the label 2, but position 0 is that of 0"):
        refuse_other_order(frame[[2, 1, 0]], None, "x", axis=1)
