"""A setting out of range is refused by name, by every class and by every function."""

from __future__ import annotations

import math

import pytest
import torch

from bcls import losses
from bcls.errors import InputError

BINARY = ("triplet_loss", "infonce_loss", "sigmoid_loss", "selectively_hard_loss")
CASES = [
    ("TripletLoss", "triplet_loss", "margin", (-0.1, math.nan, math.inf)),
    ("TripletLoss", "triplet_loss", "temperature", (0.0, -1.0, math.nan, math.inf)),
    ("TripletLoss", "triplet_loss", "negatives", ("softest",)),
    ("KendallLoss", "kendall_loss", "gap", (-0.1, 1.0, math.nan)),
    ("KendallLoss", "kendall_loss", "margin", (-0.1, math.nan, math.inf)),
    ("KendallLoss", "kendall_loss", "pairs", ("some",)),
    ("KendallLoss", "kendall_loss", "window", (0, -1, 0.0, 1.5, math.nan)),
    ("KendallLoss", "kendall_loss", "engine", ("fastest",)),
    ("InfoNCELoss", "infonce_loss", "temperature", (0.0, -1.0, math.nan)),
    ("SigmoidLoss", "sigmoid_loss", "scale", (0.0, -1.0, math.nan)),
    ("CoSENTLoss", "cosent_loss", "scale", (0.0, math.nan)),
    ("CoSENTLoss", "cosent_loss", "within", ("epoch",)),
    ("LanguageMarginLoss", "language_margin_loss", "margin", (-0.1, math.nan)),
    ("LanguageMarginLoss", "language_margin_loss", "threshold", (-0.1, 1.0, math.nan)),
    ("LanguageMarginLoss", "language_margin_loss", "temperature", (0.0, math.nan)),
    ("LogRatioLoss", "log_ratio_loss", "epsilon", (0.0, math.nan)),
    ("SelectivelyHardLoss", "selectively_hard_loss", "margin", (-0.1, math.nan)),
    ("SelectivelyHardLoss", "selectively_hard_loss", "tolerance", (-0.1, math.nan)),
    ("SemanticMarginLoss", "semantic_margin_loss", "divisor", (0.5, math.nan)),
    ("SemanticMarginLoss", "semantic_margin_loss", "sampling", ("none",)),
    ("SmoothNDCGLoss", "smooth_ndcg_loss", "temperature", (0.0, math.nan)),
    ("SoftContrastLoss", "soft_contrast_loss", "temperature", (0.0, math.nan)),
    ("SoftContrastLoss", "soft_contrast_loss", "label_temperature", (0.0, math.nan)),
    ("LadderLoss", "ladder_loss", "threshold", (-0.1, 1.1, math.nan)),
    ("LadderLoss", "ladder_loss", "margin", (-0.1, math.nan)),
]
WEIGHTS = [
    ("BCLSLoss", "kendall_weight"),
    ("SemanticMarginLoss", "weight"),
    ("SmoothNDCGLoss", "weight"),
    ("SoftContrastLoss", "weight"),
]
OTHER_NAME = {("SigmoidLoss", "scale"): "initial_scale"}
RUNGS = {"threshold": "thresholds", "margin": "margins"}


@pytest.mark.parametrize(
    ("function", "setting", "value"), [(function, setting, v) for _, function, setting, all_ in CASES for v in all_]
)
def test_functions_refuse(function, setting, value):
    similarity = torch.rand(4, 4)
    labels = () if function in BINARY else (torch.rand(4, 4),)
    with pytest.raises(InputError, match=f"^{setting} is "):
        getattr(losses, function)(similarity, *labels, **{setting: value})


@pytest.mark.parametrize(
    ("name", "setting", "value"), [(name, setting, v) for name, _, setting, all_ in CASES for v in all_]
)
def test_classes_refuse(name, setting, value):
    given = {RUNGS[setting]: (value,)} if name == "LadderLoss" else {OTHER_NAME.get((name, setting), setting): value}
    with pytest.raises(InputError, match=f"{setting} is "):
        getattr(losses, name)(**given)


@pytest.mark.parametrize(("name", "setting"), WEIGHTS)
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_weights(name, setting, value):
    with pytest.raises(InputError, match=f"^{setting} is "):
        getattr(losses, name)(**{setting: value})
