"""Protocols with judgements of their own: more positives than a data set's pairs, ratings, grades, labels."""

from __future__ import annotations

from bcls.evaluation.judged.registry import JUDGED, JudgedProtocol, find_judged, judge
from bcls.evaluation.judged.task import Task

__all__ = ["JUDGED", "JudgedProtocol", "Task", "find_judged", "judge"]
