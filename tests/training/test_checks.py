"""A run that cannot succeed is refused before any work is done."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

from bcls.data import RetrievalDataset, read_dataset, write_dataset, write_features
from bcls.errors import InputError, MissingExtraError
from bcls.models import BagOfWordsTower, BiGRUTower, ConvTower, PooledFeatureTower, RegionFeatureTower, RetrievalModel
from bcls.relevance import Calibration, CiderScorer, TfidfScorer
from bcls.training import checks, load_config, train
from bcls.training.checks import check_run


@pytest.fixture(scope="module")
def more_features(tiny_data, tmp_path_factory):
    """The tiny data set with features of regions beside those of whole images."""
    folder = tmp_path_factory.mktemp("more") / "data"
    shutil.copytree(tiny_data, folder)
    ids = read_dataset(folder).image_ids
    write_features(folder / "features" / "regions", ids, [np.ones((len(ids), 3, 4), dtype=np.float32)])
    return folder


def test_the_towers_without_settings_fit_each_other():
    for image_tower in (ConvTower, PooledFeatureTower, RegionFeatureTower):
        for caption_tower in (BagOfWordsTower, BiGRUTower):
            RetrievalModel(image_tower(), caption_tower())


@pytest.fixture
def no_work(monkeypatch):
    """Fail where a caption is encoded, a tower fitted or an image opened."""

    def refuse(*given, **named):
        raise AssertionError("work was done")

    for name in ("label_split", "image_neighbours", "_fit"):
        monkeypatch.setattr(f"bcls.training.inputs.{name}", refuse)
    monkeypatch.setattr("bcls.training.run.label_split", refuse)
    monkeypatch.setattr("bcls.assessment.inputs.check_dataset", refuse)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            ["--model.image_tower.dim", "8"],
            r"image tower's dim is 8, the caption tower's 16.*set dim of model.image_tow",
        ),
        (["--model.similarity", "CrossAttention"], r"model: .*CrossAttention"),
        (["--validation.monitor", "r1"], r"validation.monitor: no metric 'r1'"),
        (["--validation.monitor", "tau_b"], r"validation.monitor: no metric 'tau_b'"),
        (["--data.train_split", "training"], r"no split 'training'; there are train, val"),
        (["--data.validation_split", "test"], r"no split 'test'; there are train, val"),
        (["--data.features", "others"], r"no features 'others'; there are: regions, vectors"),
        (["--data.features", "regions"], r"PooledFeatureTower takes features of shape \(images, dim\).*choose vectors"),
        (
            ["--model.image_tower", "RegionFeatureTower", "--model.image_tower.dim", "16"],
            r"RegionFeatureTower takes features of shape \(images, regions, dim\).*choose regions",
        ),
        (
            ["--model.image_tower", "ConvTower", "--model.image_tower.dim", "16"],
            r"ConvTower takes pictures: set data.features to null",
        ),
        (["--data.features", "null"], r"only features: set data.features in the config to one of regions, vectors"),
        (["--optimization.batch_size", "49"], r"batch_size is 49, but the train split has 48 images"),
        (["--labels.scorer", "null"], r"BCLSLoss needs continuous labels: set labels.scorer"),
        (["--labels.table", "no.csv"], r"labels.table: no.csv: no such file"),
        (["--labels.calibration", "no.json"], r"no.json: no such file"),
        (["--validation.scene_truth", "true"], r"not a folder of made scenes"),
        (
            ["--optimization.accelerator", "abacus"],
            r"accelerator 'abacus' with precision '32-true' cannot be used here",
        ),
    ],
)
def test_it_is_said_before_any_work(words, tmp_path, more_features, no_work, wrong, message):
    with pytest.raises(InputError, match=message):
        train(*load_config(words("--data.path", str(more_features), *wrong)))
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "labels").exists()


@pytest.mark.parametrize(("field", "option"), [("output", "--output"), ("labels.folder", "--labels.folder")])
def test_a_place_that_cannot_be_written_is_refused(words, tmp_path, monkeypatch, field, option):
    (tmp_path / "file").write_text("")
    for place in ("file", "file/below"):
        with pytest.raises(InputError, match=rf"{field} is .*{place}, but .*file is a file"):
            check_run(load_config(words(option, str(tmp_path / place)))[0])
    monkeypatch.setattr(os, "access", lambda place, mode: place != tmp_path)
    with pytest.raises(InputError, match=rf"{field} is .*new, but there is no permission to write into"):
        check_run(load_config(words("--output", "elsewhere", option, str(tmp_path / "new")))[0])


@pytest.mark.parametrize(
    ("more", "package", "message"),
    [
        ([], "sklearn", r"TfidfScorer needs an extra: pip install 'bcls\[text\]'"),
        (["--labels.scorer", "SentenceScorer"], "sentence_transformers", r"SentenceScorer needs an extra"),
        (["--loss.engine", "compiled"], "numba", r"Kendall loss needs an extra: pip install 'bcls\[fast\]'"),
        (["--labels.scorer", "null", "--labels.table", "t.parquet"], "pyarrow", r"a parquet table needs an extra"),
    ],
)
def test_a_package_that_is_missing_is_said(words, monkeypatch, more, package, message):
    monkeypatch.setattr(checks, "find_spec", lambda name: None if name == package else object())
    with pytest.raises(MissingExtraError, match=message):
        check_run(load_config(words(*more))[0])


def test_a_calibration_of_another_scorer_is_refused(words, tmp_path):
    Calibration((0.0, 1.0), (0.2, 0.9), CiderScorer().settings()).save(tmp_path / "cider.json")
    with pytest.raises(InputError, match=r"labels come from .*tfidf"):
        check_run(load_config(words("--labels.calibration", str(tmp_path / "cider.json")))[0])
    Calibration((0.0, 1.0), (0.2, 0.9), TfidfScorer().settings()).save(tmp_path / "tfidf.json")
    check_run(load_config(words("--labels.calibration", str(tmp_path / "tfidf.json")))[0])


def test_an_image_without_features_is_said(words, tiny_data, tmp_path):
    dataset = read_dataset(tiny_data)
    store = dataset.features["vectors"]
    write_dataset(tmp_path / "data", RetrievalDataset("tiny", dataset.images, None, {}))
    write_features(tmp_path / "data" / "features" / "vectors", dataset.image_ids[1:], [store.gather(np.arange(1, 72))])
    with pytest.raises(InputError, match=r"1 of 48 images have no features, e\.g\. 0"):
        check_run(load_config(words("--data.path", str(tmp_path / "data")))[0])
