"""Puts a report together as one HTML file that needs nothing else."""

from __future__ import annotations

import math
from html import escape
from importlib import resources
from pathlib import Path

from bcls.evaluation.report.bars import bars_figure
from bcls.evaluation.report.changes import changes_section
from bcls.evaluation.report.contents import Report, Table
from bcls.evaluation.report.curves import curve_figure
from bcls.evaluation.report.differences import differences_section
from bcls.evaluation.report.gallery import gallery_section
from bcls.evaluation.report.numbers import number, run_class
from bcls.evaluation.report.pictures import Pictures
from bcls.files import write_text


def write_report(path: str | Path, report: Report) -> Path:
    """Write a report as one self-contained HTML file: no network, no scripts or fonts from elsewhere.

    Args:
        path: the file to write or replace.
        report: what to show; empty parts are left out, and an image that cannot be read is named.

    Returns:
        The file.

    Example:
        >>> import tempfile
        >>> from bcls.evaluation.report import Report
        >>> file = write_report(Path(tempfile.mkdtemp()) / "report.html", Report("Three losses"))
        >>> "<h1>Three losses</h1>" in file.read_text()
        True
    """
    write_text(path, report_page(report))
    return Path(path)


def report_page(report: Report) -> str:
    """The page as text."""
    pictures = Pictures()
    parts = [f"<p>{escape(paragraph)}</p>" for paragraph in report.summary]
    parts += [_table(table) for table in report.tables]
    if report.differences:
        parts.append(differences_section(report.differences))
    charts = "".join(bars_figure(bars) for bars in report.bars)
    if charts:
        parts.append(f'<section><h2>Side by side</h2><div class="charts">{charts}</div></section>')
    lines = "".join(curve_figure(curve) for curve in report.curves)
    if lines:
        parts.append(f'<section><h2>While training</h2><div class="charts">{lines}</div></section>')
    if report.gallery:
        parts.append(gallery_section(list(report.gallery), pictures))
    if report.changes is not None:
        parts.append(changes_section(report.changes, pictures))
    if report.provenance:
        facts = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in report.provenance.items())
        parts.append(f"<section><h2>How this was made</h2><dl>{facts}</dl></section>")
    more = report.differences or report.changes is not None
    style = _file("style.css") + (_file("changes.css") if more else "")
    script = _file("script.js") + (_file("changes.js") if report.changes is not None and report.changes.queries else "")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.title)}</title>"
        '<link rel="icon" href="data:,">'
        f"<style>\n{style}\n{pictures.rules()}\n</style></head>"
        f'<body><header><h1>{escape(report.title)}</h1><button type="button" id="theme" hidden>Dark</button></header>'
        f"<main>{''.join(parts)}</main><script>\n{script}\n</script></body></html>\n"
    )


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _table(table: Table) -> str:
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    best = [_best(table, place) for place in range(len(table.columns))]
    rows = "".join(
        f'<tr><th scope="row"><span class="dot {run_class(number_of)}" aria-hidden="true"></span>{escape(name)}</th>'
        + "".join(
            f'<td class="{"best" if value == best[place] else ""}">{_cell(value, table.columns[place])}</td>'
            for place, value in enumerate(values)
        )
        + "</tr>"
        for number_of, (name, values) in enumerate(table.rows.items())
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<section><h2>{escape(table.title)}</h2><div class="wide" tabindex="0" role="region" '
        f'aria-label="{escape(table.title)}"><table><thead><tr><th scope="col">model</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{note}</section>"
    )


def _best(table: Table, place: int) -> float | None:
    known = [values[place] for values in table.rows.values() if math.isfinite(values[place])]
    if len(known) < 2:
        return None
    return min(known) if table.columns[place] in table.lower_is_better else max(known)


def _cell(value: float, column: str) -> str:
    return number(value, 1 if "R@" in column or column == "rsum" else 3)
