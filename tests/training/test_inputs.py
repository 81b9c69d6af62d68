"""What a run is refused for before it starts, and what it starts with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bcls.data import NeighbourBatchSampler
from bcls.errors import InputError
from bcls.relevance import Calibration, CiderScorer, TfidfScorer
from bcls.training import load_config
from bcls.training.inputs import open_data, prepare_inputs


def _prepare(words: list[str], tmp_path):
    config = load_config(words)[0]
    return prepare_inputs(config, open_data(config.data), tmp_path / "labels")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--data.features", "regions"], r"no features 'regions'; there are: vectors"),
        (["--data.train_split", "training"], "training"),
        (["--data.path", "nowhere"], "nowhere"),
        (["--optimization.batch_size", "49"], r"batch_size is 49, but the train split has 48 images"),
        (["--labels.scorer", "null"], r"BCLSLoss needs continuous labels: set labels.scorer"),
        (
            ["--loss", "TripletLoss", "--labels.scorer", "null", "--data.sampler", "neighbours"],
            r"neighbours needs continuous labels",
        ),
        (["--data.features", "null"], "set data.features in the config to vectors"),
        (["--labels.noise", "1.5"], r"labels.noise is 1.5"),
    ],
)
def test_refusals(words, tmp_path, wrong, message):
    with pytest.raises(InputError, match=message):
        _prepare(words(*wrong), tmp_path)


def test_a_loss_without_labels_needs_no_scorer(words, tmp_path):
    inputs = _prepare(words("--loss", "InfoNCELoss", "--labels.scorer", "null"), tmp_path)
    assert next(iter(inputs.loader)).relevance is None


def test_a_batch_holds_the_scorers_relevance(words, tmp_path):
    batch = next(iter(_prepare(words(), tmp_path).loader))
    assert batch.relevance.shape == (16, 16)
    torch.testing.assert_close(batch.relevance.diagonal(), torch.ones(16))
    assert batch.relevance.min() < 0.5


def test_noise_spoils_a_share_of_the_labels_by_the_runs_seed(words, tmp_path):
    clean, one, same, other = (
        next(iter(_prepare(words(*more), tmp_path).loader)).relevance
        for more in ([], *(["--labels.noise", noise] for noise in ("0.5", "0.5", "0.9")))
    )
    assert torch.equal(one, same)
    torch.testing.assert_close(one.diagonal(), torch.ones(16))
    assert 0 < (clean != one).sum() < (clean != other).sum()


@pytest.mark.parametrize("kind", ["npy", "safetensors"])
def test_a_matrix_of_relevance_gives_labels(words, tmp_path, kind):
    train = open_data(load_config(words())[0].data).split("train")
    matrix = np.random.default_rng(0).random((len(train.images), len(train.caption_ids))).astype(np.float32)
    file = tmp_path / f"relevance.{kind}"
    if kind == "npy":
        np.save(file, matrix)
    else:
        save_file({"relevance": torch.from_numpy(matrix)}, file)
    given = words("--labels.scorer", "null", "--labels.table", str(file))
    batch = next(iter(_prepare(given, tmp_path).loader))
    found = {round(value, 5) for value in batch.relevance.flatten().tolist()}
    assert found <= {round(value, 5) for value in matrix.flatten().tolist()}
    np.save(tmp_path / "small.npy", matrix[:, 1:])
    with pytest.raises(InputError, match="its rows must be the images and its columns the captions"):
        _prepare(words("--labels.scorer", "null", "--labels.table", str(tmp_path / "small.npy")), tmp_path)


def test_a_table_of_ratings_gives_labels(words, tmp_path):
    table = tmp_path / "ratings.csv"
    table.write_text("image_id,caption_id,score\n0,0#0,4\n0,1#0,1\n")
    inputs = _prepare(
        words("--labels.scorer", "null", "--labels.table", str(table), "--labels.highest", "4.0"), tmp_path
    )
    values = torch.cat([batch.relevance.flatten() for batch in inputs.loader])
    known = values[~values.isnan()]
    assert len(known) >= 48  # at least every pair of an image and its own caption
    assert set(known.tolist()) <= {0.25, 1.0}


def test_a_calibration_maps_the_scorers_relevance_and_own_captions_stay_1(words, tmp_path):
    file = tmp_path / "tfidf.json"
    curve = Calibration((0.0, 0.4, 1.0), (0.2, 0.7, 0.9), TfidfScorer().settings())
    curve.save(file)
    plain = next(iter(_prepare(words(), tmp_path).loader)).relevance.numpy()
    mapped = next(iter(_prepare(words("--labels.calibration", str(file)), tmp_path).loader)).relevance.numpy()
    own = np.eye(16, dtype=bool)
    np.testing.assert_allclose(mapped[~own], curve(plain[~own]), atol=1e-6)
    assert (mapped[own] == 1).all()
    assert mapped.min() >= 0.2


def test_a_calibration_that_does_not_belong_is_refused(words, tmp_path):
    file = tmp_path / "cider.json"
    Calibration((0.0, 1.0), (0.2, 0.9), CiderScorer().settings()).save(file)
    with pytest.raises(InputError, match=r"labels come from .*tfidf"):
        _prepare(words("--labels.calibration", str(file)), tmp_path)
    with pytest.raises(InputError, match=r"absent\.json: no such file"):
        _prepare(words("--labels.calibration", str(tmp_path / "absent.json")), tmp_path)
    with pytest.raises(InputError, match="a table of ratings is on the scale of people already"):
        _prepare(words("--labels.calibration", str(file), "--labels.table", "ratings.csv"), tmp_path)


def test_neighbours_can_be_asked_for(words, tmp_path):
    inputs = _prepare(words("--data.sampler", "neighbours"), tmp_path)
    assert isinstance(inputs.loader._sampler, NeighbourBatchSampler)
    assert sum(len(batch) for batch in inputs.loader) >= 80


def test_towers_learn_from_the_train_split_alone(words, tmp_path):
    inputs = _prepare(words(), tmp_path)
    train = inputs.dataset.split("train")
    expected = train.features["vectors"].gather(train.feature_rows("vectors")).astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(inputs.model.image_tower.standardize.mean.numpy(), expected, atol=1e-6)
