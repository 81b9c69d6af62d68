"""What a run is refused for before it starts, and what it starts with."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bcls.data import NeighbourBatchSampler
from bcls.errors import InputError
from bcls.training import load_config
from bcls.training.inputs import prepare_inputs


def _prepare(words: list[str], tmp_path):
    return prepare_inputs(load_config(words)[0], tmp_path / "labels")


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
        (["--data.features", "null"], "no picture"),
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


def test_neighbours_can_be_asked_for(words, tmp_path):
    inputs = _prepare(words("--data.sampler", "neighbours"), tmp_path)
    assert isinstance(inputs.loader._sampler, NeighbourBatchSampler)
    assert sum(len(batch) for batch in inputs.loader) >= 80


def test_towers_learn_from_the_train_split_alone(words, tmp_path):
    inputs = _prepare(words(), tmp_path)
    train = inputs.dataset.split("train")
    expected = train.features["vectors"].gather(train.feature_rows("vectors")).astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(inputs.model.image_tower.standardize.mean.numpy(), expected, atol=1e-6)
