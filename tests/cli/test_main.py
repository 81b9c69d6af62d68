"""The dispatcher: verbs, exit codes, one clear line for an error."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

import bcls as package
from bcls.cli import VERBS
from bcls.errors import BCLSError, InputError


@pytest.fixture
def verb(monkeypatch):
    """Make `bcls data` do this."""

    def make(action):
        monkeypatch.setitem(sys.modules, "bcls.cli.data", SimpleNamespace(run=action))

    return make


def _raises(error):
    def run(words):
        raise error

    return run


def test_help_names_every_verb_with_an_example(bcls):
    said = bcls("--help")
    assert said.code == 0
    assert all(name in said.out for name in VERBS)
    assert "example:" in said.out
    assert max(len(line) for line in said.out.splitlines()) <= 80


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help_with_an_example(bcls, name):
    said = bcls(name, "--help")
    assert said.code == 0
    assert "example:" in said.out


def test_nothing_asked_is_help_and_a_wrong_command(bcls):
    said = bcls()
    assert (said.code, "verbs:" in said.out) == (2, True)


def test_version(bcls):
    assert bcls("--version").out == f"bcls {package.__version__}\n"


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["--version"]])
def test_a_reader_that_goes_away_is_no_error(words):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        done = subprocess.run([sys.executable, "-m", "bcls", *words], stdout=gone, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_file_that_cannot_be_used_is_named(bcls, verb):
    verb(_raises(PermissionError(13, "Permission denied", "there/result.json")))
    said = bcls("data")
    assert (said.code, said.err) == (2, "bcls: error: there/result.json: Permission denied\n")


def test_an_unknown_verb_is_told_those_there_are(bcls):
    said = bcls("trian")
    assert said.code == 2
    assert said.err.startswith("bcls: error: no verb 'trian'; there are: demo, data")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("x.json: line 3: no id"), 2, "bcls: error: x.json: line 3: no id\n"),
        (BCLSError("out of luck"), 1, "bcls: error: out of luck\n"),
        (RuntimeError("surprise"), 1, "bcls: error: RuntimeError: surprise (--debug shows where)\n"),
        (KeyboardInterrupt(), 130, "bcls: interrupted\n"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(bcls, verb, error, code, line):
    verb(_raises(error))
    said = bcls("data")
    assert (said.code, said.err) == (code, line)


@pytest.mark.parametrize("error", [InputError("wrong"), RuntimeError("surprise")])
@pytest.mark.parametrize("place", [("--debug", "data"), ("data", "--debug")])
def test_debug_lets_the_traceback_out(bcls, verb, error, place):
    verb(_raises(error))
    with pytest.raises(type(error)):
        bcls(*place)


def test_the_verb_gets_its_words_and_gives_the_code(bcls, verb):
    seen = []

    def run(words):
        seen.extend(words)
        return 3

    verb(run)
    assert bcls("data", "check", "--quiet", "here").code == 3
    assert seen == ["check", "here"]
