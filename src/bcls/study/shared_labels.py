"""The encodings of captions that the runs of a study share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from bcls.data import RetrievalDataset
from bcls.data.labels import label_split
from bcls.relevance import Scorer
from bcls.study.plan import StudyRun
from bcls.training.config import RunConfig, load_config
from bcls.training.inputs import open_data


def make_labels(runs: Iterable[StudyRun]) -> None:
    """Make each encoding once, before several runs would make the same side by side.

    Args:
        runs: with their configs in their folders.

    Raises:
        InputError: the data or a scorer cannot be used.
    """
    datasets: dict[str, RetrievalDataset] = {}
    done: set[tuple[str, ...]] = set()
    for config in _distinct(runs):
        folder = config.labels.folder
        assert folder is not None
        for split, scorer in _wanted(config):
            asked = (config.data.path, config.data.train_split, split, json.dumps(scorer.settings()), folder)
            if asked not in done:
                done.add(asked)
                if config.data.path not in datasets:
                    datasets[config.data.path] = open_data(config.data)
                dataset = datasets[config.data.path]
                label_split(dataset, split, scorer, Path(folder), fit_split=config.data.train_split)


def _distinct(runs: Iterable[StudyRun]) -> Iterator[RunConfig]:
    """One config for all runs that ask for the same labels."""
    known: set[str] = set()
    for run in runs:
        said = yaml.safe_load(run.text)
        asked = str([said["data"], said["labels"], said["validation"], said["loss"]["class_path"]])
        if asked not in known:
            known.add(asked)
            yield load_config(["--config", str(run.folder.config)])[0]


def _wanted(config: RunConfig) -> Iterator[tuple[str, Scorer]]:
    if config.validation.scorer is not None and not config.validation.scene_truth:
        yield config.data.validation_split, config.validation.scorer
    trains_on_labels = config.loss.uses_relevance or config.data.sampler != "unique"
    if trains_on_labels and config.labels.table is None and config.labels.scorer is not None:
        yield config.data.train_split, config.labels.scorer
