"""Filters as Milvus reads them: names come from the index's fields, values are written as literals."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from bcls.search.filters import Condition, Filter
from bcls.search.records import FieldValue

PREFIX = "f_"
"""Before every field's name, so that none is a word of Milvus's own."""

EVERYTHING = 'id != ""'
_SIGNS = {"=": "=="}


def expression_of(where: Filter) -> str:
    """A typed filter without `contains` as an expression.

    Example:
        >>> print(expression_of(Filter((Condition("name", "!=", "dog"), Condition("count", "in", (1, 2))))))
        f_name != "dog" and f_count in [1, 2]
    """
    return " and ".join(map(_condition, where.conditions)) or EVERYTHING


def expression_of_ids(ids: Sequence[str]) -> str:
    """The records of these ids. The client's own `ids=` writes them down unquoted."""
    return f"id in [{', '.join(map(_literal, ids))}]"


def expression_after(name: str, where: Filter) -> str:
    r"""The records whose ids come after one, of those that a typed filter without `contains` lets through.

    Example:
        >>> print(expression_after('a"b', Filter()))
        id > "a\"b"
        >>> print(expression_after("x", Filter((Condition("count", "=", 1),))))
        id > "x" and f_count == 1
    """
    return " and ".join([f"id > {_literal(name)}", *map(_condition, where.conditions)])


def _condition(condition: Condition) -> str:
    name = condition.field if condition.field == "id" else PREFIX + condition.field
    if condition.operator == "in":
        values = cast(tuple[FieldValue, ...], condition.value)
        return f"{name} in [{', '.join(map(_literal, values))}]"
    return f"{name} {_SIGNS.get(condition.operator, condition.operator)} {_literal(cast(FieldValue, condition.value))}"


def _literal(value: FieldValue) -> str:
    return json.dumps(value, ensure_ascii=False)
