"""A command on a run goes on from what the run's own config says."""

from __future__ import annotations

import json

import pytest
import yaml

from bcls.cli.run_defaults import RunDefaults, fill_defaults, read_run
from bcls.data import read_dataset, write_dataset
from bcls.data.dataset import RetrievalDataset
from bcls.data.records import ImageRecord
from bcls.errors import InputError
from bcls.relevance import TfidfScorer

NOTHING = {
    "split": None,
    "fit_split": None,
    "labels": None,
    "scene_truth": None,
    "scorer": None,
    "relevance": None,
    "data": None,
}


@pytest.fixture
def other_names(bcls, folder, config, tmp_path):
    """A run whose splits are called `learn` and `dev`, and whose validation is graded by TF-IDF."""
    dataset = read_dataset(folder)
    names = {"train": "learn", "val": "dev"}
    images = [ImageRecord(one.id, one.file, names[one.split], one.captions) for one in dataset.images]
    write_dataset(folder, RetrievalDataset("tiny", images))
    content = yaml.safe_load(config.read_text())
    content["data"] |= {"train_split": "learn", "validation_split": "dev"}
    content["validation"] = {"scorer": "TfidfScorer"}
    content["labels"]["folder"] = str(tmp_path / "kept")
    config.write_text(yaml.safe_dump(content))
    assert bcls("train", "--config", config).code == 0
    return tmp_path / "run"


def test_evaluate_repeats_the_runs_own_validation_without_an_option(bcls, other_names, tmp_path):
    labels = {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").rglob("*.npy")}
    said = bcls("evaluate", other_names)
    assert said.code == 0, said.err
    assert "encoding" not in said.err
    result = json.loads((other_names / "dev.tfidf.json").read_text())
    assert result["metrics"] == json.loads((other_names / "result.json").read_text())["metrics"]
    assert {"split": "dev", "scorer": "tfidf", "fit_split": "learn"}.items() <= result["about"].items()
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").rglob("*.npy")} == labels


def test_compare_takes_the_runs_own_split_too(bcls, other_names, config, tmp_path):
    assert bcls("train", "--config", config, "--seed", 1, "--output", tmp_path / "two").code == 0
    said = bcls("compare", other_names, tmp_path / "two", "--samples", 9, "--output", tmp_path / "out")
    assert said.code == 0, said.err
    about = json.loads((tmp_path / "out" / "comparison.json").read_text())["about"]
    assert (about["split"], about["scorer"], about["fit_split"]) == ("dev", "tfidf", "learn")
    said = bcls("evaluate", other_names, "--split", "learn", "--scorer", "none")
    assert said.code == 0, said.err


def filled(runs, **options):
    given = {**NOTHING, **options}
    fill_defaults(given, runs)
    return {name: given[name] for name in ("split", "fit_split", "labels", "scene_truth")}


def test_what_a_person_names_comes_first():
    run = RunDefaults("d", None, "learn", "dev", "TfidfScorer", False, "kept")
    named = {"split": "test", "fit_split": "train", "labels": "mine", "scene_truth": False}
    assert filled([run], **named) == named


def test_without_a_run_the_usual_names_hold():
    usual = {"split": "val", "fit_split": "train", "labels": "runs/labels", "scene_truth": False}
    assert filled([]) == filled([RunDefaults()]) == usual


def test_runs_of_different_splits_are_refused():
    runs = [RunDefaults(validation_split=name) for name in ("val", "dev")]
    with pytest.raises(InputError, match=r"different splits \(val, dev\): name one with --split"):
        filled(runs)
    assert filled(runs, split="dev")["split"] == "dev"


def test_the_truth_of_scenes_is_that_of_the_runs_own_data():
    run = RunDefaults("scenes", scene_truth=True)
    assert filled([run])["scene_truth"]
    assert not filled([run], data="elsewhere")["scene_truth"]
    assert not filled([run], scorer="cider")["scene_truth"]


@pytest.mark.parametrize(
    "scorer",
    [
        "TfidfScorer",
        {"class_path": "bcls.relevance.TfidfScorer"},
        {"class_path": "bcls.relevance.tfidf.TfidfScorer", "init_args": {}},
    ],
)
def test_the_scorer_is_the_configs(scorer):
    assert isinstance(RunDefaults(scorer=scorer).make_scorer(), TfidfScorer)


def test_a_scorer_that_cannot_be_made_is_refused():
    with pytest.raises(InputError, match="name one with --scorer"):
        RunDefaults(scorer={"class_path": "nowhere.Scorer"}).make_scorer()


@pytest.mark.parametrize("text", ["", "- a", "data: 3\nlabels: []\nvalidation: x\n"])
def test_a_config_of_another_shape_says_nothing(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    found = read_run(tmp_path)
    assert (found.data, found.validation_split, found.scorer, found.scene_truth) == (None, None, None, False)


def test_labels_lie_beside_the_run_unless_it_says_otherwise(tmp_path):
    (tmp_path / "config.yaml").write_text("labels: {folder: null}")
    assert read_run(tmp_path).labels == str(tmp_path.parent / "labels")
    (tmp_path / "config.yaml").write_text("labels: {folder: /kept}")
    assert read_run(tmp_path).labels == "/kept"


@pytest.mark.parametrize("content", ["data: [", "seed: 2024-99-99", "\ud800"])
def test_a_config_that_is_no_yaml_is_named(tmp_path, content):
    (tmp_path / "config.yaml").write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError, match=r"config\.yaml: not YAML in UTF-8"):
        read_run(tmp_path)
