"""What a study's finished runs came to: means, spreads and differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.data import read_dataset
from bcls.errors import InputError
from bcls.evaluation import Difference, RetrievalTruth, compare, holm, read_queries, read_result
from bcls.evaluation.pooling import is_of_queries, pool_runs
from bcls.files import read_json, read_yaml
from bcls.study.plan import Setting, StudyPlan
from bcls.training.best_epoch import read_best_epoch
from bcls.training.callbacks.history import read_history
from bcls.training.run_folder import RunFolder

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class FinishedRun:
    """One run's end.

    Attributes:
        folder: where it lies.
        metrics: of its best epoch's model.
        best_epoch: counted from 1.
        seconds: that its epochs took, judging included.
        provenance: versions, commit, machine, hashes of its data.
    """

    folder: RunFolder
    metrics: dict[str, float]
    best_epoch: int
    seconds: float
    provenance: dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """A setting and its finished runs by seed, one at least.

    Attributes:
        setting: the recipe.
        runs: by seed.
    """

    setting: Setting
    runs: dict[int, FinishedRun]

    def values(self, metric: str) -> NDArray[np.float64]:
        """A metric of each run; NaN where a run has none."""
        return np.array([run.metrics.get(metric, np.nan) for run in self.runs.values()])

    def mean(self, metric: str) -> float:
        """Mean over the runs."""
        return float(np.mean(self.values(metric)))

    def deviation(self, metric: str) -> float:
        """Standard deviation over the runs, with one less than their number below; NaN for a single run."""
        return float(np.std(self.values(metric), ddof=1)) if len(self.runs) > 1 else float("nan")

    def queries(self) -> list[dict[str, NDArray[np.float64]]]:
        """Every query's own result in each run, as `per_query` has it.

        Raises:
            InputError: a run's file cannot be read.
        """
        return [read_queries(run.folder.queries) for run in self.runs.values()]

    @property
    def seconds(self) -> float:
        """Mean over the runs."""
        return float(np.mean([run.seconds for run in self.runs.values()]))


def read_findings(plan: StudyPlan) -> list[Finding]:
    """Results of all finished runs, setting by setting in the order of the plan.

    Raises:
        InputError: a result cannot be read.
    """
    findings = []
    for setting in plan.settings:
        runs = {seed: run for (name, seed), run in plan.runs.items() if name == setting.name}
        ended = {seed: _read(run.folder) for seed, run in runs.items() if run.folder.result.exists()}
        if ended:
            findings.append(Finding(setting, ended))
    return findings


def _read(folder: RunFolder) -> FinishedRun:
    metrics, about = read_result(folder.result)
    seconds = sum(row["seconds"] for row in read_history(folder.history))
    return FinishedRun(folder, metrics, read_best_epoch(about), seconds, read_json(folder.provenance))


def differences_from_baseline(
    findings: Sequence[Finding],
    baseline: str,
    metrics: Sequence[str],
    truth: RetrievalTruth,
    *,
    samples: int = 10_000,
    seed: int = 0,
) -> list[Difference]:
    """Paired bootstrap tests of each setting against the baseline variant of the same model and swept value.

    A query's value is its mean over the finished seeds, so that the test asks whether the recipes differ on other
    queries. Holm's correction is over all tests of the study.

    Args:
        findings: of the study.
        baseline: name of the variant that the others are tested against.
        metrics: names; those that are no mean of queries are left out.
        truth: the image of every caption that the runs were judged on.
        samples: draws of the bootstrap.
        seed: of the draws.

    Raises:
        InputError: runs were judged on different data, or lack their queries' results.
    """
    _refuse_different_data(findings)
    found: list[Difference] = []
    for rivals in dict.fromkeys(finding.setting.rivals for finding in findings):
        group = {finding.setting.variant: finding for finding in findings if finding.setting.rivals == rivals}
        if baseline not in group or len(group) < 2:
            continue
        ordered = [group.pop(baseline), *group.values()]
        results = {one.setting.name: [read_queries(run.folder.queries) for run in one.runs.values()] for one in ordered}
        tested = [
            name for name in metrics if all(is_of_queries(name, one) for runs in results.values() for one in runs)
        ]
        pooled = {name: pool_runs(runs, truth, tested, name) for name, runs in results.items()}
        found += compare(pooled, truth, metrics=tested, samples=samples, seed=seed)
    adjusted = holm([one.p_value for one in found])
    return [replace(one, adjusted=float(value)) for one, value in zip(found, adjusted, strict=True)]


def study_truth(findings: Sequence[Finding]) -> RetrievalTruth:
    """The image of every caption of the validation split that the runs were judged on.

    Raises:
        InputError: the data cannot be read.
    """
    config = next(iter(findings[0].runs.values())).folder.config
    data = read_yaml(config)["data"]
    part = read_dataset(data["path"]).split(data["validation_split"])
    return RetrievalTruth(part.caption_image, len(part.images), part.image_ids, part.caption_ids)


def _refuse_different_data(findings: Sequence[Finding]) -> None:
    seen: dict[str, str] = {}
    for finding in findings:
        for run in finding.runs.values():
            seen.setdefault(run.provenance["data"]["dataset"], str(run.folder.path))
    if len(seen) > 1:
        raise InputError(f"the data changed between runs, so that they cannot be tested: {', '.join(seen.values())}")
