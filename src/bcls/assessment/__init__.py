"""Evaluating, comparing and checking saved models on data sets; Lightning is not needed."""

from __future__ import annotations

from bcls.assessment.comparing import EvaluatedModels, ModelOnData, evaluate_models, evaluate_similarities
from bcls.assessment.comparison_report import comparison_report
from bcls.assessment.evaluating import FirstStage, OtherModel, evaluate_model
from bcls.assessment.exported import evaluate_exported
from bcls.assessment.split_evaluator import SplitEvaluator

__all__ = [
    "EvaluatedModels",
    "FirstStage",
    "ModelOnData",
    "OtherModel",
    "SplitEvaluator",
    "comparison_report",
    "evaluate_exported",
    "evaluate_model",
    "evaluate_models",
    "evaluate_similarities",
]
