"""A study's findings as one table: mean, spread over seeds, and what differs from the baseline."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from bcls.evaluation import Difference
from bcls.evaluation.difference_table import MISSING, written
from bcls.evaluation.table import text_columns
from bcls.study.findings import Finding
from bcls.study.pictures import metric_title

SIGNIFICANT = 0.05
UP, DOWN, LEVEL = "▲", "▼", " "


def study_table(findings: Sequence[Finding], metrics: Sequence[str], differences: Sequence[Difference]) -> str:
    """The table for a terminal, 80 columns wide: blocks of columns below each other."""
    columns = _columns(findings, metrics, differences)
    titles = [finding.setting.title for finding in findings]
    legend = [part for line in _legend(differences) for part in textwrap.wrap(line, 80)]
    return "\n".join([text_columns(titles, columns), "", *legend])


def study_markdown(findings: Sequence[Finding], metrics: Sequence[str], differences: Sequence[Difference]) -> str:
    """The same as a Markdown table."""
    columns = _columns(findings, metrics, differences)
    lines = [f"| | {' | '.join(column[0] for column in columns)} |", "|---|" + "--:|" * len(columns)]
    for row, finding in enumerate(findings, start=1):
        title = finding.setting.title.replace("|", r"\|")
        lines.append(f"| {title} | {' | '.join(column[row].strip() for column in columns)} |")
    return "\n".join([*lines, "", *_legend(differences)])


def _columns(findings: Sequence[Finding], metrics: Sequence[str], differences: Sequence[Difference]) -> list[list[str]]:
    """Head and cells of each column."""
    tested = {(one.run, one.metric): one for one in differences}
    columns = [["seeds", *(str(len(finding.runs)) for finding in findings)]]
    for metric in metrics:
        marks = [_mark(tested.get((finding.setting.name, metric))) for finding in findings]
        cells = [_cell(finding, metric) for finding in findings]
        if any(mark != LEVEL for mark in marks):
            cells = [f"{cell} {mark}" for cell, mark in zip(cells, marks, strict=True)]
        columns.append([metric_title(metric), *cells])
    return [*columns, ["seconds", *(f"{finding.seconds:.0f}" for finding in findings)]]


def _cell(finding: Finding, metric: str) -> str:
    mean, deviation = finding.mean(metric), finding.deviation(metric)
    if math.isnan(mean):
        return MISSING
    return written(metric, mean) if math.isnan(deviation) else f"{written(metric, mean)} ± {written(metric, deviation)}"


def _mark(difference: Difference | None) -> str:
    """Whether a setting is surely above or below the baseline."""
    if difference is None or not difference.adjusted < SIGNIFICANT:
        return LEVEL
    return UP if difference.difference > 0 else DOWN


def _legend(differences: Sequence[Difference]) -> list[str]:
    lines = ["Mean ± standard deviation over seeds; seconds are those of a run's epochs, judging included."]
    if differences:
        lines.append(
            f"{UP} {DOWN} above or below the baseline: paired bootstrap over images, queries' means over seeds, "
            f"p < {SIGNIFICANT} after Holm's correction over {len(differences)} tests."
        )
    return lines
