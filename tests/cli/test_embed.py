"""`bcls embed`: what it tells, what it leaves, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from bcls.data import read_dataset, write_features
from bcls.embedding.shards import Embeddings
from bcls.models import BagOfWordsTower, PooledFeatureTower, RetrievalModel


@pytest.fixture
def model(folder: Path, tmp_path: Path) -> Path:
    """A saved model of the folder's features that nobody trained."""
    torch.manual_seed(0)
    dataset = read_dataset(folder)
    made = RetrievalModel(PooledFeatureTower(dim=4), BagOfWordsTower(dim=4, minimum_count=1))
    made.image_tower.fit(dataset.features["vectors"].gather(np.arange(16)))
    made.caption_tower.fit(dataset.caption_texts)
    made.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def embed(bcls, model, folder, tmp_path):
    """`embed(...)`: into `embeddings`, five images a shard."""

    def call(*more: str | Path):
        words = ("--features", "vectors", "--shard_images", "5", *more)
        return bcls("embed", model, folder, tmp_path / "embeddings", *words)

    return call


def records(folder: Path) -> dict[str, np.ndarray]:
    return {
        name: vector
        for shard in Embeddings.open(folder).read_all()
        for (name, _), vector in zip(shard.rows, shard.vectors, strict=True)
    }


def test_images_and_captions_become_the_models_vectors(embed, model, folder, tmp_path):
    said = embed()
    assert said.code == 0
    assert said.out.endswith(f"5 shards made, 0 were there; 0 images broken: {tmp_path / 'embeddings'}\n")
    assert json.loads((tmp_path / "embeddings" / "broken.json").read_text()) == []
    found = records(tmp_path / "embeddings")
    dataset, trained = read_dataset(folder), RetrievalModel.from_pretrained(model)
    assert set(found) == {*dataset.image_ids, *(f"caption:{name}" for name in dataset.caption_ids)}
    with torch.no_grad():
        expected = trained.encode_text([dataset.caption_texts[3]])[0]
    np.testing.assert_allclose(found[f"caption:{dataset.caption_ids[3]}"], expected.numpy(), atol=1e-6)


def test_a_second_run_makes_nothing_anew(embed):
    embed()
    assert "0 shards made, 5 were there" in embed().out


def test_parts_share_the_shards(embed, tmp_path):
    assert "3 shards made" in embed("--part", "1/2").out
    assert "2 shards made" in embed("--part", "2/2").out
    assert (tmp_path / "embeddings" / "broken-2-of-2.json").is_file()
    assert len(records(tmp_path / "embeddings")) == 24 + 48


def test_a_split_alone(embed, tmp_path):
    embed("--split", "val")
    assert len(records(tmp_path / "embeddings")) == 8 + 16


def test_broken_images_are_told_ten_at_most_and_listed_all(embed, folder, tmp_path):
    write_features(folder / "features" / "holes", read_dataset(folder).image_ids[12:], [np.ones((12, 8))])
    said = embed("--features", "holes")
    assert said.code == 0
    assert said.out.count("broken: ") == 10 + 1  # and the sum at the end
    assert f"... and 2 more in {tmp_path / 'embeddings' / 'broken.json'}" in said.out
    listed = json.loads((tmp_path / "embeddings" / "broken.json").read_text())
    assert [one["id"] for one in listed] == [str(number) for number in range(12)]
    assert all(one["why"] for one in listed)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--part", "half"), "--part half: I/N is expected, e.g. 1/4"),
        (("--part", "3/2"), "3"),
        (("--split", "no"), "no"),
        (("--features", "no"), "no"),
        (("--shard_images", "0"), "0"),
    ],
)
def test_what_it_refuses(embed, more, message):
    said = embed(*more)
    assert said.code == 2
    assert message in said.err
    assert "Traceback" not in said.err
    assert said.err.count("\n") == 1
