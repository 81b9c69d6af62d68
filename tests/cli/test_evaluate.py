"""`bcls evaluate`, as a person calls it."""

from __future__ import annotations

import json


def test_evaluate_repeats_the_runs_result(bcls, config, tmp_path):
    bcls("train", "--config", config)
    said = bcls("evaluate", tmp_path / "run", "--scorer", "none", "--labels", tmp_path / "labels")
    assert said.code == 0, said.err
    of_training = json.loads((tmp_path / "run" / "result.json").read_text())["metrics"]
    assert json.loads((tmp_path / "run" / "val.json").read_text())["metrics"] == of_training


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
