"""All runs of a study are checked before the first one starts."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from bcls.data import RetrievalDataset
from bcls.errors import InputError
from bcls.study.plan import StudyRun
from bcls.training.checks import check_run
from bcls.training.parser import config_of_text

SHOWN = 5


def check_runs(runs: Iterable[StudyRun]) -> None:
    """Refuse a study of which a run cannot succeed; nothing is written.

    Runs that differ in their seed and folder alone are checked once, and each data set is read once.

    Args:
        runs: those that are to be done.

    Raises:
        InputError: which runs, and what is wrong with each.
        MissingExtraError: a package is not installed.
    """
    datasets: dict[str, RetrievalDataset] = {}
    seen: set[str] = set()
    refused: list[str] = []
    for run in runs:
        fields = yaml.safe_load(run.text)
        without = str({name: value for name, value in fields.items() if name not in {"seed", "output"}})
        if without in seen:
            continue
        seen.add(without)
        try:
            config = config_of_text(run.text)
            datasets[config.data.path] = check_run(config, datasets.get(config.data.path))
        except InputError as error:
            refused.append(f"{run.name}: {error}")
    if refused:
        more = f" (and {len(refused) - SHOWN} more)" if len(refused) > SHOWN else ""
        raise InputError(f"nothing was run: {'; '.join(refused[:SHOWN])}{more}")
