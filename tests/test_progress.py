"""Progress bars: on a terminal and the first process only."""

from __future__ import annotations

import io

import pytest

from bcls.progress import progress


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
