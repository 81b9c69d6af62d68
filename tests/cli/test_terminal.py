"""What is printed never ends a command, moves a cursor, or breaks JSON, whatever the output can show."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcls.cli import main
from bcls.cli.terminal import VisibleFormatter, one_line, safe_output, visible
from bcls.data import Caption, ImageRecord, RetrievalDataset, write_dataset

ENCODINGS = ["ascii", "latin-1", "cp1252", "utf-8"]
NASTY = "un café \x1b[2J\x9b31m\r日本 😀 \u202e end"
HARMFUL = {"\x1b", "\r", "\x9b", "\u202e", "\x07", "\b"}


def printed(encoding: str, *words: object) -> tuple[int, str]:
    """Exit code and output of a command whose standard output is of an encoding."""
    held = io.BytesIO()
    stream = io.TextIOWrapper(held, encoding=encoding)
    with redirect_stdout(stream):
        code = main([str(word) for word in words])
    stream.flush()
    return code, held.getvalue().decode(encoding)


@pytest.fixture
def said_by(monkeypatch):
    """Make `bcls data` print this."""

    def make(text):
        def run(words):
            print(text)
            return 0

        monkeypatch.setitem(sys.modules, "bcls.cli.data", SimpleNamespace(run=run))

    return make


@given(st.text())
def test_visible_text_holds_no_control_characters_and_else_says_the_same(text):
    shown = visible(text)
    assert all(sign in "\t\n" or ord(sign) >= 32 for sign in shown)
    assert not HARMFUL & set(shown)
    shown.encode("utf-8")
    if text.isprintable():
        assert shown == text
    assert "\n" not in one_line(text)
    assert len(one_line(text).splitlines()) <= 1


def test_joiners_that_scripts_and_emoji_need_stay():
    for text in ("क्‍ष", "👩‍🔬", "می‌خواهم", "\u200fשלום"):
        assert one_line(text) == text


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_stays_json(said_by, encoding):
    found = {"text": NASTY + "\x7f\u2028", "name": "\ud800 half"}
    said_by(json.dumps(found, ensure_ascii=False, indent=2))
    code, out = printed(encoding, "data")
    assert code == 0
    assert json.loads(out) == found
    assert not HARMFUL & set(out)


def test_the_output_is_as_it_was_afterwards():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    with redirect_stdout(stream):
        with safe_output():
            print("é")
            assert sys.stdout.encoding == "ascii"
            sys.stdout.writelines(["a\n", "\x1b\n"])
        assert sys.stdout is stream
    assert stream.errors == "strict"
    stream.flush()
    assert stream.buffer.getvalue() == b"\\u00e9\na\n\\u001b\n"


def test_log_lines_are_visible():
    record = logging.LogRecord("bcls", logging.INFO, "", 0, "broken: %s", ("a\x1b[2J",), None)
    assert VisibleFormatter("%(message)s").format(record) == "broken: a\\u001b[2J"


def test_an_error_is_visible(bcls, tmp_path):
    said = bcls("data", "show", tmp_path / "no \x1b[2J data")
    assert said.code == 2
    assert "\x1b" not in said.err


@pytest.fixture
def nasty(folder) -> Path:
    """The data set, its captions as nobody likes them."""
    images = []
    for number, word in enumerate(["small", "large", "brown", "black"] * 6):
        texts = (f"a {word} dog {NASTY} on grass {number}", f"one {word} dog\nis there")
        captions = tuple(Caption(f"{number}#{row}", text) for row, text in enumerate(texts))
        images.append(ImageRecord(str(number), None, "train" if number < 16 else "val", captions))
    write_dataset(folder, RetrievalDataset("tïny 日本", images))
    return folder


def test_every_verb_that_prints_what_data_hold(bcls, config, nasty, tmp_path):
    runs = [tmp_path / "ëins" / "日本", tmp_path / "zwei" / "日本"]
    for seed, run in enumerate(runs):
        said = bcls("train", "--config", config, "--output", run, "--seed", seed)
        assert said.code == 0, said.err
    assert bcls("embed", runs[0], nasty, tmp_path / "embeddings").code == 0
    assert bcls("index", tmp_path / "embeddings", f"memory:{tmp_path / 'index'}").code == 0
    rows = [f"{number}#0,{(number * 3 + 4) % 16}#0,{1 + number % 4},é日" for number in range(16)]
    ratings = tmp_path / "rätings.csv"
    ratings.write_text("\n".join(["caption_id_1,caption_id_2,score,kind", *rows]) + "\n", encoding="utf-8")
    audit = ("--data", nasty, "--highest", 5, "--group", "kind", "--resamples", 0, "--picture", "none")
    commands = {
        "show": ("data", "show", nasty),
        "check": ("data", "check", nasty),
        "evaluate": ("evaluate", runs[0], "--scorer", "tfidf", "--labels", tmp_path / "labels"),
        "compare": ("compare", *runs, "--scorer", "none", "--samples", 9, "--output", tmp_path / "compared"),
        "search": ("search", "dog", "--index", tmp_path / "index", "--find", "captions"),
        "search for JSON": ("search", "dog", "--index", tmp_path / "index", "--find", "all", "--json"),
        "label audit": ("label", "audit", ratings, *audit, "--scorers", "[tfidf]", "--output", tmp_path / "audit"),
    }
    for name, words in commands.items():
        for encoding in ENCODINGS:
            code, out = printed(encoding, *words)
            assert code == 0, (name, encoding, out)
            assert not HARMFUL & set(out), (name, encoding)
    shown = printed("utf-8", *commands["show"])[1]
    assert "\n    0#0: a small dog un café \\u001b[2J\\u009b31m\\r日本 😀 \\u202e end on grass 0\n" in shown
    assert "\n    0#1: one small dog\\nis there\n" in shown
    assert "caf\\u00e9" in printed("ascii", *commands["show"])[1]
    found = [json.loads(printed(encoding, *commands["search for JSON"])[1]) for encoding in ENCODINGS]
    assert all(one == found[0] for one in found)


@pytest.mark.parametrize("settings", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}])
def test_a_real_process_in_a_poor_terminal(tmp_path, settings):
    name = os.fsdecode(b"caf\xe9.png")  # a file name that is no UTF-8
    (tmp_path / "t.jsonl").write_text(
        json.dumps({"file": name, "caption": NASTY})
        + "\n"
        + json.dumps({"file": "日本.png", "caption": "\ud800"})
        + "\n"
    )
    command = [sys.executable, "-m", "bcls", "data", "check", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=False, env=os.environ | settings)
    assert b"Traceback" not in done.stderr
    assert done.returncode in (1, 2), done.stderr  # there are no such files
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"codec can't" not in done.stderr


@pytest.mark.parametrize("shell", ["{} 2>&1 | true", "{} >&-", "{} >&- 2>&-"])
def test_streams_that_are_closed(tmp_path, shell):
    lines = [json.dumps({"file": f"{number}.png", "caption": "a dog"}) for number in range(3000)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    command = f"{sys.executable} -m bcls data check {tmp_path}"
    done = subprocess.run(shell.format(command), shell=True, capture_output=True, check=False)
    assert b"Traceback" not in done.stderr
    assert b"Error" not in done.stderr


@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_full_disk_is_told(buffered):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "bcls", "--version"]
        environment = os.environ | {"PYTHONUNBUFFERED": buffered}
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, env=environment)
    assert done.returncode == 1
    assert done.stderr == b"bcls: error: standard output: No space left on device\n"
