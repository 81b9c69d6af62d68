"""A run's own config is equal to itself, and another one is named by its fields."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bcls.errors import InputError
from bcls.study import parse_study, study_parser
from bcls.study.plan import plan_study
from bcls.training import load_config
from bcls.training.parser import config_parser, config_text
from bcls.training.run_folder import RunFolder
from bcls.training.same_config import changed_fields, differing_fields

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
BASE = CONFIGS / "flickr8k" / "bcls.yaml"
WHOLE = [*sorted(CONFIGS.glob("[!s]*/*.yaml")), CONFIGS / "scenes" / "pretrained.yaml"]
LAID_OVER = sorted(CONFIGS.glob("flickr8k/*/*.yaml"))
OVERRIDES = ["--labels.scorer", "TfidfScorer", "--loss", "TripletLoss", "--model.similarity", "Cosine"]
SHIPPED = [["--config", str(file)] for file in WHOLE] + [
    ["--config", str(BASE), "--config", str(file)] for file in LAID_OVER
]


@pytest.fixture(scope="module")
def parser():
    return config_parser("bcls train", "")


def test_every_shipped_config_is_looked_at():
    assert len(WHOLE) + len(LAID_OVER) == len([*CONFIGS.rglob("*.yaml")]) - len([*CONFIGS.glob("studies/*")])


@pytest.mark.parametrize("words", SHIPPED, ids=lambda words: Path(words[-1]).stem)
def test_a_shipped_config_is_equal_to_itself_with_and_without_overrides(parser, words):
    for more in ([], OVERRIDES):
        text = config_text(parser, parser.parse_args([*words, *more]))
        assert config_text(parser, parser.parse_string(text)) == text


@pytest.mark.parametrize(
    "name", ["1e3", "1_0", "0x1F", "yes", "~", "2026-01-01", "1:30", ".5e3", "a: b #c", "ünï", "1.5E+3", "-2e-1"]
)
def test_a_name_that_looks_like_something_else_stays_a_name(parser, name):
    text = config_text(parser, parser.parse_args(["--config", str(BASE), f"--data.path={name}"]))
    assert parser.parse_string(text)["data.path"] == name


@pytest.mark.parametrize("name", ["flickr8k", "models"])
def test_every_run_of_a_shipped_study_is_equal_to_itself(parser, name):
    file = CONFIGS / "studies" / f"{name}.yaml"
    study, _ = parse_study(study_parser("bcls study", ""), ["--config", str(file), "--seeds", "[0]"])
    for run in plan_study(study).distinct():
        assert config_text(parser, parser.parse_string(run.text)) == run.text


def test_a_config_that_an_older_release_wrote_is_the_same_run(words, tmp_path):
    _, text = load_config(words())
    old = yaml.safe_load(text)
    old["labels"]["scorer"]["init_args"] = {}  # as 0.1 wrote it after an override
    del old["labels"]["aggregate"]  # not there yet
    old["output"] = "moved/since"
    folder = RunFolder(tmp_path)
    folder.config.write_text(yaml.safe_dump(old))
    folder.refuse_other_run(text, resume=True)
    assert changed_fields(folder.config.read_text(), text) == []


def test_what_differs_is_named(words, tmp_path):
    folder = RunFolder(tmp_path)
    folder.config.write_text(load_config(words("--loss.gap", "0.1"))[1])
    with pytest.raises(InputError, match=r"another config \(loss.init_args.gap was 0.1, is 0.2; seed was 0, is 1\)"):
        folder.refuse_other_run(load_config(words("--loss.gap", "0.2", "--seed", "1"))[1], resume=True)


@pytest.mark.parametrize("content", ["nonsense: 1", "a: [", "", "- 1", "\udcff"])
def test_a_kept_text_that_is_no_config_is_refused(words, tmp_path, content):
    folder = RunFolder(tmp_path)
    folder.config.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=r"config.yaml: cannot be read as the config of a run"):
        folder.refuse_other_run(load_config(words())[1], resume=True)


def test_fields_that_differ_are_named():
    assert differing_fields("a: {b: 1, c: [1]}\nd: {}", "a: {b: 2, c: [1], e: null}\nd: {}") == [
        "a.b was 1, is 2",
        "a.e was not there, is None",
    ]
