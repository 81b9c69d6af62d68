"""A study of a data set that a model can learn in a second, and findings that nobody had to train for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from bcls.data import read_dataset
from bcls.evaluation import RetrievalTruth, per_query_similarity, summarise, write_queries, write_result
from bcls.files import write_json
from bcls.study import StudyConfig, parse_study, study_parser
from bcls.study.findings import Finding, FinishedRun
from bcls.study.plan import Setting, StudyPlan, plan_study
from bcls.training.run_folder import RunFolder
from tiny_runs import tiny_data

__all__ = ["tiny_data"]

SKILL = {"triplet": 0.3, "bcls": 0.6}


@pytest.fixture
def base(tiny_data: Path, tmp_path: Path) -> Path:
    """The YAML file of the run that a study's runs have in common."""
    file = tmp_path / "base.yaml"
    content = {
        "output": "unused",
        "data": {"path": str(tiny_data), "features": "vectors"},
        "labels": {"scorer": "TfidfScorer"},
        "model": {
            "image_tower": {"class_path": "PooledFeatureTower", "init_args": {"dim": 16}},
            "caption_tower": {"class_path": "BagOfWordsTower", "init_args": {"dim": 16, "minimum_count": 1}},
        },
        "loss": "BCLSLoss",
        "optimization": {"epochs": 2, "batch_size": 16, "learning_rate": 0.01, "accelerator": "cpu"},
        "validation": {"scorer": "CiderScorer"},
    }
    file.write_text(yaml.safe_dump(content))
    return file


@pytest.fixture
def study_file(base: Path, tmp_path: Path) -> Callable[..., Path]:
    """`study_file(seeds=[0])`: the YAML file of a study of two losses; further fields replace its own."""

    def make(**fields: Any) -> Path:
        content = {
            "base": [str(base)],
            "output": str(tmp_path / "study"),
            "seeds": [0, 1],
            "baseline": "triplet",
            "variants": {
                "triplet": {"title": "Triplet-SN", "set": {"loss": "TripletLoss"}},
                "bcls": {"title": "BCLS", "set": {"loss.gap": 0.1}},
            },
        }
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump({**content, **fields}, sort_keys=False))
        return file

    return make


@pytest.fixture
def study(study_file: Callable[..., Path]) -> Callable[..., StudyConfig]:
    """`study(seeds=[0])`: the same, read."""

    def make(**fields: Any) -> StudyConfig:
        return parse_study(study_parser("bcls study", ""), ["--config", str(study_file(**fields))])[0]

    return make


@pytest.fixture
def finished(tiny_data: Path) -> Callable[..., StudyPlan]:
    """`finished(study)`: its plan, each run ended with made-up similarities; BCLS is better."""
    part = read_dataset(tiny_data).split("val")
    truth = RetrievalTruth(part.caption_image, len(part.images))

    def make(study) -> StudyPlan:
        plan = plan_study(study)
        for number, run in enumerate(plan.distinct()):
            config = yaml.safe_load(run.text)
            variant = "triplet" if config["loss"]["class_path"].endswith("TripletLoss") else "bcls"
            similarity = np.random.default_rng(number).random((len(part.images), len(part.caption_texts)))
            own = part.caption_image[None, :] == np.arange(len(part.images))[:, None]
            _end(run.folder, per_query_similarity(similarity + SKILL[variant] * own, truth), truth)
            run.folder.config.write_text(run.text)
        return plan

    return make


def _end(folder: RunFolder, queries, truth: RetrievalTruth) -> None:
    write_queries(folder.queries, queries)
    write_result(folder.result, summarise(queries, truth), {"best_epoch": 1, "first_epoch": 1})
    write_json(folder.provenance, {"commit": "c", "data": {"dataset": "x"}})
    folder.history.write_text("epoch,step,seconds\n0,1,2.0\n1,2,3.0\n")


@pytest.fixture
def finding() -> Callable[..., Finding]:
    """`finding("bcls", rsum=[300.0, 302.0])`: a metric's values by seed; of the setting, a sweep and its value."""

    def make(
        name: str,
        *,
        title: str | None = None,
        sweep: str | None = None,
        value: Any = None,
        seconds: float = 5.0,
        **metrics: list[float],
    ) -> Finding:
        setting = Setting(
            f"{name}/{value}" if sweep else name, title or name, title or name, name, sweep=sweep, value=value
        )
        seeds = range(max((len(values) for values in metrics.values()), default=1))
        told = [{metric: values[seed] for metric, values in metrics.items() if seed < len(values)} for seed in seeds]
        folder = RunFolder(Path(name))
        return Finding(setting, {seed: FinishedRun(folder, told[seed], 0, seconds, {}) for seed in seeds})

    return make


@pytest.fixture
def drawn(monkeypatch) -> list[Any]:
    """Figures that were saved, to look at what is on them; their files are written as ever."""
    figure = pytest.importorskip("matplotlib.figure").Figure
    figures: list[Any] = []
    save = figure.savefig

    def savefig(self: Any, *places: Any, **settings: Any) -> None:
        figures.append(self)
        save(self, *places, **settings)

    monkeypatch.setattr(figure, "savefig", savefig)
    return figures


@pytest.fixture
def without_matplotlib(monkeypatch) -> None:
    """As on a machine that lacks it."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
