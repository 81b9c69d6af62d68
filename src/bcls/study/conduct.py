"""A study from its config to its table."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bcls.errors import InputError
from bcls.evaluation import Difference
from bcls.evaluation.results import plain
from bcls.files import read_json, write_json, write_text
from bcls.study.checked_runs import check_runs
from bcls.study.config import StudyConfig
from bcls.study.curves import draw_sweep
from bcls.study.findings import Finding, differences_from_baseline, read_findings, study_truth
from bcls.study.kept_runs import claim_runs
from bcls.study.pareto import draw_pareto
from bcls.study.pictures import require_plotting
from bcls.study.plan import StudyPlan, plan_study
from bcls.study.processes import core_count, run_processes
from bcls.study.progress import StudyProgress
from bcls.study.shared_labels import make_labels
from bcls.study.table import study_markdown

logger = logging.getLogger("bcls")


@dataclass(frozen=True)
class StudyResult:
    """What a study came to.

    Attributes:
        findings: of every setting with a finished run.
        differences: from the baseline, tested; empty where there is none.
        failures: why runs failed, by their names.
        files: `study.json` and `table.md`.
        pictures: that were drawn.
    """

    findings: list[Finding]
    differences: list[Difference]
    failures: dict[str, str]
    files: list[Path]
    pictures: list[Path]


def conduct_study(study: StudyConfig, only: Sequence[str] = ()) -> StudyResult:
    """Do the runs that are not finished, then write what all of them say.

    A finished run is not done again, an interrupted or failed one goes on from its last checkpoint. The folder holds a
    folder for each run, `labels/`, `study.json`, `table.md` and pictures.

    Args:
        study: the study.
        only: names of variants to do and to show; empty = all.

    Raises:
        InputError: the study is not possible as it stands, or differs from the runs that are there; nothing was run.
        MissingExtraError: it has pictures, and matplotlib is not installed (the extra `plot`).
    """
    plan = plan_study(study, only)
    _refuse_other_study(study)
    if study.sweeps or study.pareto is not None:
        require_plotting()
    runs = plan.distinct()
    check_runs(run for run in runs if not run.folder.result.exists())
    unfinished = claim_runs(runs)
    make_labels(unfinished)
    jobs = min(study.jobs or core_count(), max(1, len(unfinished)))
    progress = StudyProgress(len(runs), len(runs) - len(unfinished), jobs, study.metrics)
    try:
        run_processes(unfinished, jobs, progress)
    finally:
        progress.close()
    return report_study(study, plan, progress.failures)


def _refuse_other_study(study: StudyConfig) -> None:
    """Refuse a folder that holds the results of another study; the same one may have more or other variants now.

    Raises:
        InputError: its results are of another base, or of other variants throughout.
    """
    file = Path(study.output) / "study.json"
    if not file.exists():
        return
    content = read_json(file)
    about, settings = (content.get(name) if isinstance(content, dict) else None for name in ("about", "settings"))
    if not isinstance(about, dict) or not isinstance(settings, dict):
        raise InputError(f"{file}: is there already, and no result of a study: choose another --output")
    variants = {one.get("variant") for one in settings.values() if isinstance(one, dict)}
    if about.get("base") != study.base or not variants & {*study.variants}:
        raise InputError(
            f"{file}: holds the results of another study (base {about.get('base')}, variants "
            f"{', '.join(sorted(map(str, variants)))}): choose another --output"
        )


def report_study(study: StudyConfig, plan: StudyPlan, failures: dict[str, str]) -> StudyResult:
    """Read all finished runs, test them, and write tables and pictures.

    Args:
        study: the study.
        plan: its runs.
        failures: why runs failed, by their names.
    """
    findings = read_findings(plan)
    if not findings:
        return StudyResult([], [], failures, [], [])
    differences: list[Difference] = []
    if study.baseline is not None and len(findings) > 1:
        differences = differences_from_baseline(findings, study.baseline, study.metrics, study_truth(findings))
    folder = Path(study.output)
    files = [folder / "study.json", folder / "table.md"]
    write_json(files[0], plain(_record(study, findings, differences, failures)))
    write_text(files[1], study_markdown(findings, study.metrics, differences) + "\n")
    pictures = _draw(study, findings, folder)
    return StudyResult(findings, differences, failures, files, pictures)


def _draw(study: StudyConfig, findings: Sequence[Finding], folder: Path) -> list[Path]:
    sweeps = {name: folder / f"{name}.png" for name in study.sweeps}
    drawn = [file for name, file in sweeps.items() if draw_sweep(study, name, findings, file)]
    front = folder / "pareto.png"
    if not study.sweeps and study.pareto is not None and draw_pareto(findings, study.pareto, front):
        drawn.append(front)
    return drawn


def _record(
    study: StudyConfig, findings: Sequence[Finding], differences: Sequence[Difference], failures: dict[str, str]
) -> dict[str, Any]:
    runs = [run for finding in findings for run in finding.runs.values()]
    return {
        "about": {
            "base": study.base,
            "seeds": study.seeds,
            "baseline": study.baseline,
            "commits": sorted({str(run.provenance["commit"]) for run in runs}),
            "data": sorted({run.provenance["data"]["dataset"] for run in runs}),
        },
        "settings": {finding.setting.name: _described(finding) for finding in findings},
        "differences": [
            {**vars(one), "difference": one.difference, "significant": one.adjusted < 0.05} for one in differences
        ],
        "failures": failures,
    }


def _described(finding: Finding) -> dict[str, Any]:
    metrics = list(dict.fromkeys(name for run in finding.runs.values() for name in run.metrics))
    return {
        **vars(finding.setting),
        "mean": {name: finding.mean(name) for name in metrics},
        "deviation": {name: finding.deviation(name) for name in metrics},
        "seconds": finding.seconds,
        "runs": {
            str(seed): {
                "folder": run.folder.path,
                "best_epoch": run.best_epoch,
                "seconds": run.seconds,
                "metrics": run.metrics,
            }
            for seed, run in finding.runs.items()
        },
    }
