"""The card of a finished run, its metrics with their uncertainty."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bcls.assessment.comparing import ModelOnData, evaluate_models
from bcls.errors import InputError
from bcls.evaluation import compare
from bcls.files import read_yaml
from bcls.models import ModelCard, card_of_run
from bcls.relevance import Scorer
from bcls.training.run_folder import RunFolder


def published_card(run: str | Path, *, scorer: Scorer | None = None, scene_truth: bool = False) -> ModelCard:
    """Judge a run's model on its validation split again, query by query, and put the intervals into its card.

    The intervals are those of `bcls compare`: images are drawn with replacement, each with its captions.

    Args:
        run: the folder of a finished run.
        scorer: continuous labels for the graded metrics; None = only binary metrics have intervals.
        scene_truth: judge by the true relevance of made scenes instead.

    Raises:
        InputError: no finished run is there, or its data are gone.

    Cost: one pass of the model over the split, and a second or so for 10,000 draws.
    """
    run = Path(run)
    card_of_run(run)  # refuses what is no finished run
    config = read_yaml(run / "config.yaml")
    data = config["data"]
    judged = evaluate_models(
        {"model": ModelOnData(run / "model", data["path"], data["features"])},
        data["validation_split"],
        scorer=scorer,
        scene_truth=scene_truth,
        labels_folder=RunFolder(run).labels((config.get("labels") or {}).get("folder")),
        fit_split=data["train_split"],
    )
    results = judged.results["model"]
    nothing = {name: _nothing(name, values) for name, values in results.items()}
    found = compare({"nothing": nothing, "model": results}, judged.truth)
    intervals = {one.metric: (one.low, one.high) for one in found if np.isfinite([one.low, one.high]).all()}
    if not intervals:
        raise InputError(f"{run}: no metric of the validation split has a value")
    return card_of_run(run, intervals)


def _nothing(name: str, values: np.ndarray) -> np.ndarray:
    """The results of a model that finds nothing: the difference from it is the value itself."""
    worst = np.inf if name.endswith("/rank") else 0.0
    return np.where(np.isnan(values), np.nan, worst)
