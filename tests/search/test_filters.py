"""Filters as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.search import Condition, Filter

FIELDS = {"kind": "str", "count": "int", "weight": "float", "good": "bool"}


def test_reads_every_operator():
    text = 'a=1 b!=2 and c<3 d<=4 e>5 f>=6 g in x,"y z","," and h contains "say \\"hi\\"" i="in" and = 3'
    assert [(one.field, one.operator, one.value) for one in Filter.parse(text).conditions] == [
        ("a", "=", "1"),
        ("b", "!=", "2"),
        ("c", "<", "3"),
        ("d", "<=", "4"),
        ("e", ">", "5"),
        ("f", ">=", "6"),
        ("g", "in", ("x", "y z", ",")),
        ("h", "contains", 'say "hi"'),
        ("i", "=", "in"),
        ("and", "=", "3"),
    ]
    assert Filter.parse("  ") == Filter()


@pytest.mark.parametrize(
    "text",
    [
        "kind",
        "=3",
        "kind=",
        "kind==3",
        "kind=a,b",
        "Kind=a",
        "kind = a or count = 3",
        'kind="a',
        "kind<>3",
        "kind is 3",
    ],
)
def test_refuses_what_it_cannot_read(text):
    with pytest.raises(InputError, match="filter"):
        Filter.parse(text).typed(FIELDS)


def test_values_take_the_fields_types():
    typed = Filter.parse("kind=3 count=3 weight=3 good=TRUE count in 1,2").typed(FIELDS)
    assert [one.value for one in typed.conditions] == ["3", 3, 3.0, True, (1, 2)]
    with pytest.raises(InputError, match="no str"):
        Filter((Condition("kind", "=", 3),)).typed(FIELDS)
    with pytest.raises(InputError, match="1000"):
        Filter((Condition("count", "in", tuple(range(1001))),)).typed(FIELDS)
    with pytest.raises(InputError, match="takes"):
        Filter((Condition("count", "; drop", 3),)).typed(FIELDS)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_a_quoted_value_comes_back(value):
    quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert Filter.parse(f"kind={quoted}") == Filter((Condition("kind", "=", value),))


def test_a_whole_number_beyond_all_floats_is_told():
    with pytest.raises(InputError, match="filter: weight: a number of 1025 bits is too large for a float"):
        Filter((Condition("weight", "<", 2**1024),)).typed({"weight": "float"})
