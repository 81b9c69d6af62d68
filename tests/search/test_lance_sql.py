"""Filters as SQL."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.search.filters import Condition, Filter
from bcls.search.lance_sql import sql_ids, sql_of


def of(field, operator, value):
    return sql_of(Filter((Condition(field, operator, value),)))


def test_no_condition_is_no_sql():
    assert sql_of(Filter()) is None


@pytest.mark.parametrize("operator", ["=", "!=", "<", "<=", ">", ">="])
def test_comparisons_keep_their_sign(operator):
    assert of("count", operator, 3) == f"`count` {operator} 3"


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (-7, "-7"),
        (2**62, "4611686018427387904"),
        (0.1, "0.1"),
        (-2.5e-09, "-2.5e-09"),
        (True, "true"),
        (False, "false"),
        ("", "''"),
        ("it's", "'it''s'"),
        ("' OR 1=1 --", "''' OR 1=1 --'"),
        ('say "hi" \\ `', "'say \"hi\" \\ `'"),
        ("é\n", "'é\n'"),
    ],
)
def test_values_are_literals(value, literal):
    assert of("name", "=", value) == f"`name` = {literal}"


@given(st.text(max_size=20))
@settings(max_examples=40, deadline=None)
def test_no_text_ends_its_literal(text):
    literal = of("name", "=", text).removeprefix("`name` = ")
    assert re.fullmatch(r"'(?:[^']|'')*'", literal)
    assert literal[1:-1].replace("''", "'") == text


def test_lists_and_parts_of_text():
    assert of("kind", "in", ("a", "b'c")) == "`kind` IN ('a', 'b''c')"
    assert of("count", "in", (1,)) == "`count` IN (1)"
    assert of("text", "contains", "50% o'clock_") == "contains(`text`, '50% o''clock_')"


def test_conditions_must_all_hold():
    where = Filter((Condition("count", ">", 1), Condition("good", "=", True), Condition("id", "!=", "x")))
    assert sql_of(where) == "`count` > 1 AND `good` = true AND `id` != 'x'"


def test_records_by_their_ids():
    assert sql_ids(["a", "o'b"]) == "`id` IN ('a', 'o''b')"
    assert sql_ids(iter(["a"])) == "`id` IN ('a')"
