"""Filters as Milvus expressions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.search.filters import Condition, Filter
from bcls.search.milvus_expression import EVERYTHING, expression_of, expression_of_ids


def of(field, operator, value):
    return expression_of(Filter((Condition(field, operator, value),)))


def test_no_condition_lets_everything_through():
    assert expression_of(Filter()) == EVERYTHING == 'id != ""'


@pytest.mark.parametrize(
    ("operator", "sign"), [("=", "=="), ("!=", "!="), ("<", "<"), ("<=", "<="), (">", ">"), (">=", ">=")]
)
def test_signs_are_those_of_milvus(operator, sign):
    assert of("count", operator, 3) == f"f_count {sign} 3"


def test_the_id_alone_has_no_prefix():
    assert of("id", "=", "a") == 'id == "a"'
    assert of("id", "in", ("a", "b")) == 'id in ["a", "b"]'
    assert of("ids", "=", "a") == 'f_ids == "a"'


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (-7, "-7"),
        (0.5, "0.5"),
        (True, "true"),
        (False, "false"),
        ("", '""'),
        ('x" or id != "', '"x\\" or id != \\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("it's é", '"it\'s é"'),
    ],
)
def test_values_are_literals(value, literal):
    assert of("name", "=", value) == f"f_name == {literal}"


@given(st.text(max_size=20))
@settings(max_examples=40, deadline=None)
def test_a_text_comes_back_from_its_literal(text):
    literal = of("name", "=", text).removeprefix("f_name == ")
    assert json.loads(literal) == text
    assert "\n" not in literal


def test_conditions_must_all_hold():
    where = Filter((Condition("count", "in", (1, 2)), Condition("good", "=", True)))
    assert expression_of(where) == "f_count in [1, 2] and f_good == true"


def test_records_by_their_ids():
    assert expression_of_ids(["a", 'b"c']) == 'id in ["a", "b\\"c"]'
