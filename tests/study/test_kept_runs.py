"""What is there already of a study."""

from __future__ import annotations

import pytest
import yaml

from bcls.errors import InputError
from bcls.study.kept_runs import claim_runs
from bcls.study.plan import plan_study
from bcls.training import load_config


def test_a_fresh_study_has_everything_to_do(study):
    runs = plan_study(study()).distinct()
    assert claim_runs(runs) == runs
    assert all(run.folder.config.read_text() == run.text for run in runs)
    assert claim_runs(runs) == runs


def test_finished_runs_are_not_to_do(study):
    runs = plan_study(study()).distinct()
    claim_runs(runs)
    runs[1].folder.result.write_text("{}")
    assert claim_runs(runs) == [runs[0], *runs[2:]]


def test_a_changed_study_is_refused_with_the_difference(study):
    claim_runs(plan_study(study()).distinct())
    changed = study(variants={"triplet": {"set": {"loss": "TripletLoss"}}, "bcls": {"set": {"loss.gap": 0.2}}})
    with pytest.raises(InputError, match=r"bcls.seed-0: loss.init_args.gap was 0.1, is 0.2; .*bcls.seed-1"):
        claim_runs(plan_study(changed).distinct())


def test_a_field_that_is_new_in_the_package_had_its_default(study):
    runs = plan_study(study()).distinct()
    claim_runs(runs)
    old = yaml.safe_load(runs[0].text)
    del old["labels"]["aggregate"]
    runs[0].folder.config.write_text(yaml.safe_dump(old))
    assert claim_runs(runs) == runs
    assert runs[0].folder.config.read_text() == runs[0].text


def test_a_study_that_replaces_a_scorer_with_settings_begins_its_runs(study):
    changed = study(
        set={"labels.scorer": "SentenceScorer"},
        variants={"one": {"set": {"labels.scorer": "TfidfScorer"}}},
        baseline=None,
    )
    for run in plan_study(changed).distinct():
        run.folder.path.mkdir(parents=True)
        run.folder.config.write_text(run.text)
        again = load_config(["--config", str(run.folder.config)])[1]
        run.folder.refuse_other_run(again, resume=True)
