"""A whole run: what it leaves, that it learns, that it can be repeated."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from bcls.data import Caption, RetrievalDataset, read_dataset, write_dataset, write_features
from bcls.errors import InputError
from bcls.evaluation import read_queries, read_result
from bcls.models import RetrievalModel
from bcls.relevance import Calibration, TfidfScorer
from bcls.training import load_config, train
from bcls.training.callbacks.history import read_history
from bcls.training.chance import Chance
from bcls.training.run_folder import RunFolder


def _train(words: list[str], *, resume: bool = False):
    return train(*load_config(words), resume=resume)


def test_a_run_learns_and_leaves_everything(words, tiny_data):
    result = _train(words("--optimization.epochs", "6", "--validation.scorer", "CiderScorer"))
    assert result.metrics["rsum"] > 2 * Chance.of(24, 48).mean
    folder = result.folder
    metrics, about = read_result(folder / "result.json")
    assert metrics == result.metrics
    assert about == {"run": "run", "split": "val", "best_epoch": result.best_epoch, "first_epoch": 1}
    assert "tau_b" in metrics
    history = read_history(folder / "history.csv")
    assert [row["epoch"] for row in history] == list(range(1, 7))
    best = max(history, key=lambda row: row["rsum"])
    assert best["rsum"] == pytest.approx(metrics["rsum"])
    assert best["epoch"] == result.best_epoch
    lines = (folder / "history.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [[str(n), str(6 * n)] for n in range(1, 7)]
    assert yaml.safe_load((folder / "config.yaml").read_text())["data"]["path"] == str(tiny_data)
    facts = json.loads((folder / "provenance.json").read_text())
    assert set(facts["data"]) == {"dataset", "features", "config"}
    queries = read_queries(folder / "queries.safetensors")
    assert (queries["image_to_text/rank"] <= 10).mean() * 100 == pytest.approx(metrics["image_to_text/recall@10"])
    assert (folder / "checkpoints" / "last.ckpt").is_file()
    assert any((folder / "tensorboard").iterdir())
    assert isinstance(RetrievalModel.from_pretrained(folder / "model"), RetrievalModel)


def test_the_same_seed_gives_the_same_weights(words):
    one, two = (_train(words(output=name)).folder / "model" / "model.safetensors" for name in ("one", "two"))
    other = _train(words("--seed", "1", output="other")).folder / "model" / "model.safetensors"
    first, second, third = (load_file(file) for file in (one, two, other))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], third[name]) for name in first)


def test_hard_negatives_that_never_start_are_all_negatives(words):
    runs = {
        "never": ["--loss.negatives", "hard", "--optimization.hard_negatives_start", "1.0"],
        "half": ["--loss.negatives", "hard", "--optimization.hard_negatives_start", "0.5"],
        "all": ["--loss.negatives", "all"],
        "hard": ["--loss.negatives", "hard"],
    }
    weights = {
        name: _train(words("--loss", "TripletLoss", *more, output=name)).folder / "model" / "model.safetensors"
        for name, more in runs.items()
    }
    assert weights["never"].read_bytes() == weights["all"].read_bytes()
    assert len({file.read_bytes() for file in weights.values()}) == 3


def test_a_used_folder_is_refused_and_a_finished_run_resumes_to_itself(words):
    result = _train(words())
    with pytest.raises(InputError, match="--resume true"):
        _train(words())
    assert _train(words(), resume=True).metrics == result.metrics


def test_a_run_that_another_process_trains_is_left_alone(words, tmp_path):
    (tmp_path / "run").mkdir()
    with RunFolder(tmp_path / "run").alone(), pytest.raises(InputError, match="another process trains here"):
        _train(words(), resume=True)
    assert [file.name for file in (tmp_path / "run").iterdir()] == [".lock"]


def test_a_resumed_run_keeps_its_calibration(words, tmp_path):
    file = tmp_path / "tfidf.json"
    curve = Calibration((0.0, 1.0), (0.2, 0.9), TfidfScorer().settings())
    curve.save(file)
    calibrated = words("--labels.calibration", str(file), "--optimization.epochs", "1")
    folder = _train(calibrated).folder
    assert json.loads((folder / "provenance.json").read_text())["data"]["calibration"] == curve.hash
    Calibration((0.0, 1.0), (0.1, 0.9), TfidfScorer().settings()).save(file)
    with pytest.raises(InputError, match="was begun with another calibration"):
        _train(calibrated, resume=True)


@pytest.mark.parametrize("changed", ["dataset", "features"])
def test_a_resumed_run_keeps_its_data(words, tiny_data, tmp_path, changed):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_data, copy)
    own = words("--data.path", str(copy), "--optimization.epochs", "1")
    folder = _train(own).folder
    before = (folder / "provenance.json").read_text()
    dataset = read_dataset(copy)
    shutil.rmtree(copy)
    captions = (Caption("0#0", "another text"),)
    first = replace(dataset.images[0], captions=captions) if changed == "dataset" else dataset.images[0]
    write_dataset(copy, RetrievalDataset("tiny", [first, *dataset.images[1:]], None, {}))
    values = np.load(tiny_data / "features" / "vectors" / "00000.npy") * (2 if changed == "features" else 1)
    write_features(copy / "features" / "vectors", dataset.image_ids, [values])
    with pytest.raises(InputError, match=f"was begun with another {changed}"):
        _train(own, resume=True)
    assert (folder / "provenance.json").read_text() == before


def test_a_resumed_run_keeps_its_table(words, tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("image_id,caption_id,score\n0,1#0,0.5\n")
    rated = words("--labels.scorer", "null", "--labels.table", str(file), "--optimization.epochs", "1")
    _train(rated)
    file.write_text("image_id,caption_id,score\n0,1#0,0.6\n")
    with pytest.raises(InputError, match="was begun with another table"):
        _train(rated, resume=True)


@pytest.mark.parametrize(
    "wrong",
    [["--data.features", "others"], ["--validation.monitor", "r1"], ["--optimization.batch_size", "400"]],
)
def test_a_refused_start_leaves_the_folder_free(words, tmp_path, wrong):
    with pytest.raises(InputError):
        _train(words(*wrong))
    assert not (tmp_path / "run").exists()


def test_early_stopping(words):
    patient = words("--optimization.epochs", "30", "--validation.patience", "2")
    result = _train(patient)
    rows = read_history(result.folder / "history.csv")
    assert len(rows) == result.best_epoch + 2 < 30
    model = (result.folder / "model" / "model.safetensors").read_bytes()
    assert _train(patient, resume=True).metrics == result.metrics
    assert read_history(result.folder / "history.csv") == rows
    assert (result.folder / "model" / "model.safetensors").read_bytes() == model


def test_an_unknown_monitor_is_refused(words):
    with pytest.raises(InputError, match=r"no metric 'r1'"):
        _train(words("--validation.monitor", "r1"))


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_number_formats(words, precision):
    result = _train(words("--optimization.precision", precision))
    assert result.metrics["rsum"] > Chance.of(24, 48).mean


@pytest.mark.parametrize(
    "loss",
    [
        ["--loss", "TripletLoss", "--loss.negatives", "hard"],
        ["--loss", "TripletLoss", "--loss.negatives", "semi-hard"],
        ["--loss", "InfoNCELoss", "--loss.learnable_temperature", "true"],
        ["--loss", "SigmoidLoss"],
        ["--loss", "KendallLoss", "--loss.pairs", "all"],
    ],
)
def test_every_loss_trains(words, loss):
    result = _train(words(*loss))
    assert result.metrics["rsum"] > Chance.of(24, 48).mean


def test_chance_is_that_of_random_rankings():
    # One image, one caption: always found.
    assert Chance.of(1, 1).mean == 600
    # Ten images with one caption each: 1, 5 and 10 of 10 in both directions.
    assert Chance.of(10, 10).mean == pytest.approx(2 * (10 + 50 + 100))


@pytest.mark.parametrize("damage", [lambda whole: b"", lambda whole: whole[: len(whole) // 2], lambda whole: b"no zip"])
def test_a_damaged_checkpoint_is_named_with_what_to_do(words, tmp_path, damage):
    words = words("--optimization.epochs", "1")
    _train(words)
    checkpoint = tmp_path / "run" / "checkpoints" / "last.ckpt"
    checkpoint.write_bytes(damage(checkpoint.read_bytes()))
    with pytest.raises(InputError, match=r"last\.ckpt: damaged \(.*\); delete it to train from the start"):
        _train(words, resume=True)
    checkpoint.unlink()
    assert _train(words, resume=True).metrics
