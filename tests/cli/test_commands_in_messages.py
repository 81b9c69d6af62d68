"""Every command that a message or an example of the program names is one that the program takes."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import jsonargparse
import pytest

from bcls.cli import VERBS, main

SOURCE = Path(__file__).resolve().parents[2] / "src" / "bcls"
ACTIONS = {
    "data": {"check", "show", "convert", "scenes"},
    "index": {"copy", "delete", "uploads"},
    "label": {"audit"},
}
COMMAND = re.compile(
    rf"`(bcls [^`]+)`|^example: (bcls [^\n#]+)|(?<![`\w/])(bcls (?:{'|'.join(VERBS)})\b[^\n`;,()\"]*)", re.MULTILINE
)


class _ParsedError(BaseException):  # no handler of the command takes it for an error of its own
    """The words were taken."""


def _texts(tree: ast.Module) -> list[str]:
    """All texts of a file but docstrings, with `X` for what is filled in at run time."""
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    parts = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    texts = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            texts.append("".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings | parts:
            texts.append(node.value)
    return texts


def _commands() -> list[tuple[str, str]]:
    found = []
    for file in sorted(SOURCE.rglob("*.py")):
        for text in _texts(ast.parse(file.read_text(encoding="utf-8"))):
            for groups in COMMAND.findall(text):
                command = " ".join(next(filter(None, groups)).split()).rstrip(".:")
                found.append((file.relative_to(SOURCE).as_posix(), command))
    return sorted(set(found))


COMMANDS = _commands()


def _names_only(words: list[str]) -> bool:
    """Whether a verb (and its action) is called by its name alone, as in "`bcls index` makes one"."""
    return len(words) == 1 or (len(words) == 2 and words[1] in ACTIONS.get(words[0], set()))


def test_there_are_commands_to_look_at():
    assert len(COMMANDS) > 30
    assert ("relevance/store.py", "bcls label DATA") in COMMANDS


@pytest.mark.parametrize(("file", "command"), COMMANDS, ids=[f"{file}: {command}" for file, command in COMMANDS])
def test_it_is_a_valid_command_line(file, command, monkeypatch):
    if "ACTION" in command or command.startswith("bcls data:"):  # of the help that lists actions
        return
    words = shlex.split(command)[1:]
    assert words[0] in VERBS, command
    if _names_only(words):
        return
    original = jsonargparse.ArgumentParser.parse_args

    def parse_args(self, *given, **named):
        original(self, *given, **named)
        raise _ParsedError

    monkeypatch.chdir(SOURCE.parents[1])  # where the configs are
    monkeypatch.setattr(jsonargparse.ArgumentParser, "parse_args", parse_args)
    with pytest.raises(_ParsedError):
        main([*words, "--debug"])
