"""A model of sets from training to a judgement in two stages."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from bcls.assessment.evaluating import FirstStage, OtherModel, evaluate_model
from bcls.assessment.inputs import image_source
from bcls.assessment.model_similarity import evaluating
from bcls.assessment.split_evaluator import SplitEvaluator
from bcls.cli import main
from bcls.data import read_dataset, write_features
from bcls.errors import InputError
from bcls.evaluation import CosineSimilarity, KeptSimilarity, RetrievalTruth, evaluate_similarity, read_result
from bcls.models import RetrievalModel
from bcls.training import load_config, train

SETS = [
    *("--data.features", "regions"),
    *("--model.image_tower", "RegionFeatureTower", "--model.image_tower.dim", "12"),
    *("--model.image_tower.pooling", "mean"),
    *("--model.caption_tower", "BiGRUTower", "--model.caption_tower.dim", "12"),
    *("--model.caption_tower.word_dim", "8", "--model.caption_tower.pooling", "mean"),
    *("--model.similarity", "CrossAttention"),
]


@pytest.fixture(scope="module")
def data(tiny_data, tmp_path_factory) -> Path:
    """The tiny data with two regions an image: the noun's and the place's."""
    folder = Path(shutil.copytree(tiny_data, tmp_path_factory.mktemp("sets") / "data"))
    dataset = read_dataset(folder)
    vectors = dataset.features["vectors"].gather(dataset.feature_rows("vectors"))
    write_features(folder / "features" / "regions", dataset.image_ids, [vectors.reshape(-1, 2, 6)])
    return folder


@pytest.fixture
def run(data, words) -> Path:
    more = ["--data.path", str(data), *SETS, "--optimization.epochs", "4"]
    return train(*load_config(words(*more, output="sets"))).folder


def similarity_of(
    run: Path, data: Path, features: str = "regions"
) -> tuple[RetrievalModel, np.ndarray, RetrievalTruth]:
    """All pairs from the model itself, in one piece."""
    model = RetrievalModel.from_pretrained(run / "model")
    part = read_dataset(data).split("val")
    images = part.features[features].gather(part.feature_rows(features))
    with torch.inference_mode():
        matrix = model(images, part.caption_texts)
    return model, matrix.numpy(), RetrievalTruth(part.caption_image, len(part.images))


def test_a_model_of_sets_learns_and_is_judged_as_its_matrix_is(run, data):
    model, matrix, truth = similarity_of(run, data)
    metrics = evaluate_model(model, str(data), "val", features="regions")
    assert metrics == pytest.approx(evaluate_similarity(matrix, truth), abs=1e-9)
    assert metrics["rsum"] > 150  # chance is 71


@pytest.mark.parametrize("kind", ["GraphReasoning", "AttentionFiltration"])
def test_sgraf_learns(data, words, kind):
    settings = ["--model.similarity", kind, "--model.similarity.dim", "12", "--model.similarity.similarity_dim", "8"]
    more = ["--data.path", str(data), *SETS, *settings, "--optimization.epochs", "20"]
    assert train(*load_config(words(*more))).metrics["rsum"] > 200  # chance is 71


def test_two_stages_from_the_command_line(run, data, words, tmp_path, capsys):
    first = train(*load_config(words("--data.path", str(data), "--optimization.epochs", "1", output="first"))).folder
    command = ["evaluate", str(run), "--first_stage", str(first), "--top", "5", "--scorer", "none"]
    assert main(command) == 0
    assert (run / "val.none.first-5-of-first.json").exists()
    assert "rsum" in capsys.readouterr().out
    model = RetrievalModel.from_pretrained(run / "model")
    quick = FirstStage(RetrievalModel.from_pretrained(first / "model"), "vectors", top=10**6)
    everything = evaluate_model(model, str(data), "val", features="regions", first_stage=quick)
    assert everything == pytest.approx(evaluate_model(model, str(data), "val", features="regions"))


def test_two_stages_do_not_fit_files_and_judged_protocols(run, data, tmp_path):
    model = RetrievalModel.from_pretrained(run / "model")
    with pytest.raises(InputError, match="judges one similarity, not two stages"):
        evaluate_model(
            model, str(data), "val", features="regions", protocol="eccv", first_stage=FirstStage(model, "regions")
        )
    np.save(tmp_path / "s.npy", np.eye(2))
    np.savetxt(tmp_path / "rows.txt", [0, 1], fmt="%d")
    files = ["--similarity", str(tmp_path / "s.npy"), "--caption_image", str(tmp_path / "rows.txt")]
    assert main(["evaluate", *files, "--first_stage", str(run)]) == 2


def test_an_ensemble_from_the_command_line_is_the_mean_of_both_matrices(run, data, words, capsys):
    other = train(*load_config(words("--data.path", str(data), "--optimization.epochs", "1", output="other"))).folder
    assert main(["evaluate", str(run), "--ensemble", str(other), "--scorer", "none"]) == 0
    metrics, about = read_result(run / "val.none.with-other.json")
    assert about["ensemble"] == [str(other)]
    assert " + other" in capsys.readouterr().out
    _, first, truth = similarity_of(run, data)
    _, second, _ = similarity_of(other, data, "vectors")
    assert metrics == pytest.approx(evaluate_similarity((first + second) / 2, truth), abs=1e-9)


def test_an_ensemble_ranks_nothing_anew_and_is_of_models(run, data, tmp_path):
    model = RetrievalModel.from_pretrained(run / "model")
    with pytest.raises(InputError, match="by one model, not by an ensemble"):
        evaluate_model(
            model,
            str(data),
            "val",
            features="regions",
            first_stage=FirstStage(model, "regions"),
            ensemble=[OtherModel(model, "regions")],
        )
    np.save(tmp_path / "s.npy", np.eye(2))
    np.savetxt(tmp_path / "rows.txt", [0, 1], fmt="%d")
    files = ["--similarity", str(tmp_path / "s.npy"), "--caption_image", str(tmp_path / "rows.txt")]
    assert main(["evaluate", *files, "--ensemble", str(run)]) == 2
    assert main(["evaluate", str(run), "--ensemble", str(run)]) == 2


def test_sets_have_no_embedding_and_vectors_a_cosine(run, data, words):
    model = RetrievalModel.from_pretrained(run / "model")
    part = read_dataset(data).split("val")
    evaluator = SplitEvaluator(part, image_source(part, "regions", model), model)
    assert isinstance(evaluator.similarity(model), KeptSimilarity)
    with pytest.raises(InputError, match="CrossAttention compares sets of vectors"):
        evaluator.embed(model)
    of_vectors = RetrievalModel(model.image_tower, model.caption_tower)
    assert isinstance(evaluator.similarity(of_vectors), CosineSimilarity)


def test_the_mode_is_put_back_even_after_an_error(run):
    model = RetrievalModel.from_pretrained(run / "model").train()

    def fail() -> None:
        with evaluating(model):
            assert not model.training
            raise InputError("no")

    with pytest.raises(InputError, match="no"):
        fail()
    assert model.training
    assert not torch.is_inference_mode_enabled()
