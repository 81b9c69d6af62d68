"""What an index can keep."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bcls.errors import InputError
from bcls.ids import MAX_ID_BYTES, MAX_TEXT_BYTES
from bcls.search.records import (
    Record,
    check_fields,
    check_ids,
    check_records,
    check_value,
    check_vectors,
)

FIELDS = {"kind": "str", "count": "int", "weight": "float", "good": "bool"}
VALUES = {"kind": "image", "count": 1, "weight": 0.5, "good": True}


def test_fields_are_copied():
    given_fields = dict(FIELDS)
    kept = check_fields(given_fields)
    given_fields.clear()
    assert kept == FIELDS
    assert check_fields({}) == {}
    assert check_fields({"a": "int", "z9_" + "x" * 61: "str"})


@pytest.mark.parametrize("name", ["", "id", "vector", "Kind", "9a", "_a", "a-b", "a b", "a.b", "é", "a\n", "x" * 65])
def test_a_field_name_that_no_engine_keeps_is_refused(name):
    with pytest.raises(
        InputError, match=r"field .*: a name is a small letter, then small letters, digits, _; not id or"
    ):
        check_fields({name: "str"})


def test_an_unknown_type_is_refused():
    with pytest.raises(InputError, match="field 'day': no type 'date'; there are: str, int, float, bool"):
        check_fields({"day": "date"})


@given(arrays.arrays(np.float64, (3, 4), elements=st.floats(-1e30, 1e30).filter(lambda x: abs(x) > 1e-30)))
@settings(max_examples=40, deadline=None)
def test_vectors_keep_their_direction_and_get_length_one(vectors):
    checked = check_vectors(vectors, 4, "queries")
    assert checked.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(checked.astype(np.float64), axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(checked, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_single_precision_neither_overflows_nor_vanishes(size):
    found = check_vectors(np.float32([[3 * size, 4 * size]]), 2, "queries")
    np.testing.assert_allclose(found, [[0.6, 0.8]], rtol=1e-6)


def test_no_vectors_stay_none():
    assert check_vectors(np.zeros((0, 4), np.float32), 4, "queries").shape == (0, 4)


@pytest.mark.parametrize("vectors", [np.ones(4), np.ones((2, 3)), np.ones((1, 2, 4)), np.ones((2, 4), int)])
def test_vectors_of_another_shape_or_kind_are_refused(vectors):
    with pytest.raises(InputError, match=r"^queries: .* of shape .*; this index holds floats of shape \(rows, 4\)$"):
        check_vectors(vectors, 4, "queries")


def test_vectors_of_words_are_refused():
    with pytest.raises(InputError, match=r"^queries must be numbers, got <U1$"):
        check_vectors([["a"] * 4], 4, "queries")


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf, -math.inf])
def test_the_first_vector_without_a_direction_is_named(value):
    vectors = np.ones((4, 2))
    vectors[2:] = value
    with pytest.raises(InputError, match=r"^records: row 2 is zero or not finite, which has no direction$"):
        check_vectors(vectors, 2, "records")


def test_ids_are_counted_in_bytes():
    check_ids([])
    check_ids(["a", "é" * (MAX_ID_BYTES // 2), "x" * MAX_ID_BYTES, "' \" \n"])


@pytest.mark.parametrize("name", ["", "x" * (MAX_ID_BYTES + 1), "é" * (MAX_ID_BYTES // 2 + 1), 3, None, b"a"])
def test_an_id_that_no_engine_keeps_is_refused(name):
    with pytest.raises(InputError, match=f"an id is a string of 1 to {MAX_ID_BYTES} bytes"):
        check_ids(["a", name])


def test_what_is_no_text_is_no_id():
    with pytest.raises(InputError, match="an id: holds half a surrogate pair, which is not text"):
        check_ids(["a\ud800"])
    with pytest.raises(InputError, match=r"an id: holds the character U\+0000, which is not text"):
        check_ids(["a\0"])
    with pytest.raises(InputError, match="ids must be a list of strings, not one string"):
        check_ids("abc")


def test_a_block_of_records_gives_its_vectors():
    records = [Record("a", np.float32([3, 4]), VALUES), Record("b", np.float32([0, 2]), VALUES)]
    np.testing.assert_allclose(check_records(records, FIELDS, 2), [[0.6, 0.8], [0, 1]], rtol=1e-6)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Record("", np.ones(2), VALUES), "id ''"),
        (Record("a", np.ones(3), VALUES), r"record 'a': its vector has shape \(3,\), the index \(2,\)"),
        (Record("a", np.zeros(2), VALUES), "records: row 1 is zero or not finite"),
        (Record("a", np.ones(2), VALUES | {"odd": 1}), "record 'a': the fields odd are missing, or not of the index"),
        (Record("a", np.ones(2), {}), "record 'a': the fields count, good, kind, weight are missing"),
        (Record("a", np.ones(2), VALUES | {"count": "1"}), "record 'a': count: '1' is no int"),
    ],
)
def test_the_record_that_cannot_be_kept_is_named(record, message):
    with pytest.raises(InputError, match=message):
        check_records([Record("first", np.ones(2), VALUES), record], FIELDS, 2)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("", "str"),
        ("x" * MAX_TEXT_BYTES, "str"),
        (2**63 - 1, "int"),
        (-(2**63) + 1, "int"),
        (0.5, "float"),
        (3, "float"),
        (False, "bool"),
    ],
)
def test_values_that_fit_their_type_pass(value, kind):
    check_value(value, kind, "here")


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (1, "str", "here: 1 is no str"),
        (1.0, "int", "here: 1.0 is no int"),
        (True, "int", "here: True is no int"),
        (True, "float", "here: True is no float"),
        (1, "bool", "here: 1 is no bool"),
        (None, "str", "here: None is no str"),
        (np.float64(0.5), "float", r"here: .*0.5.* is no float"),
        (math.nan, "float", "here: nan is not a finite number"),
        (-math.inf, "float", "here: -inf is not a finite number"),
        (2**1024, "float", "here: a number of 1025 bits is too large for a float"),
        (2**63, "int", f"here: {2**63} does not fit 64 bits"),
        (-(2**63), "int", "does not fit 64 bits"),
        ("é" * (MAX_TEXT_BYTES // 2 + 1), "str", f"here: longer than {MAX_TEXT_BYTES} bytes"),
        ("\udc00", "str", "here: holds half a surrogate pair"),
        ("a\0b", "str", r"here: holds the character U\+0000"),
    ],
)
def test_values_that_do_not_fit_are_refused(value, kind, message):
    with pytest.raises(InputError, match=message):
        check_value(value, kind, "here")


@pytest.mark.parametrize("scale", [1e300, 1e200, 1e-200, 1e-300, 5e-324])
def test_vectors_of_any_length_keep_their_direction(scale):
    found = check_vectors(np.array([[1.0, 1.0], [scale, scale]]), 2, "vectors")
    np.testing.assert_allclose(found, np.full((2, 2), 0.5**0.5), rtol=1e-6)


def test_a_row_that_is_infinite_has_no_direction():
    with pytest.raises(InputError, match="vectors: row 1 is zero or not finite"):
        check_vectors(np.array([[1e300, 0.0], [np.inf, 1.0]]), 2, "vectors")
