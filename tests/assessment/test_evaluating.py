"""Evaluating a saved model on a data set by name."""

from __future__ import annotations

import pytest

from bcls.assessment.evaluating import evaluate_model
from bcls.errors import InputError
from bcls.models import RetrievalModel
from bcls.relevance import CiderScorer
from bcls.training import load_config, train


@pytest.fixture(scope="module")
def run(tiny_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("judged") / "run"
    words = ["--data.path", str(tiny_data), "--data.features", "vectors", "--output", str(folder)]
    words += ["--model.image_tower", "PooledFeatureTower", "--model.caption_tower", "BagOfWordsTower"]
    words += ["--loss", "TripletLoss", "--optimization.epochs", "1", "--optimization.batch_size", "16"]
    words += ["--validation.scorer", "CiderScorer"]
    return train(*load_config(words))


def test_evaluating_again_gives_the_runs_own_result(run, tiny_data, tmp_path):
    model = RetrievalModel.from_pretrained(run.folder / "model")
    metrics = evaluate_model(
        model, str(tiny_data), "val", features="vectors", scorer=CiderScorer(), labels_folder=tmp_path / "labels"
    )
    assert metrics == run.metrics


def test_without_a_scorer_there_are_binary_metrics_alone(run, tiny_data):
    model = RetrievalModel.from_pretrained(run.folder / "model")
    metrics = evaluate_model(model, str(tiny_data), "val", features="vectors")
    assert metrics["rsum"] == run.metrics["rsum"]
    assert "tau_b" not in metrics


@pytest.mark.parametrize(("split", "features"), [("test", "vectors"), ("val", "regions"), ("val", None)])
def test_what_does_not_fit_is_refused(run, tiny_data, split, features):
    model = RetrievalModel.from_pretrained(run.folder / "model")
    with pytest.raises(InputError):
        evaluate_model(model, str(tiny_data), split, features=features)
