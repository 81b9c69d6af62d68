"""Several results side by side, for a terminal and for Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from bcls.errors import InputError

MAIN_METRICS = (
    "image_to_text/recall@1",
    "image_to_text/recall@5",
    "image_to_text/recall@10",
    "text_to_image/recall@1",
    "text_to_image/recall@5",
    "text_to_image/recall@10",
    "rsum",
    "ndcg@10",
    "tau_b",
)
"""What a table shows unless told otherwise; those that no result has are left out."""

MISSING = "-"
_GAP = "  "
_SHORT = {"image_to_text": "i2t", "text_to_image": "t2i"}
_TENTHS = ("recall@", "rsum", "map@r", "r_precision", "median_rank", "mean_rank", "spearman", "ncs@", "pmrp")
_WHOLE = ("queries", "pairs", "left_out_captions")


def text_table(
    results: Mapping[str, Mapping[str, float]], metrics: Sequence[str] | None = None, width: int = 80
) -> str:
    """A table in plain text that fits the width: where the columns do not, more tables follow below.

    Args:
        results: metrics by name of the result.
        metrics: which to show, in this order; None for `MAIN_METRICS`.
        width: characters in a line.

    Returns:
        Lines without trailing spaces; `i2t` is image to text, `t2i` text to image; a value that is missing or not
        defined is a dash.

    Raises:
        InputError: there is no result, or none has any of the metrics.

    Example:
        >>> print(text_table({"a": {"rsum": 512.44, "tau_b": 0.5}, "b": {"rsum": 498.0}}))
            rsum  tau_b
        a  512.4  0.500
        b  498.0      -
    """
    shown = _shown(results, metrics)
    return text_columns(list(results), [_column(results, metric) for metric in shown], width)


def text_columns(names: Sequence[str], columns: Sequence[Sequence[str]], width: int = 80) -> str:
    r"""Cells beside the names of their rows; where the columns do not fit the width, more tables follow below.

    Args:
        names: of the rows; shortened to half the width.
        columns: each a head, of up to two lines, and one cell a row.
        width: characters in a line.

    Returns:
        Lines without trailing spaces, cells at the right of their columns.

    Example:
        >>> print(text_columns(["a", "b"], [["i2t\nR@1", "41.2", "7.0"]]))
            i2t
            R@1
        a  41.2
        b   7.0
    """
    widths = [max(len(line) for cell in column for line in cell.split("\n")) for column in columns]
    names = [_shortened(name, width // 2) for name in names]
    name_width = max(map(len, names))
    tables = []
    while columns:
        count = _fitting(widths, width - name_width)
        tables.append(_lines(names, name_width, columns[:count], widths[:count]))
        columns, widths = columns[count:], widths[count:]
    return "\n\n".join(tables)


def markdown_table(results: Mapping[str, Mapping[str, float]], metrics: Sequence[str] | None = None) -> str:
    r"""The same as one Markdown table.

    Args:
        results: metrics by name of the result.
        metrics: which to show, in this order; None for `MAIN_METRICS`.

    Example:
        >>> print(markdown_table({"a|b": {"image_to_text/recall@1": 41.25, "rsum": 400.0}}))
        | | i2t R@1 | rsum |
        |---|---:|---:|
        | a\|b | 41.2 | 400.0 |
    """
    shown = _shown(results, metrics)
    columns = [_column(results, metric) for metric in shown]
    head = " | ".join(column[0].replace("\n", " ") for column in columns)
    lines = [f"| | {head} |", "|---|" + "---:|" * len(columns)]
    for row, name in enumerate(results, start=1):
        escaped = name.replace("|", r"\|")
        lines.append(f"| {escaped} | " + " | ".join(column[row] for column in columns) + " |")
    return "\n".join(lines)


def _shown(results: Mapping[str, Mapping[str, float]], metrics: Sequence[str] | None) -> list[str]:
    wanted = MAIN_METRICS if metrics is None else metrics
    shown = [metric for metric in wanted if any(metric in values for values in results.values())]
    if not shown:
        raise InputError(f"no result has any of the metrics {', '.join(wanted)}")
    return shown


def _column(results: Mapping[str, Mapping[str, float]], metric: str) -> list[str]:
    """Head and cells of a column."""
    direction, _, name = metric.rpartition("/")
    name = name.replace("recall@", "R@")
    head = f"{_SHORT.get(direction, direction)}\n{name}" if direction else name
    return [head, *(_number(metric, values.get(metric, math.nan)) for values in results.values())]


def _number(metric: str, value: float) -> str:
    if math.isnan(value):
        return MISSING
    name = metric.rpartition("/")[2]
    if name.endswith(_WHOLE):
        return f"{value:.0f}"
    return f"{value:.1f}" if any(word in name for word in _TENTHS) else f"{value:.3f}"


def _shortened(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 1] + "…"


def _fitting(widths: list[int], room: int) -> int:
    """How many columns fit; at least one."""
    count, used = 0, 0
    for width in widths:
        used += len(_GAP) + width
        if used > room:
            break
        count += 1
    return max(count, 1)


def _lines(names: Sequence[str], name_width: int, columns: Sequence[Sequence[str]], widths: list[int]) -> str:
    heads = [column[0].split("\n") for column in columns]
    top = [head[0] if len(head) > 1 else "" for head in heads]
    rows = [("", top)] if any(top) else []
    rows.append(("", [head[-1] for head in heads]))
    rows += [(name, [column[row] for column in columns]) for row, name in enumerate(names, start=1)]
    lines = []
    for name, cells in rows:
        padded = [_GAP + cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
        lines.append((name.ljust(name_width) + "".join(padded)).rstrip())
    return "\n".join(lines)
