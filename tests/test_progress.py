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
