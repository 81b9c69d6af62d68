"""Progress: a bar on a terminal, lines in a log, and only on the first process."""

from __future__ import annotations

import io
import logging
import time

import pytest

from bcls.progress import Progress, counted, progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("terminal", "rank", "shown"), [(True, "0", True), (True, "1", False), (False, "0", False)])
def test_where_a_bar_is_shown(monkeypatch, terminal, rank, shown):
    stream = _Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("RANK", rank)
    assert list(progress(range(3), "counting", unit="thing")) == [0, 1, 2]
    assert ("counting" in stream.getvalue()) == shown


def test_a_name_from_a_data_set_moves_no_cursor_and_ends_nothing(monkeypatch):
    class Poor(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    held = io.BytesIO()
    monkeypatch.setattr("sys.stderr", Poor(held, encoding="ascii", errors="backslashreplace"))
    monkeypatch.setenv("RANK", "0")
    assert list(progress(range(3), "checking caf\u00e9 \x1b[2J\x07\ud800")) == [0, 1, 2]
    assert b"checking caf\\xe9  [2J" in held.getvalue()
    assert b"\x1b[2J" not in held.getvalue()
    assert b"\x07" not in held.getvalue()


def test_there_may_be_no_standard_error(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    assert list(progress(range(3), "counting")) == [0, 1, 2]


class _Clock:
    """Seconds that pass only when they are told to."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr("bcls.progress.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.delenv("RANK", raising=False)
    return _Clock(monkeypatch)


def test_a_log_gets_a_line_now_and_then(clock, caplog):
    with caplog.at_level(logging.INFO, "bcls"), Progress("encoding captions", 20_000, "caption") as shown:
        for _ in range(100):
            clock.now += 1
            shown.advance(200)
    assert caplog.messages == [
        "encoding captions: 10% (2,000 of 20,000 captions), 200 a second, 2 min left",
        "encoding captions: 40% (8,000 of 20,000 captions), 200 a second, 60 s left",
        "encoding captions: 70% (14,000 of 20,000 captions), 200 a second, 30 s left",
        "encoding captions: 100% (20,000 of 20,000 captions), 200 a second, 0 s left",
        "encoding captions: done after 2 min",
    ]


def test_what_was_done_before_counts_for_the_share_alone(clock, caplog):
    with caplog.at_level(logging.INFO, "bcls"), Progress("encoding", 1000, "caption", done=900) as shown:
        clock.now += 20
        shown.advance(10)
    assert caplog.messages[0] == "encoding: 91% (910 of 1,000 captions), 30.0 a minute, 3 min left"


@pytest.mark.parametrize(("seconds", "rank"), [(9.0, "0"), (100.0, "1")])
def test_short_work_and_other_processes_say_nothing(clock, caplog, monkeypatch, seconds, rank):
    monkeypatch.setenv("RANK", rank)
    with caplog.at_level(logging.INFO, "bcls"):
        for _ in progress(range(3), "counting"):
            clock.now += seconds / 3
    assert caplog.messages == []


def test_an_unknown_number_has_no_share(clock, caplog):
    with caplog.at_level(logging.INFO, "bcls"):
        for _ in progress(iter(range(3)), "reading", unit="shard"):
            clock.now += 6
    assert caplog.messages[0] == "reading: 2 shards, 10.0 a minute"


@pytest.mark.parametrize(("number", "text"), [(0, "0 images"), (1, "1 image"), (1234, "1,234 images")])
def test_plurals(number, text):
    assert counted(number, "image") == text


def test_a_unit_that_takes_long_is_no_silence(monkeypatch, caplog):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setattr("bcls.progress.FIRST_LINE", 0.05)
    with caplog.at_level(logging.INFO, "bcls"), Progress("encoding", 4, "caption"):
        deadline = time.monotonic() + 20
        while not caplog.messages and time.monotonic() < deadline:
            time.sleep(0.01)
    assert caplog.messages[0] == "encoding: 0% (0 of 4 captions), 0 s so far"
