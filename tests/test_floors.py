"""The floors of the house: who imports whom."""

from __future__ import annotations

from importlinter import cli


def test_every_room_imports_only_from_floors_below():
    assert cli.lint_imports(cache_dir=None) == 0
