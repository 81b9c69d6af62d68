"""Findings of runs that a test has written: means, spreads, tests, tables, pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from bcls.data import read_dataset
from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, compare, per_query, read_result, summarise, write_queries, write_result
from bcls.files import write_json
from bcls.training.run_folder import RunFolder
from bcls.training.study.conduct import report_study
from bcls.training.study.findings import differences_from_baseline, read_findings, study_truth
from bcls.training.study.pareto import pareto_front
from bcls.training.study.plan import StudyPlan, plan_study
from bcls.training.study.table import study_markdown, study_table

SKILL = {"triplet": 0.3, "bcls": 0.6}


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
            _end(run.folder, per_query(similarity + SKILL[variant] * own, truth), truth)
            run.folder.config.write_text(run.text)
        return plan

    return make


def _end(folder: RunFolder, queries, truth: RetrievalTruth) -> None:
    write_queries(folder.queries, queries)
    write_result(folder.result, summarise(queries, truth), {"best_epoch": 1})
    write_json(folder.provenance, {"commit": "c", "data": {"dataset": "x"}})
    folder.history.write_text("epoch,step,seconds\n0,1,2.0\n1,2,3.0\n")


def test_means_and_deviations_over_seeds(study, finished):
    plan = finished(study(seeds=[0, 1, 2]))
    findings = read_findings(plan)
    assert [one.setting.name for one in findings] == ["triplet", "bcls"]
    values = [read_result(plan.runs["bcls", seed].folder.result)[0]["rsum"] for seed in range(3)]
    assert findings[1].mean("rsum") == pytest.approx(np.mean(values))
    assert findings[1].deviation("rsum") == pytest.approx(np.std(values, ddof=1))
    assert findings[1].seconds == 5
    assert np.isnan(findings[1].mean("tau_b"))


def test_one_seed_is_tested_as_compare_tests_two_models(study, finished):
    findings = read_findings(finished(study(seeds=[0])))
    truth = study_truth(findings)
    found = differences_from_baseline(findings, "triplet", ["rsum", "tau_b", "median_rank"], truth, samples=500)
    results = {one.setting.name: one.queries()[0] for one in findings}
    assert found == compare(results, truth, metrics=["rsum"], samples=500)


def test_pooled_differences_are_those_of_the_means_over_seeds(study, finished):
    findings = read_findings(finished(study()))
    found = differences_from_baseline(findings, "triplet", ["rsum"], study_truth(findings), samples=500)[0]
    assert found.baseline == pytest.approx(findings[0].mean("rsum"))
    assert found.value == pytest.approx(findings[1].mean("rsum"))
    assert found.adjusted < 0.05


def test_runs_on_other_data_are_not_tested(study, finished):
    plan = finished(study())
    write_json(plan.runs["bcls", 0].folder.provenance, {"commit": "c", "data": {"dataset": "y"}})
    findings = read_findings(plan)
    with pytest.raises(InputError, match="the data changed"):
        differences_from_baseline(findings, "triplet", ["rsum"], study_truth(findings))


def test_the_tables_mark_what_is_surely_better(study, finished):
    findings = read_findings(finished(study()))
    metrics = ["image_to_text/recall@1", "rsum", "tau_b"]
    differences = differences_from_baseline(findings, "triplet", metrics, study_truth(findings), samples=500)
    markdown = study_markdown(findings, metrics, differences).splitlines()
    assert markdown[0] == "| | seeds | i2t R@1 | rsum | tau-b | seconds |"
    assert markdown[2].startswith("| Triplet-SN | 2 | ")
    assert markdown[2].endswith(" | - | 5 |")
    assert ("▲" in markdown[3], "▲" in markdown[2]) == (True, False)
    text = study_table(findings, metrics, differences)
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("▲") == markdown[3].count("▲") + 1
    worse = differences_from_baseline(findings, "bcls", ["rsum"], study_truth(findings), samples=500)
    assert "▼" in study_markdown(findings, ["rsum"], worse).splitlines()[2]


def test_a_report_of_rivals_at_each_swept_value(study, finished, tmp_path):
    sweeps = {"noise": {"field": "labels.noise", "values": [0.0, 0.5]}}
    swept = study(sweeps=sweeps, metrics=["rsum", "image_to_text/recall@1"])
    result = report_study(swept, finished(swept), {"x": "why"})
    assert [one.run for one in result.differences] == [
        *["bcls/labels.noise=0.0"] * 2,
        *["bcls/labels.noise=0.5"] * 2,
    ]
    assert [file.name for file in (*result.files, *result.pictures)] == ["study.json", "table.md", "noise.png"]
    assert (tmp_path / "study" / "noise.png").read_bytes().startswith(b"\x89PNG")


def test_a_report_of_variants_has_the_picture_of_both_metrics(study, finished):
    asked = study(pareto={"across": "rsum", "up": "map@r"})
    assert [file.name for file in report_study(asked, finished(asked), {}).pictures] == ["pareto.png"]
    assert report_study(study(), finished(study()), {}).pictures == []  # tau_b, which no run has


def test_nothing_finished(study):
    result = report_study(study(), plan_study(study()), {"x": "why"})
    assert (result.findings, result.files) == ([], [])


@pytest.mark.parametrize("seed", range(3))
def test_the_front_is_what_none_beats(seed):
    points = np.random.default_rng(seed).integers(0, 6, (12, 2)).astype(float)
    front = pareto_front(points)

    def beaten(a) -> bool:
        return any(b[0] >= a[0] and b[1] >= a[1] and (b[0] > a[0] or b[1] > a[1]) for b in points)

    assert sorted(front) == [row for row in range(12) if not beaten(points[row])]
    assert (np.diff(points[front, 0]) >= 0).all()


def test_a_missing_metric_is_on_no_front():
    assert pareto_front(np.array([[1.0, 1.0], [np.nan, 5.0]])) == [0]
