"""`bcls train`, as a person calls it."""

from __future__ import annotations

import yaml


def test_train_prints_the_table_and_says_where_things_are(bcls, config, tmp_path):
    said = bcls("train", "--config", config)
    assert said.code == 0, said.err
    assert "rsum" in said.out
    assert f"best epoch 1; model, result and history in {tmp_path / 'run'}" in said.out
    assert "epoch 1/1" in said.err or "epoch 1/1" not in said.out
    assert max(len(line) for line in said.out.splitlines()[:-1]) <= 80


def test_dotted_words_override_the_file(bcls, config, tmp_path):
    assert bcls("train", "--config", config, "--loss.window", "4", "--output", tmp_path / "other").code == 0
    written = yaml.safe_load((tmp_path / "other" / "config.yaml").read_text())
    assert written["loss"]["init_args"]["window"] == 4


def test_options_may_be_written_with_hyphens(bcls, config, tmp_path):
    words = ("--loss.kendall-weight=0.7", "--optimization.learning-rate", "0.02", "--output", tmp_path / "my-run")
    assert bcls("train", "--config", config, *words).code == 0
    written = yaml.safe_load((tmp_path / "my-run" / "config.yaml").read_text())
    assert written["loss"]["init_args"]["kendall_weight"] == 0.7
    assert written["optimization"]["learning_rate"] == 0.02


def test_a_config_in_another_encoding_is_refused(bcls, tmp_path):
    (tmp_path / "latin.yaml").write_bytes("output: caf\xe9\n".encode("latin-1"))
    said = bcls("train", "--config", tmp_path / "latin.yaml")
    assert (said.code, said.err.count("\n")) == (2, 1), said.err


def test_refusals_are_one_line(bcls, config, tmp_path):
    for words, named in [
        (("train",), "required"),
        (("train", "--config", tmp_path / "no.yaml"), "no.yaml"),
        (("train", "--config", config, "--loss.window", "wide"), "window"),
        (("train", "--config", config, "--data.path", tmp_path / "none"), "none"),
    ]:
        said = bcls(*words)
        assert said.code == 2, (words, said.err)
        assert said.err.startswith("bcls: error: ")
        assert said.err.count("\n") == 1
        assert named in said.err
