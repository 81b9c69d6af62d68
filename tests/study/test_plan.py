"""From a study to its runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bcls.errors import InputError
from bcls.study import parse_study, study_parser
from bcls.study.plan import plan_study
from bcls.training.config import load_config


def test_every_variant_with_every_seed_seeds_first(study, tmp_path):
    plan = plan_study(study())
    names = ["triplet seed 0", "bcls seed 0", "triplet seed 1", "bcls seed 1"]
    assert [run.name for run in plan.distinct()] == names
    assert [setting.title for setting in plan.settings] == ["Triplet-SN", "BCLS"]
    config = yaml.safe_load(plan.runs["bcls", 1].text)
    assert (config["seed"], config["loss"]["init_args"]["gap"]) == (1, 0.1)
    assert config["output"] == str(tmp_path / "study" / "bcls" / "seed-1")
    assert config["labels"]["folder"] == str(tmp_path / "study" / "labels")
    assert yaml.safe_load(plan.runs["triplet", 0].text)["loss"]["class_path"] == "bcls.TripletLoss"


def test_a_runs_text_read_again_is_itself(study):
    for run in plan_study(study()).distinct():
        run.folder.path.mkdir(parents=True)
        run.folder.config.write_text(run.text)
        assert load_config(["--config", str(run.folder.config)])[1] == run.text


def test_models_times_variants(study):
    models = {"small": {"set": {"model.image_tower.dim": 8, "model.caption_tower.dim": 8}}, "large": {"title": "Large"}}
    plan = plan_study(study(models=models, seeds=[0]))
    assert [setting.name for setting in plan.settings] == [
        *("small/triplet", "small/bcls", "large/triplet", "large/bcls")
    ]
    assert plan.settings[2].title == "Triplet-SN, Large"
    assert plan.settings[0].rivals == plan.settings[1].rivals != plan.settings[2].rivals
    small = yaml.safe_load(plan.runs["small/bcls", 0].text)["model"]
    assert small["image_tower"]["init_args"]["dim"] == 8


def test_sweeps_and_that_equal_runs_are_one(study):
    sweeps = {
        "gap": {"field": "loss.gap", "values": [0.0, 0.15], "variants": ["bcls"]},
        "weight": {"field": "loss.kendall_weight", "values": [0.5, 0.6], "variants": ["bcls"], "title": "weight"},
    }
    plan = plan_study(study(sweeps=sweeps, seeds=[0], variants={"triplet": {}, "bcls": {}}, baseline=None))
    assert [setting.title for setting in plan.settings] == [
        *("bcls, loss.gap 0.0", "bcls, loss.gap 0.15", "bcls, weight 0.5", "bcls, weight 0.6")
    ]
    # gap 0.15 and weight 0.5 are the defaults: the same run.
    assert plan.runs["bcls/loss.gap=0.15", 0] is plan.runs["bcls/loss.kendall_weight=0.5", 0]
    assert len(plan.distinct()) == 3


@pytest.mark.parametrize(
    ("name", "runs"),
    [("flickr8k", 54), ("flickr8k_noise", 60), ("flickr8k_sensitivity", 66), ("flickr8k_calibration", 6)],
)
def test_the_studies_of_the_repository_can_be_done(name, runs, monkeypatch):
    root = Path(__file__).parents[2]
    monkeypatch.chdir(root)
    file = root / "configs" / "studies" / f"{name}.yaml"
    plan = plan_study(parse_study(study_parser("bcls study", ""), ["--config", str(file)])[0])
    assert len(plan.distinct()) == runs


def test_only(study):
    plan = plan_study(study(), only=["bcls"])
    assert [setting.name for setting in plan.settings] == ["bcls"]
    assert len(plan.distinct()) == 2
    with pytest.raises(InputError, match=r"no variant 'b'; there are: triplet, bcls"):
        plan_study(study(), only=["b"])


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"variants": {"odd": {"set": {"loss.width": 3}}}, "baseline": None}, "odd: .*width"),
        ({"variants": {"odd": {"configs": ["no.yaml"]}}, "baseline": None}, "odd: .*no.yaml"),
    ],
)
def test_a_variant_that_cannot_be_run_is_named(study, fields, named):
    with pytest.raises(InputError, match=named):
        plan_study(study(**fields))
