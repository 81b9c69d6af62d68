"""Whether two texts are the same run: compared by what they mean, not by how they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from jsonargparse import ArgumentError

from bcls.errors import InputError
from bcls.training.parser import config_parser, config_text

PLACE = "output"
_ABSENT = object()


def changed_fields(kept: str, now: str) -> list[str]:
    """Fields in which a run's kept config differs from the one that is to be run; empty = the same run.

    The kept text is parsed again, so that a field that the package did not have when it was written counts as having
    had its default. The run's own folder is not compared: a folder may be renamed.

    Args:
        kept: YAML text of a run's `config.yaml`.
        now: YAML text of `config_text`.

    Raises:
        InputError: the kept text is no config of a run.
    """
    if kept == now:
        return []
    parser = config_parser("bcls train", "")
    try:
        kept = config_text(parser, parser.parse_string(kept))
    except ArgumentError as error:
        raise InputError(" ".join(str(error).split())) from None
    return [field for field in differing_fields(kept, now) if not field.startswith(f"{PLACE} was ")]


def differing_fields(before: str, now: str) -> list[str]:
    """Fields in which two YAML texts differ.

    Example:
        >>> differing_fields("loss: {gap: 0.1, window: 8}", "loss: {gap: 0.2, window: 8}")
        ['loss.gap was 0.1, is 0.2']
    """
    one, other = (dict(_fields(yaml.safe_load(text))) for text in (before, now))
    names = list(dict.fromkeys([*one, *other]))
    return [
        f"{name} was {one.get(name, 'not there')}, is {other.get(name, 'not there')}"
        for name in names
        if one.get(name, _ABSENT) != other.get(name, _ABSENT)
    ]


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        yield name, value
        return
    for key, part in value.items():
        yield from _fields(part, f"{name}.{key}" if name else str(key))
