"""A study's table: cells, marks and legend."""

from __future__ import annotations

import math

import pytest

from bcls.evaluation import Difference
from bcls.study.findings import differences_from_baseline, read_findings, study_truth
from bcls.study.table import study_markdown, study_table

LEGEND = "Mean ± standard deviation over seeds; seconds are those of a run's epochs, judging included."


def difference(run: str, metric: str, baseline: float, value: float, adjusted: float) -> Difference:
    return Difference(run, metric, baseline, value, -1.0, 1.0, adjusted / 2, adjusted)


def test_a_case_by_hand(finding):
    findings = [
        finding("triplet", title="a|b", rsum=[300.0, 302.0, 304.0], tau_b=[0.5, 0.5, 0.5], seconds=9.6),
        finding("bcls", rsum=[310.06], seconds=120.0),
    ]
    assert study_markdown(findings, ["rsum", "tau_b"], []).splitlines() == [
        "| | seeds | rsum | tau-b | seconds |",
        "|---|--:|--:|--:|--:|",
        r"| a\|b | 3 | 302.0 ± 2.0 | 0.500 ± 0.000 | 10 |",
        "| bcls | 1 | 310.1 | - | 120 |",
        "",
        LEGEND,
    ]
    lines = study_table(findings, ["rsum", "tau_b"], []).splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["seeds", "rsum", "tau-b", "seconds"],
        ["a|b", "3", "302.0", "±", "2.0", "0.500", "±", "0.000", "10"],
        ["bcls", "1", "310.1", "-", "120"],
    ]
    assert " ".join(lines[4:]) == LEGEND


@pytest.mark.parametrize(
    ("value", "adjusted", "cell"),
    [
        (305.0, 0.049, "305.0 ▲"),
        (295.0, 0.049, "295.0 ▼"),
        (305.0, 0.05, "305.0"),
        (295.0, 0.9, "295.0"),
        (305.0, math.nan, "305.0"),
    ],
)
def test_only_what_is_surely_different_is_marked(value, adjusted, cell, finding):
    findings = [finding("triplet", rsum=[300.0]), finding("bcls", rsum=[value])]
    tested = [difference("bcls", "rsum", 300.0, value, adjusted)]
    lines = study_markdown(findings, ["rsum"], tested).splitlines()
    assert lines[2] == "| triplet | 1 | 300.0 | 5 |"
    assert lines[3] == f"| bcls | 1 | {cell} | 5 |"


def test_a_mark_belongs_to_its_metric_and_its_setting(finding):
    findings = [finding(name, rsum=[300.0], tau_b=[0.5]) for name in ("triplet", "bcls", "third")]
    tested = [difference("third", "tau_b", 0.4, 0.5, 0.01), difference("elsewhere", "rsum", 1.0, 2.0, 0.01)]
    rows = study_markdown(findings, ["rsum", "tau_b"], tested).splitlines()[2:5]
    assert [row.count("▲") for row in rows] == [0, 0, 1]
    assert rows[2] == "| third | 1 | 300.0 | 0.500 ▲ | 5 |"


def test_a_metric_that_one_run_lacks_is_not_known(finding):
    findings = [finding("triplet", rsum=[300.0, 301.0], tau_b=[0.5])]
    assert study_markdown(findings, ["rsum", "tau_b"], []).splitlines()[2] == "| triplet | 2 | 300.5 ± 0.7 | - | 5 |"


def test_the_legend_counts_the_tests(finding):
    findings = [finding("triplet", rsum=[300.0]), finding("bcls", rsum=[301.0])]
    tested = [difference("bcls", metric, 300.0, 301.0, 0.3) for metric in ("rsum", "tau_b", "mrr")]
    assert study_markdown(findings, ["rsum"], tested).endswith("p < 0.05 after Holm's correction over 3 tests.")
    assert "Holm" not in study_markdown(findings, ["rsum"], [])
    wrapped = " ".join(study_table(findings, ["rsum"], tested).splitlines())
    assert "p < 0.05 after Holm's correction over 3 tests." in wrapped


def test_columns_that_do_not_fit_stand_below(finding):
    metrics = [f"{side}/recall@{cutoff}" for side in ("image_to_text", "text_to_image") for cutoff in (1, 5, 10)]
    findings = [finding("x" * 50, **{metric: [10.0 * row, 11.0] for metric in metrics}) for row in (1, 2)]
    lines = study_table(findings, metrics, [difference("x" * 50, metrics[0], 1.0, 2.0, 0.01)]).splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("±" in line for line in lines) > 2
    assert all(f"i2t R@{cutoff}" in " ".join(lines) for cutoff in (1, 5, 10))


def test_the_tables_mark_what_is_surely_better(study, finished):
    findings = read_findings(finished(study()))
    metrics = ["image_to_text/recall@1", "rsum", "tau_b"]
    differences = differences_from_baseline(findings, "triplet", metrics, study_truth(findings), samples=500)
    markdown = study_markdown(findings, metrics, differences).splitlines()
    assert markdown[0] == "| | seeds | i2t R@1 | rsum | tau-b | seconds |"
    assert markdown[2].startswith("| Triplet-SN | 2 | ")
    assert markdown[2].endswith(" | - | 5 |")
    assert ("▲" in markdown[3], "▲" in markdown[2]) == (True, False)
    text = study_table(findings, metrics, differences)
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("▲") == markdown[3].count("▲") + 1
    worse = differences_from_baseline(findings, "bcls", ["rsum"], study_truth(findings), samples=500)
    assert "▼" in study_markdown(findings, ["rsum"], worse).splitlines()[2]
