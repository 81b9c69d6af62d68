"""Filters as LanceDB reads them: names come from the index's fields, values are written as literals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from bcls.search.filters import Condition, Filter
from bcls.search.records import FieldValue


def sql_of(where: Filter) -> str | None:
    """A typed filter as SQL; None where it lets everything through.

    Example:
        >>> from bcls.search.filters import Condition
        >>> sql_of(Filter((Condition("name", "=", "it's"), Condition("count", "in", (1, 2)))))
        "`name` = 'it''s' AND `count` IN (1, 2)"
    """
    return " AND ".join(map(_condition, where.conditions)) or None


def sql_ids(ids: Iterable[str]) -> str:
    """The records of these ids."""
    return f"`id` IN ({', '.join(map(_literal, ids))})"


def _condition(condition: Condition) -> str:
    if condition.operator == "in":
        values = cast(tuple[FieldValue, ...], condition.value)
        return f"`{condition.field}` IN ({', '.join(map(_literal, values))})"
    value = _literal(cast(FieldValue, condition.value))
    if condition.operator == "contains":
        return f"contains(`{condition.field}`, {value})"
    return f"`{condition.field}` {condition.operator} {value}"


def _literal(value: FieldValue) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower() if isinstance(value, bool) else repr(value)
