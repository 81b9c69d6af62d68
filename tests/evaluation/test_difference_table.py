"""Differences for a terminal."""

from __future__ import annotations

import math

import pytest

from bcls.errors import InputError
from bcls.evaluation import MAIN_METRICS, Difference, difference_table

NAN = math.nan


def test_it_fits_a_terminal_whatever_the_names_and_numbers():
    rows = [
        Difference(run * 50, metric, 600.0, 100.0, -512.3, -487.9, 0.00002, 0.0002)
        for run in ("b", "c")
        for metric in MAIN_METRICS
    ]
    blocks = difference_table("a" * 99, rows).split("\n\n")
    assert len(blocks) == 2
    assert max(len(line) for block in blocks for line in block.split("\n")) <= 80
    assert blocks[1].startswith("…ccc")


def test_the_interval_is_called_by_its_confidence():
    lines = difference_table("a", [Difference("b", "rsum", 300.0, 302.0, 1.0, 3.0, 0.01, 0.01, confidence=0.9)])
    assert "  90 % interval  " in lines.split("\n")[1]


def test_signs_stars_and_dashes():
    lines = difference_table(
        "a",
        [
            Difference("b", "tau_b", 0.5, 0.5004, -0.0001, 0.0009, 0.2, 0.4),
            Difference("b", "rsum", 300.0, 298.0, -3.0, -1.0, 0.01, 0.04),
            Difference("b", "image_to_text/mrr", NAN, NAN, NAN, NAN, NAN, NAN),
        ],
    ).split("\n")
    assert lines[2].split() == ["tau_b", "0.500", "0.500", "0.000", "0.000", "..", "+0.001", "0.200", "0.400"]
    assert lines[3].split() == ["rsum", "300.0", "298.0", "-2.0", "-3.0", "..", "-1.0", "0.010", "0.040", "*"]
    assert lines[4].split() == ["i2t", "mrr", "-", "-", "-", "-", "-", "-"]


def test_nothing_to_show_is_said():
    with pytest.raises(InputError, match="no difference to show"):
        difference_table("a", [])
