"""From pictures to the features of a pretrained encoder, and to a model that was trained on them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from bcls.data import read_dataset
from bcls.embedding import embed
from bcls.embedding.features import compute_features
from bcls.errors import InputError
from bcls.models import PretrainedCaptionTower, PretrainedImageTower, RetrievalModel
from tiny_folders import tiny_model


def tower(kind: str, **settings) -> PretrainedImageTower:
    made = PretrainedImageTower(model=str(tiny_model(kind)), dim=8, trained="nothing", **settings)
    made.fit([Image.new("RGB", (9, 9))])
    return made.eval()


@pytest.mark.parametrize(("kind", "pooling"), [("pooled", "own"), ("mean", "mean"), ("patches", "gpo")])
def test_features_are_what_the_tower_computes(kind, pooling, collection):
    dataset = read_dataset(collection)
    place = collection / "features" / "vit"
    result = compute_features(dataset, str(tiny_model("vit")), place, kind=kind, shard_images=4, workers=3)
    assert (result.made, result.kept, result.broken) == (3, 0, [])
    made = tower("vit", pooling=pooling)
    with torch.no_grad():
        pictures = [Image.open(dataset.image_path(row)) for row in range(10)]
        expected = made.encode(made.prepare(pictures)).numpy()
    store = read_dataset(collection).features["vit"]
    # features are kept in float16; in float32 the threads of a block may add in another order
    np.testing.assert_allclose(store.gather(store.rows(dataset.image_ids)), expected, rtol=2**-11, atol=2e-6)
    made.require_features(store.about)


def test_goes_on_where_it_was_cut_short(collection, monkeypatch):
    dataset, place = read_dataset(collection), collection / "features" / "vit"
    encode = PretrainedImageTower.encode
    calls = []

    def failing(self, pictures):
        calls.append(len(pictures))
        if len(calls) == 3:  # the first is that of `fit`
            raise KeyboardInterrupt
        return encode(self, pictures)

    monkeypatch.setattr(PretrainedImageTower, "encode", failing)
    with pytest.raises(KeyboardInterrupt):
        compute_features(dataset, str(tiny_model("vit")), place, shard_images=4)
    monkeypatch.setattr(PretrainedImageTower, "encode", encode)
    result = compute_features(dataset, str(tiny_model("vit")), place, shard_images=4)
    assert (result.made, result.kept) == (2, 1)
    assert result.store.ids == dataset.image_ids


def test_pictures_that_cannot_be_read_are_told_and_left_out(collection):
    (collection / "images" / "p3.png").write_bytes(b"no picture")
    (collection / "images" / "p7.png").unlink()
    dataset, place = read_dataset(collection), collection / "features" / "vit"
    result = compute_features(dataset, str(tiny_model("vit")), place, shard_images=4)
    assert [one.id for one in result.broken] == ["p3", "p7"]
    assert "not a readable picture" in result.broken[0].why
    assert result.store.missing(dataset.image_ids) == ["p3", "p7"]


def test_a_picture_that_was_mended_is_computed(collection, monkeypatch):
    dataset, place = read_dataset(collection), collection / "features" / "vit"
    whole = (collection / "images" / "p3.png").read_bytes()
    (collection / "images" / "p3.png").write_bytes(b"no picture")
    with monkeypatch.context() as patch:
        patch.setattr("bcls.data.feature_writer.FeatureWriter.finish", lambda *_: None)
        compute_features(dataset, str(tiny_model("vit")), place, shard_images=4)
    (collection / "images" / "p3.png").write_bytes(whole)
    result = compute_features(dataset, str(tiny_model("vit")), place, shard_images=4)
    assert (result.made, result.kept, result.broken) == (1, 2, [])
    assert sorted(result.store.ids) == sorted(dataset.image_ids)


def test_features_of_another_encoder_or_kind_are_refused(collection):
    dataset = read_dataset(collection)
    store = compute_features(dataset, str(tiny_model("vit")), collection / "features" / "vit").store
    with pytest.raises(InputError, match=r"features are of another encoder than this tower's.*bcls features"):
        tower("dinov2").require_features(store.about)
    with pytest.raises(InputError, match="features are of another kind"):
        tower("vit", pooling="mean").require_features(store.about)
    tower("vit").require_features({})


def test_a_model_trained_on_features_embeds_both(collection, tmp_path):
    compute_features(read_dataset(collection), str(tiny_model("vit")), collection / "features" / "vit")
    captions = PretrainedCaptionTower(model=str(tiny_model("bert")), dim=8, trained="nothing")
    captions.fit(["a red picture"])
    RetrievalModel(tower("vit"), captions).save_pretrained(tmp_path / "model")
    vectors = []
    for features in ("vit", None):
        result = embed(tmp_path / "model", collection, tmp_path / str(features), features=features)
        vectors.append(next(iter(result.embeddings.read_all())).vectors)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=5e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"kind": "all"}, "kind is 'all'"), ({"workers": 0}, "workers is 0"), ({"shard_images": 0}, "shard_images 0")],
)
def test_unusable_settings_are_refused(collection, settings, message):
    with pytest.raises(InputError, match=message):
        compute_features(read_dataset(collection), "vit", collection / "features" / "vit", **settings)


def test_a_data_set_without_pictures_is_refused(collection):
    dataset = read_dataset(collection)
    dataset.image_folder = None
    with pytest.raises(InputError, match="has no pictures to compute features of"):
        compute_features(dataset, str(tiny_model("vit")), collection / "features" / "vit")


def test_about_is_json(collection):
    place = collection / "features" / "clip"
    compute_features(read_dataset(collection), str(tiny_model("clip")), place)
    about = json.loads((place / "about.json").read_text())
    assert about["model"] == "clip"
    assert about["kind"] == "pooled"
    assert str(tiny_model("clip")) not in json.dumps(about)
