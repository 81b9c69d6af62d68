"""What is there already of a study's runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import yaml
from jsonargparse import ArgumentError

from bcls.errors import InputError
from bcls.files import write_text
from bcls.training.parser import config_parser, config_text
from bcls.training.study.plan import StudyRun

SHOWN = 5


def claim_runs(runs: Iterable[StudyRun]) -> list[StudyRun]:
    """Write each run's config into its folder, and tell which runs are not finished.

    A field that the package did not have when a run was made counts as having had its default.

    Raises:
        InputError: folders hold runs with other configs; tells fields, what they were and what they would be now.
    """
    runs = list(runs)
    refused = [message for run in runs if (message := _changed(run)) is not None]
    if refused:
        more = f" (and {len(refused) - SHOWN} more runs)" if len(refused) > SHOWN else ""
        raise InputError(
            f"the study has changed since these runs were begun: {'; '.join(refused[:SHOWN])}{more}: take the change "
            "back, choose another --output, or delete their folders"
        )
    unfinished = [run for run in runs if not run.folder.result.exists()]
    for run in unfinished:
        if not run.folder.config.exists():
            write_text(run.folder.config, run.text)
    return unfinished


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


_ABSENT = object()


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        yield name, value
        return
    for key, part in value.items():
        yield from _fields(part, f"{name}.{key}" if name else str(key))


def _changed(run: StudyRun) -> str | None:
    """How the run in a folder differs from the one that is to be there; None where it does not."""
    if not run.folder.config.exists():
        return None
    kept = run.folder.config.read_text(encoding="utf-8")
    if kept == run.text:
        return None
    parser = config_parser("bcls study", "")
    try:
        kept = config_text(parser, parser.parse_args(["--config", str(run.folder.config)]))
    except ArgumentError as error:
        return f"{run.folder.config}: {' '.join(str(error).split())}"
    fields = differing_fields(kept, run.text)
    if fields:
        return f"{run.folder.path}: {', '.join(fields)}"
    if not run.folder.result.exists():
        write_text(run.folder.config, run.text)
    return None
