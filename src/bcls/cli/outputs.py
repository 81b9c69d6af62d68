"""What a command writes never replaces something else: only its own result, or with --overwrite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bcls.errors import InputError
from bcls.evaluation.results import plain
from bcls.files import read_json

ADDED_SINCE_0_1 = ("base", "fit_split", "similarity_function", "image_ids", "caption_ids", "features")
"""What results of release 0.1 do not tell: they count as having had the same."""


def refuse_other(
    file: Path,
    about: Mapping[str, Any],
    *,
    overwrite: bool,
    what: str = "result",
    option: str = "--output",
    ignored: tuple[str, ...] = (),
) -> None:
    """Refuse to write where something else stands than an earlier result of the same command.

    Args:
        file: JSON whose object `about` tells what it is a result of.
        about: of the result that is to be written.
        overwrite: whether a person has allowed to replace it.
        what: what the file is called.
        option: the option that names another place.
        ignored: what may differ.

    Raises:
        InputError: the file is a result of something else, or no result at all.
    """
    if overwrite or not file.is_file():
        return
    cure = f"name another place with {option}, or add --overwrite true to replace it"
    try:
        content = read_json(file)
    except InputError:
        content = None
    found = content.get("about") if isinstance(content, dict) else None
    if not isinstance(found, dict):
        raise InputError(f"{file}: is there already, and no {what} of this command: {cure}")
    now = plain(about)
    differing = [
        name
        for name in sorted({*found, *now})
        if found.get(name) != now.get(name)
        and name not in ignored
        and not (name in ADDED_SINCE_0_1 and name not in found)
    ]
    if differing:
        told = "; ".join(f"{name} was {_short(found.get(name))}, is {_short(now.get(name))}" for name in differing)
        raise InputError(f"{file}: holds another {what} ({told}): {cure}")


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
