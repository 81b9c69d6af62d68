"""Tables for people."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import MAIN_METRICS, RetrievalTruth, evaluate_similarity, markdown_table, text_table

METRICS = evaluate_similarity(np.eye(12), RetrievalTruth.from_counts([1] * 12), relevance=np.eye(12))


def test_main_metrics_fit_a_terminal():
    worst = dict.fromkeys(MAIN_METRICS, -0.987) | dict.fromkeys(MAIN_METRICS[:6], 100.0) | {"rsum": 600.0}
    table = text_table({"triplet": worst, "a long name": METRICS})
    lines = table.split("\n")
    assert len(lines) == 4
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == ["R@1", "R@5", "R@10"] * 2 + ["rsum", "ndcg@10", "tau_b"]
    assert lines[2].split() == ["triplet"] + ["100.0"] * 6 + ["600.0", "-0.987", "-0.987"]
    assert len(set(map(len, lines[1:]))) == 1  # columns are flush right


def test_what_does_not_fit_follows_below():
    names = [name for name in METRICS if not name.endswith("queries")]
    table = text_table({"model": METRICS, "n" * 99: {}}, names, width=60)
    parts = table.split("\n\n")
    assert len(parts) > 1
    assert max(len(line) for line in table.split("\n")) <= 60
    assert sum(len(part.split("\n")[-2].split()) - 1 for part in parts) == len(names)
    assert all(part.split("\n")[-1].startswith("n" * 29 + "…") for part in parts)
    assert "100.0" not in parts[0].split("\n")[-1]


def test_one_column_too_wide_stands_alone():
    assert "image_to_text" not in text_table({"m": METRICS}, ["image_to_text/mrr"], width=1)


def test_numbers_are_written_by_their_kind():
    values = {"image_to_text/queries": 1000.0, "mrr": 0.12345, "map@r": 12.345, "tau_b": float("nan")}
    values |= {"graded_pairs": 17466.0, "left_out_captions": 3.0, "ncs@10": 45.678, "semantic_soft_recall@5": 1.234}
    cells = text_table({"m": values}, list(values), width=200).split("\n")[-1].split()
    assert cells == ["m", "1000", "0.123", "12.3", "-", "17466", "3", "45.7", "1.2"]


def test_markdown():
    lines = markdown_table({"a": METRICS, "b": {}}).split("\n")
    assert lines[0].startswith("| | i2t R@1 | i2t R@5 |")
    assert lines[2] == "| a | " + " | ".join(["100.0"] * 6 + ["600.0", "1.000", "1.000"]) + " |"
    assert lines[3].count(" - |") == 9
    assert len({line.replace(r"\|", "").count("|") for line in lines}) == 1


@pytest.mark.parametrize("results", [{}, {"a": {}}])
def test_nothing_to_show_is_said(results):
    with pytest.raises(InputError, match="no result has any of the metrics"):
        text_table(results)
