"""Which records a search may find: conditions on fields, joined by "and"."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from bcls.errors import InputError
from bcls.search.records import FieldType, FieldValue, check_value, float_of

Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "in", "contains"]

MAX_VALUES = 1000
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ALLOWED: dict[str, tuple[str, ...]] = {
    "str": ("=", "!=", "in", "contains"),
    "int": ("=", "!=", "<", "<=", ">", ">=", "in"),
    "float": ("=", "!=", "<", "<=", ">", ">=", "in"),
    "bool": ("=", "!="),
}
_VALUE = r"""(?:"(?:[^"\\]|\\.)*"|[^\s",=<>!][^\s",]*)"""
_CONDITION = re.compile(
    rf"\s*(?:and\s+)?([a-z][a-z0-9_]*)\s*(?:(!=|<=|>=|=|<|>)|\s(in|contains)\s)\s*({_VALUE}(?:,{_VALUE})*)(?=\s|$)"
)


@dataclass(frozen=True)
class Condition:
    """A field, an operator and a value (a tuple of values for `in`)."""

    field: str
    operator: Operator
    value: FieldValue | tuple[FieldValue, ...]

    def typed(self, fields: Mapping[str, FieldType]) -> Condition:
        """The same with its value of the field's type.

        Raises:
            InputError: no such field, an operator that its type does not have, or a value of another type.
        """
        kind = {**fields, "id": "str"}.get(self.field)
        if kind is None:
            raise InputError(f"filter: no field {self.field!r}; there are: {', '.join(['id', *fields])}")
        if self.operator not in _ALLOWED[kind]:
            raise InputError(
                f"filter: {self.field} is a {kind}: it takes {' '.join(_ALLOWED[kind])}, not {self.operator}"
            )
        if self.operator != "in":
            return Condition(self.field, self.operator, _typed(self.value, kind, self.field))
        values = self.value if isinstance(self.value, (tuple, list)) else (self.value,)
        if not 1 <= len(values) <= MAX_VALUES:
            raise InputError(f"filter: {self.field} in {len(values)} values; 1 to {MAX_VALUES} are possible")
        return Condition(self.field, "in", tuple(_typed(value, kind, self.field) for value in values))

    def matches(self, value: FieldValue) -> bool:
        """Whether a record with this value of the field is let through; the condition must be typed."""
        if self.operator == "in":
            return value in cast(tuple[FieldValue, ...], self.value)
        if self.operator == "contains":
            return str(self.value) in str(value)
        return _COMPARE[self.operator](value, self.value)


@dataclass(frozen=True)
class Filter:
    """Conditions that must all hold. It is data: no engine ever sees a person's words as its own syntax.

    Args:
        conditions: may be empty, which lets everything through.

    Example:
        >>> where = Filter.parse('split=val count>=3 text contains "two dogs" kind in image,caption')
        >>> [one.operator for one in where.conditions]
        ['=', '>=', 'contains', 'in']
        >>> where.conditions[3].value
        ('image', 'caption')
    """

    conditions: tuple[Condition, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Filter:
        """Conditions one after another; `and` between them may be left out. A value with a space or comma is quoted.

        Raises:
            InputError: something else; the message shows where.
        """
        conditions, place = [], 0
        text = text.strip()
        while place < len(text):
            found = _CONDITION.match(text, place)
            if found is None:
                raise InputError(
                    f"filter: cannot read {text[place:].strip()!r}; conditions look like: split=val count>=3 "
                    'text contains "two dogs" kind in image,caption'
                )
            field, sign, word, value = found.groups()
            values = tuple(_unquoted(part) for part in re.findall(_VALUE, value))
            if word != "in" and len(values) > 1:
                raise InputError(f"filter: {value!r}: only `in` takes several values; a value with a comma is quoted")
            conditions.append(Condition(field, cast(Operator, word or sign), values if word == "in" else values[0]))
            place = found.end()
        return cls(tuple(conditions))

    def typed(self, fields: Mapping[str, FieldType]) -> Filter:
        """The same with values of the fields' types.

        Raises:
            InputError: see `Condition.typed`.
        """
        return Filter(tuple(condition.typed(fields) for condition in self.conditions))

    def matches(self, id: str, fields: Mapping[str, FieldValue]) -> bool:  # noqa: A002
        """Whether a record is let through; the filter must be typed."""
        return all(one.matches(id if one.field == "id" else fields[one.field]) for one in self.conditions)


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _typed(value: FieldValue | Sequence[FieldValue], kind: FieldType, field: str) -> FieldValue:
    """A value as the field has it; text is read as a number or truth value where the field is one."""
    result: object = value
    if isinstance(value, str) and kind != "str":
        try:
            result = _READ[kind](value)
        except ValueError:
            raise InputError(f"filter: {field} is a {kind}, {value!r} is none") from None
    elif type(value) is int and kind == "float":
        result = float_of(value, f"filter: {field}")
    check_value(result, kind, f"filter: {field}")
    return cast(FieldValue, result)


def _truth(word: str) -> bool:
    if word.lower() not in {"true", "false"}:
        raise ValueError(word)
    return word.lower() == "true"


_READ: dict[str, Callable[[str], FieldValue]] = {"int": int, "float": float, "bool": _truth}
