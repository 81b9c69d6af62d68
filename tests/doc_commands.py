"""Every `bcls` command that a page, a config's header, an example or a docstring shows, read and parsed."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jsonargparse
import pytest

from bcls.cli import main

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("deploy/*.md")]
)
COMMENTED = sorted([*(ROOT / "configs").rglob("*.yaml"), *(ROOT / "deploy").glob("*.yaml")])
SOURCES = sorted(file for folder in ("src", "examples", "benchmarks") for file in (ROOT / folder).rglob("*.py"))
BCLS = r"(?:\$ )?(?:\.venv/bin/|\$\(BIN\)/)?(bcls [a-zV-].*)"


class Command(NamedTuple):
    """A command, where it stands, and whether it is whole; a mention such as `bcls label audit` may lack arguments."""

    place: str
    text: str
    whole: bool


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def joined(text: str) -> str:
    """Lines that end in a backslash joined with the next one."""
    return re.sub(r"\\\n[ #]*", " ", text)


def of_page(path: Path) -> Iterator[Command]:
    """Lines of code blocks, indented or fenced, and inline code."""
    text, fenced = joined(path.read_text(encoding="utf-8")), False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        block = re.match(rf"{' *' if fenced else ' {4,}'}{BCLS}$", line)
        if block:
            yield Command(name_of(path), block[1], whole=True)
    for mention in re.findall(r"`(?:\.venv/bin/)?(bcls [a-z-][^`]*)`", text):
        yield Command(name_of(path), mention, whole=False)


def of_comments(path: Path) -> Iterator[Command]:
    """Comments of a YAML file, or the commands of a Makefile."""
    for line in joined(path.read_text(encoding="utf-8")).splitlines():
        comment = re.match(rf"(?:#\s+|.*\s#\s|\t){BCLS}$", line)
        if comment:
            yield Command(name_of(path), comment[1], whole=True)
        for mention in re.findall(r"`(bcls [a-z-][^`]*)`", line):
            yield Command(name_of(path), mention, whole=False)


def of_source(path: Path) -> Iterator[Command]:
    """Docstrings, help texts and messages; what a message fills in is X."""
    for text in strings(ast.parse(path.read_text(encoding="utf-8"))):
        for line in joined(text).splitlines():
            block = re.match(rf"(?:\s+|.*example: ){BCLS}$", line)
            if block and block[1].split()[1] != "VERB":
                yield Command(name_of(path), block[1], whole=True)
        for mention in re.findall(r"`(bcls [a-z-][^`]*)`", " ".join(text.split())):
            yield Command(name_of(path), mention, whole=False)


def strings(tree: ast.AST) -> Iterator[str]:
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def every_command() -> list[Command]:
    """All of them, each once a file."""
    found = [command for page in PAGES for command in of_page(page)]
    found += [command for file in [*COMMENTED, ROOT / "Makefile"] for command in of_comments(file)]
    found += [command for file in SOURCES for command in of_source(file)]
    return list(dict.fromkeys(command for command in found if command.text.split()[1] != "VERB"))


class Parsed(BaseException):
    """Raised in place of the work, when a verb's own parser has accepted the words."""

    def __init__(self, given: Any) -> None:
        super().__init__()
        self.given = given


def words_of(text: str) -> list[str]:
    """The words behind `bcls`, as a shell would cut them; what follows in a pipe or is redirected is left out."""
    words = shlex.split(text, comments=True)[1:]
    ends = [place for place, word in enumerate(words) if word in {"|", ">", "&&", ";", "&"}]
    return words[: ends[0]] if ends else words


def parsed(words: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any] | int:
    """What the verb's parser made of the words, or the exit code where it did not get there (`--help` has 0)."""
    real = jsonargparse.ArgumentParser.parse_args

    def parse_and_stop(self: Any, *given: Any, **more: Any) -> Any:
        raise Parsed(real(self, *given, **more))

    with monkeypatch.context() as patch:
        patch.setattr(jsonargparse.ArgumentParser, "parse_args", parse_and_stop)
        patch.chdir(ROOT)
        try:
            return main(words)
        except Parsed as stop:
            return dict(vars(stop.given))
