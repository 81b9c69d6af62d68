"""A study: many runs of one question, resumable run by run, and one answer."""

from __future__ import annotations

from bcls.study.conduct import StudyResult, conduct_study
from bcls.study.config import Pareto, StudyConfig, Sweep, Variant, parse_study, study_parser
from bcls.study.table import study_markdown, study_table

__all__ = [
    "Pareto",
    "StudyConfig",
    "StudyResult",
    "Sweep",
    "Variant",
    "conduct_study",
    "parse_study",
    "study_markdown",
    "study_parser",
    "study_table",
]
