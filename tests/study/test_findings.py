"""Findings of runs that a test has written: means, spreads, tests."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import compare, read_result
from bcls.files import write_json
from bcls.study.findings import differences_from_baseline, read_findings, study_truth


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
