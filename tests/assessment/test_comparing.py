"""Several models on the same queries, each as if it were alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from bcls.assessment.comparing import ModelOnData, evaluate_models
from bcls.assessment.inputs import image_source
from bcls.assessment.split_evaluator import SplitEvaluator
from bcls.data import read_dataset, write_features
from bcls.data.labels import label_split
from bcls.data.scenes import make_scenes, open_scene_relevance
from bcls.errors import InputError
from bcls.evaluation import per_query_similarity
from bcls.models import BagOfWordsTower, PooledFeatureTower, RetrievalModel
from bcls.relevance import TfidfScorer


@pytest.fixture(scope="module")
def models(tiny_data, tmp_path_factory) -> dict[str, Path]:
    """Saved models of two sizes that nobody trained."""
    train = read_dataset(tiny_data).split("train")
    folder = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(("small", "large")):
        torch.manual_seed(seed)
        model = RetrievalModel(PooledFeatureTower(dim=4 * seed + 4), BagOfWordsTower(dim=4 * seed + 4, minimum_count=1))
        model.image_tower.fit(train.features["vectors"].gather(np.arange(10)))
        model.caption_tower.fit(train.caption_texts)
        model.save_pretrained(folder / name)
    return {name: folder / name for name in ("small", "large")}


@pytest.fixture
def on(models, tiny_data):
    """`on(large=folder)`: both models, each on the tiny data or on a folder of its own."""

    def make(**folders):
        return {name: ModelOnData(path, str(folders.get(name, tiny_data)), "vectors") for name, path in models.items()}

    return make


def alone(path, data, relevance=None):
    part = read_dataset(data).split("val")
    model = RetrievalModel.from_pretrained(path)
    return SplitEvaluator(part, image_source(part, "vectors", model), model, relevance).queries(model)


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-6, err_msg=name)


def test_each_result_is_that_of_the_model_alone(on, models, tiny_data):
    evaluated = evaluate_models(on(), "val")
    assert list(evaluated.results) == list(evaluated.similarities) == ["small", "large"]
    for name, path in models.items():
        assert_same(evaluated.results[name], alone(path, tiny_data))
        assert_same(per_query_similarity(evaluated.similarities[name], evaluated.truth), evaluated.results[name])
    assert not np.array_equal(*(result["text_to_image/rank"] for result in evaluated.results.values()))
    part = read_dataset(tiny_data).split("val")
    assert evaluated.part.content_hash() == part.content_hash()
    assert evaluated.truth.caption_image.tolist() == part.caption_image.tolist()
    assert (evaluated.truth.image_ids, evaluated.truth.caption_ids) == (part.image_ids, part.caption_ids)
    assert (evaluated.relevance, evaluated.protocol) == (None, "whole")


def test_a_scorer_gives_graded_metrics_fitted_on_the_split_that_was_named(on, models, tiny_data, tmp_path):
    dataset, found = read_dataset(tiny_data), {}
    for fit_split in ("train", "val"):
        folder = tmp_path / fit_split
        evaluated = evaluate_models(on(), "val", scorer=TfidfScorer(), labels_folder=folder, fit_split=fit_split)
        labels = label_split(dataset, "val", TfidfScorer(), tmp_path / "own" / fit_split, fit_split=fit_split)
        rows = np.arange(24), np.arange(48)
        found[fit_split] = evaluated.relevance.matrix(*rows)
        np.testing.assert_array_equal(found[fit_split], labels.matrix(*rows))
        assert len(list(folder.glob("tfidf/val-*/labels.json"))) == 1
        for name, path in models.items():
            assert_same(evaluated.results[name], alone(path, tiny_data, labels))
            assert "text_to_image/tau_b" in evaluated.results[name]
    assert not np.array_equal(found["train"], found["val"])


def copied(folder: Path, to: Path, old: str = "", new: str = "") -> Path:
    """The data set at another place, a text in it replaced."""
    shutil.copytree(folder, to)
    if old:
        text = (to / "images.jsonl").read_text()
        assert old in text
        (to / "images.jsonl").write_text(text.replace(old, new))
        about = json.loads((to / "dataset.json").read_text())
        (to / "dataset.json").write_text(json.dumps({key: about[key] for key in about if key != "content_hash"}))
    return to


def test_the_same_split_may_lie_elsewhere(on, tiny_data, tmp_path):
    elsewhere = copied(tiny_data, tmp_path / "copy")
    for name, result in evaluate_models(on(), "val").results.items():
        assert_same(evaluate_models(on(large=elsewhere), "val").results[name], result)


def test_splits_that_differ_are_refused_and_both_places_are_named(on, tiny_data, tmp_path):
    part = read_dataset(tiny_data).split("val")
    other = copied(tiny_data, tmp_path / "other", json.dumps(part.caption_texts[0])[1:-1] + '"', 'another dog"')
    with pytest.raises(InputError) as caught:
        evaluate_models(on(large=other), "val")
    assert str(caught.value) == (
        f"small and large cannot be compared: the split 'val' of {tiny_data} and that of {other} hold other images or "
        "captions; name one data set with --data"
    )


@pytest.mark.parametrize(
    ("split", "settings", "message"),
    [
        ("test", {}, "no split 'test'"),
        ("val", {"protocol": "coco-5k"}, "the protocol 'coco-5k' needs 5,000 images"),
        ("val", {"protocol": "all"}, "there is no protocol 'all'"),
        ("val", {"scene_truth": True}, "not a folder of made scenes"),
    ],
)
def test_what_cannot_be_judged_is_refused(split, settings, message, on):
    with pytest.raises(InputError, match=message):
        evaluate_models(on(), split, **settings)


def test_features_that_are_not_there_are_refused(models, tiny_data):
    with pytest.raises(InputError, match="no features 'regions'; there are: vectors"):
        evaluate_models({"small": ModelOnData(models["small"], str(tiny_data), "regions")}, "val")


def test_a_folder_without_a_model_is_refused(tiny_data, tmp_path):
    with pytest.raises(InputError, match="none: no such model folder"):
        evaluate_models({"none": ModelOnData(tmp_path / "none", str(tiny_data), "vectors")}, "val")


def test_scene_truth_is_asked_of_the_first_models_data(models, tmp_path):
    scenes = tmp_path / "scenes"
    make_scenes(scenes, splits={"train": 6, "val": 6}, size=16)
    images = read_dataset(scenes).images
    write_features(scenes / "features" / "vectors", [one.id for one in images], [np.eye(12)[: len(images)]])
    on = {"small": ModelOnData(models["small"], str(scenes), "vectors")}
    evaluated = evaluate_models(on, "val", scorer=TfidfScorer(), scene_truth=True, labels_folder=tmp_path / "labels")
    rows = np.arange(6), np.arange(evaluated.truth.captions)
    truth = open_scene_relevance(scenes, "val")
    np.testing.assert_array_equal(evaluated.relevance.matrix(*rows), truth.matrix(*rows))
    assert not (tmp_path / "labels").exists()


def test_no_model_is_refused():
    with pytest.raises(InputError, match="models is empty; name at least one"):
        evaluate_models({}, "val")
