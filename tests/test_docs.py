"""What the documents show works: Python runs, links and anchors lead somewhere, commands, options and extras exist."""

from __future__ import annotations

import inspect
import re
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import pytest
import yaml

from bcls import losses
from bcls.cli import VERBS
from bcls.cli.arguments import scorer_from
from bcls.evaluation import JUDGED, PROTOCOLS
from bcls.training.config import RunConfig
from doc_commands import PAGES, ROOT, Command, every_command, parsed, words_of

NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
every_page = pytest.mark.parametrize("page", PAGES, ids=NAMES)
BLOCKS = [
    (page.relative_to(ROOT), number, block)
    for page in PAGES
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
]
COMMANDS = every_command()
STANDS_FOR = {"my.yaml": "configs/flickr8k/bcls.yaml"}
"""A config that exists for one that a reader would write."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize(("page", "number", "block"), BLOCKS, ids=[f"{page}-{number}" for page, number, _ in BLOCKS])
def test_python_blocks_run(page, number, block):
    exec(compile(block, f"{page}, block {number}", "exec"), {})


@every_page
def test_indented_python_compiles_and_imports_what_exists(page):
    """Blocks without a fence show parts of a program; names that they import from this package exist."""
    for block in indented_blocks(page.read_text(encoding="utf-8")):
        if not re.match(r"(from|import) bcls|\w+ = \w+\(", block):
            continue
        compile(block, f"{page.name}: {block.splitlines()[0]}", "exec")
        for line in re.findall(r"^(?:from|import) .*$", block, re.MULTILINE):
            exec(line, {})


def indented_blocks(text):
    plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [
        re.sub(r"^ {4}", "", part, flags=re.MULTILINE) for part in re.findall(r"(?:^ {4}.*\n)+", plain, re.MULTILINE)
    ]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = 0
        while (unique := f"{anchor}-{number}" if number else anchor) in found:
            number += 1
        found.add(unique)
    return found


@every_page
def test_links_and_anchors_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)(?: \"[^\"]*\")?\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        leads_to = (page.parent / path).resolve() if path else page
        assert leads_to.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(leads_to), f"{page.name}: {target}; there are: {sorted(anchors(leads_to))}"


@pytest.mark.parametrize("command", COMMANDS, ids=[f"{place}: {text}" for place, text, _ in COMMANDS])
def test_commands_parse(command, monkeypatch, capsys):
    words = [STANDS_FOR.get(word, word) for word in words_of(command.text)]
    given = parsed(words, monkeypatch)
    if isinstance(given, dict):
        check_values(given)
        return
    told = capsys.readouterr()
    if command.whole or command.text.endswith("--help"):
        assert given == 0, told.err
    elif given != 0:  # a mention may lack arguments, or its action
        assert not told.err or re.search(r"required|expected one argument", told.err), told.err
        assert words_of(command.text)[0] in VERBS


def check_values(given):
    """Names that a parser takes as text, and that the verb looks up afterwards."""
    for scorer in [given.get("scorer"), *(given.get("scorers") or [])]:
        if isinstance(scorer, str) and scorer not in {"SCORER", "X"}:
            scorer_from(scorer)
    if isinstance(given.get("protocol"), str) and given["protocol"] != "X":
        assert given["protocol"] in {*PROTOCOLS, *JUDGED}


def test_commands_are_found_and_wrong_ones_do_not_parse(monkeypatch, capsys):
    """The checks above see something: commands of every verb, and none of these passes."""
    shown = {words_of(command.text)[0] for command in COMMANDS}
    assert shown >= set(VERBS)
    assert sum(command.whole for command in COMMANDS) > 60
    assert {Path(command.place).parts[0] for command in COMMANDS} >= {"README.md", "docs", "configs", "src", "examples"}
    for wrong in (
        "bcls evaluate RUN --splot val",
        "bcls train --config configs/flickr8k/nothing.yaml",
        "bcls train --config configs/flickr8k/bcls.yaml --loss.no_such_field 1",
        "bcls train --config configs/flickr8k/bcls.yaml --optimization.epochs many",
        "bcls data chek DATA",
        "bcls judge RUN",
    ):
        assert parsed(words_of(Command("", wrong, whole=True).text), monkeypatch) == 2, wrong
        assert "error" in capsys.readouterr().err


def field_names() -> set[str]:
    """Every dotted name of a run's config: fields of the dataclasses, and the settings of any loss."""
    names = set()
    for section, kind in get_type_hints(RunConfig).items():
        names.add(section)
        if is_dataclass(kind):
            names |= {f"{section}.{field.name}" for field in fields(kind)}
    for name in losses.__all__:
        made = getattr(losses, name)
        if inspect.isclass(made) and issubclass(made, losses.RetrievalLoss):
            names |= {f"loss.{setting}" for setting in inspect.signature(made).parameters}
    return names


@every_page
def test_settings_of_a_run_exist(page):
    sections = "|".join(name for name in get_type_hints(RunConfig) if name not in ("model", "data"))
    code = re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))
    for text in code:
        for name in re.findall(rf"(?<![\w./])((?:{sections})\.[a-z_]+)(?![\w./(])", text):
            assert name in field_names(), f"{page.name}: {name}"


@every_page
def test_yaml_blocks_can_be_read(page):
    for block in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        assert isinstance(yaml.safe_load(block), dict), block


@every_page
def test_scripts_targets_and_extras_exist(page):
    text = page.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|^ {4})make ([a-z-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page.name}: make {target}"
    for script in re.findall(r"python ((?:benchmarks|examples)[\w/.-]*)", text):
        assert (ROOT / script.rstrip(".")).exists(), f"{page.name}: {script}"
    for extras in re.findall(r"(?:bcls|-e '?\.)\[([a-z, -]+)\]", text):
        for extra in re.split(", *", extras):
            assert extra in PROJECT["optional-dependencies"], f"{page.name}: the extra {extra}"
