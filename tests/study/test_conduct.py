"""A study from its runs to its files: what is done, what is left alone, what is written."""

from __future__ import annotations

import json
import sys

import pytest

from bcls.errors import InputError, MissingExtraError
from bcls.study import conduct_study
from bcls.study.conduct import report_study
from bcls.study.findings import differences_from_baseline, study_truth
from bcls.study.plan import plan_study
from bcls.study.processes import run_processes
from bcls.study.table import study_markdown


def files_of(folder):
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


LIGHT_RUN = """
import pathlib, sys
folder = pathlib.Path(sys.argv[1]).parent
if folder.parent.name == "broken":
    sys.exit("it is bad")
(folder / "kept.json").rename(folder / "result.json")
"""


@pytest.fixture
def light_runs(monkeypatch):
    """Runs end at once, with the result that lies in their folders as `kept.json`."""
    monkeypatch.setitem(run_processes.__kwdefaults__, "command", (sys.executable, "-c", LIGHT_RUN))


def test_what_is_unfinished_is_done_and_what_is_finished_is_left_alone(study, finished, light_runs, tmp_path, caplog):
    caplog.set_level("INFO", logger="bcls")
    loss = {"loss": "TripletLoss"}
    asked = study(seeds=[0], variants={"triplet": {"set": loss}, "bcls": {}, "broken": {"set": {"loss.gap": 0.3}}})
    plan = finished(asked)
    ended = plan.runs["bcls", 0].folder.result
    for name in ("triplet", "broken"):
        folder = plan.runs[name, 0].folder
        folder.result.rename(folder.path / "kept.json")
    before = files_of(ended.parent)
    result = conduct_study(asked)
    assert files_of(ended.parent) == before
    assert result.failures == {"broken seed 0": "it is bad"}
    assert [one.setting.name for one in result.findings] == ["triplet", "bcls"]
    assert [one.run for one in result.differences] == ["bcls"] * len(result.differences) != []
    assert "[3/3]" in caplog.text
    labels = tmp_path / "study" / "labels"
    kept = sorted(str(one.relative_to(labels)).rpartition("-")[0] for one in labels.glob("*/*"))
    assert kept == ["cider-d/val", "tfidf/train"]
    assert json.loads((tmp_path / "study" / "study.json").read_text())["failures"] == result.failures


def test_a_finished_study_is_told_anew_and_nothing_is_trained(study, finished, tmp_path):
    asked = study(metrics=["rsum", "tau_b"])
    before = files_of(tmp_path / "study") if finished(asked) else {}
    result = conduct_study(asked)
    assert {file: time for file, time in files_of(tmp_path / "study").items() if file in before} == before
    assert set(files_of(tmp_path / "study")) - set(before) == {*result.files, *result.pictures}
    assert (result.failures, result.pictures) == ({}, [])
    assert result.files == [tmp_path / "study" / "study.json", tmp_path / "study" / "table.md"]
    truth = study_truth(result.findings)
    assert result.differences == differences_from_baseline(result.findings, "triplet", ["rsum", "tau_b"], truth)
    expected = study_markdown(result.findings, ["rsum", "tau_b"], result.differences)
    assert result.files[1].read_text() == expected + "\n"


def test_the_variants_asked_for_alone_are_shown(study, finished):
    finished(study())
    result = conduct_study(study(), only=["bcls"])
    assert [one.setting.name for one in result.findings] == ["bcls"]
    assert result.differences == []
    with pytest.raises(InputError, match="no variant 'other'; there are: triplet, bcls"):
        conduct_study(study(), only=["other"])


def test_a_changed_study_is_refused_and_nothing_is_written(study, finished, tmp_path):
    finished(study())
    before = files_of(tmp_path)
    changed = study(variants={"triplet": {"set": {"loss": "TripletLoss"}}, "bcls": {"set": {"loss.gap": 0.2}}})
    with pytest.raises(InputError, match=r"the study has changed .* loss.init_args.gap was 0.1, is 0.2"):
        conduct_study(changed)
    after = files_of(tmp_path)
    assert {file: time for file, time in after.items() if file.name != "study.yaml"} == {
        file: time for file, time in before.items() if file.name != "study.yaml"
    }


def test_pictures_are_refused_before_anything_is_done(study, without_matplotlib, tmp_path):
    sweeps = {"gap": {"field": "loss.gap", "values": [0.1], "variants": ["bcls"]}}
    for fields in ({}, {"sweeps": sweeps, "pareto": None}):
        with pytest.raises(MissingExtraError, match=r"bcls\[plot\]"):
            conduct_study(study(**fields))
    assert not (tmp_path / "study").exists()


def test_a_study_without_pictures_needs_no_matplotlib(study, finished, without_matplotlib):
    asked = study(pareto=None, baseline=None)
    finished(asked)
    result = conduct_study(asked)
    assert (len(result.findings), result.differences, result.pictures) == (2, [], [])


def test_the_record_holds_every_run_and_its_place(study, finished, tmp_path):
    asked = study(metrics=["rsum"])
    result = report_study(asked, finished(asked), {"x seed 0": "why"})
    record = json.loads((tmp_path / "study" / "study.json").read_text())
    assert record["about"] == {
        "base": asked.base,
        "seeds": [0, 1],
        "baseline": "triplet",
        "commits": ["c"],
        "data": ["x"],
    }
    assert record["failures"] == {"x seed 0": "why"}
    assert list(record["settings"]) == ["bcls", "triplet"]
    told = record["settings"]["bcls"]
    finding = result.findings[1]
    assert told["mean"]["rsum"] == finding.mean("rsum")
    assert told["deviation"]["rsum"] == finding.deviation("rsum")
    assert (told["title"], told["variant"], told["model"], told["seconds"]) == ("BCLS", "bcls", None, 5)
    assert list(told["runs"]) == ["0", "1"]
    assert told["runs"]["1"] == {
        "folder": str(tmp_path / "study" / "bcls" / "seed-1"),
        "best_epoch": 1,
        "seconds": 5,
        "metrics": finding.runs[1].metrics,
    }
    (one,) = record["differences"]
    (expected,) = result.differences
    assert (one["run"], one["metric"], one["adjusted"]) == ("bcls", "rsum", expected.adjusted)
    assert one["difference"] == pytest.approx(finding.mean("rsum") - result.findings[0].mean("rsum"))
    assert one["significant"] is (expected.adjusted < 0.05) is True


def test_a_single_seed_has_no_deviation(study, finished, tmp_path):
    asked = study(seeds=[0])
    report_study(asked, finished(asked), {})
    record = json.loads((tmp_path / "study" / "study.json").read_text())
    assert record["settings"]["bcls"]["deviation"]["rsum"] is None


def test_one_setting_is_compared_with_nothing(study, finished):
    plan = finished(study())
    for seed in (0, 1):
        plan.runs["bcls", seed].folder.result.unlink()
    result = report_study(study(), plan, {})
    assert ([one.setting.name for one in result.findings], result.differences) == (["triplet"], [])


def test_a_report_of_rivals_at_each_swept_value(study, finished, tmp_path):
    pytest.importorskip("matplotlib")
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
    pytest.importorskip("matplotlib")
    asked = study(pareto={"across": "rsum", "up": "map@r"})
    assert [file.name for file in report_study(asked, finished(asked), {}).pictures] == ["pareto.png"]
    assert report_study(study(), finished(study()), {}).pictures == []  # tau_b, which no run has


def test_nothing_finished(study, tmp_path):
    result = report_study(study(), plan_study(study()), {"x": "why"})
    assert (result.findings, result.files, result.failures) == ([], [], {"x": "why"})
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"about": {"base": ["other.yaml"]}, "settings": {"bcls": {"variant": "bcls"}}}, "results of another study"),
        ({"about": {"base": None}, "settings": {"else": {"variant": "else"}}}, r"variants else\): choose another"),
        ({"rows": []}, "no result of a study"),
    ],
)
def test_the_results_of_another_study_are_not_replaced(study, tmp_path, content, message):
    asked = study(variants={"bcls": {}}, baseline=None)
    if "about" in content and content["about"]["base"] is None:
        content["about"]["base"] = asked.base
    file = tmp_path / "study" / "study.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        conduct_study(asked)
    assert json.loads(file.read_text()) == content
