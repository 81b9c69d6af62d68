"""`bcls evaluate`, as a person calls it."""

from __future__ import annotations

import json

import numpy as np


def test_evaluate_repeats_the_runs_result(bcls, config, tmp_path):
    bcls("train", "--config", config)
    said = bcls("evaluate", tmp_path / "run", "--scorer", "none", "--labels", tmp_path / "labels")
    assert said.code == 0, said.err
    of_training = json.loads((tmp_path / "run" / "result.json").read_text())["metrics"]
    assert json.loads((tmp_path / "run" / "val.none.json").read_text())["metrics"] == of_training


def test_results_by_other_yardsticks_lie_side_by_side(bcls, config, tmp_path):
    bcls("train", "--config", config)
    labels = ("--labels", tmp_path / "labels")
    np.save(tmp_path / "people.npy", np.eye(8).repeat(2, axis=1) / 2 + 0.25)
    for words in ((), ("--scorer", "tfidf"), ("--protocol", "ncs"), ("--relevance", tmp_path / "people.npy")):
        said = bcls("evaluate", tmp_path / "run", *words, *labels)
        assert said.code == 0, said.err
    found = {file.name: json.loads(file.read_text())["about"]["scorer"] for file in (tmp_path / "run").glob("val*")}
    assert found == {
        "val.json": "cider",
        "val.tfidf.json": "tfidf",
        "val.ncs.json": "cider",
        "val.people.json": str(tmp_path / "people.npy"),
    }


def test_a_result_that_cannot_be_written_is_shown_all_the_same(bcls, config, tmp_path):
    bcls("train", "--config", config)
    (tmp_path / "file").write_text("")
    for output in (tmp_path, tmp_path / "file" / "result.json"):
        said = bcls("evaluate", tmp_path / "run", "--scorer", "none", "--output", output)
        assert said.code == 2
        assert "rsum" in said.out
        assert said.err.splitlines()[-1].startswith(f"bcls: error: {tmp_path}")


def test_a_bare_model_is_told_its_data(bcls, config, folder, tmp_path):
    bcls("train", "--config", config)
    model = tmp_path / "run" / "model"
    said = bcls("evaluate", model, "--scorer", "none")
    assert (said.code, "name it with --data" in said.err) == (2, True)
    out = tmp_path / "judged.json"
    words = ("--data", folder, "--features", "vectors", "--scorer", "tfidf", "--labels", tmp_path / "labels")
    assert bcls("evaluate", model, *words, "--output", out).code == 0
    assert "tau_b" in json.loads(out.read_text())["metrics"]


def test_refusals_are_one_line(bcls, config, folder, tmp_path):
    bcls("train", "--config", config)
    for words, named in [
        (("evaluate", tmp_path / "nowhere", "--data", folder), "nowhere"),
        (("evaluate",), "model"),
        (("evaluate", tmp_path / "run", "--split", "test"), "test"),
        (("evaluate", tmp_path / "run", "--scorer", "bleu"), "bleu"),
        (("evaluate", tmp_path / "run", "--scorer", "none", "--protocol", "coco"), "coco"),
        (("evaluate", tmp_path / "run", "--features", "regions"), "regions"),
    ]:
        said = bcls(*words, "--labels", tmp_path / "labels") if len(words) > 1 else bcls(*words)
        assert said.code == 2, (words, said.err)
        assert said.err.splitlines()[-1].startswith("bcls: error: ")
        assert named in said.err.splitlines()[-1]
