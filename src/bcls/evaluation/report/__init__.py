"""A self-contained HTML page that compares trained models; it takes plain data and knows nothing of models."""

from __future__ import annotations

from bcls.evaluation.report.contents import (
    Bars,
    ChangedQuery,
    Changes,
    Curve,
    GalleryQuery,
    RankedItem,
    Report,
    Table,
)
from bcls.evaluation.report.page import report_page, write_report

__all__ = [
    "Bars",
    "ChangedQuery",
    "Changes",
    "Curve",
    "GalleryQuery",
    "RankedItem",
    "Report",
    "Table",
    "report_page",
    "write_report",
]
