"""The image tower: sizes, poolings, features in place of pictures, modes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bcls.errors import InputError
from bcls.models import PretrainedImageTower
from bcls.models.pretrained.encoders import picture_patches, picture_vectors
from tiny_folders import tiny_model


def embed(tower, pictures):
    with torch.no_grad():
        return tower(tower.prepare(pictures))


@pytest.mark.parametrize(("kind", "size"), [("clip", 8), ("siglip", 16)])
def test_a_pair_keeps_its_own_space(kind, size, image_tower, pictures):
    assert PretrainedImageTower(model=str(tiny_model(kind))).dim == size
    tower = image_tower(kind)
    assert tower.dim == size
    with torch.no_grad():
        expected = picture_vectors(tower.encoder, tower.processor.normalize(tower.prepare(pictures)))
    assert torch.equal(embed(tower, pictures), expected)


def test_an_encoder_without_a_partner_needs_a_projection(image_tower, pictures):
    with pytest.raises(InputError, match="is one encoder and not half of a pair: set dim"):
        _ = PretrainedImageTower(model=str(tiny_model("vit"))).dim
    tower = image_tower("vit", dim=5)
    linear = next(part for part in tower.projection.modules() if isinstance(part, torch.nn.Linear))
    with torch.no_grad():
        encoded = tower.encode(tower.prepare(pictures))
        torch.testing.assert_close(embed(tower, pictures), encoded @ linear.weight.T + linear.bias)


@pytest.mark.parametrize("kind", ["clip", "siglip", "vit", "dinov2"])
def test_patches_are_pooled(kind, image_tower, pictures):
    for pooling, pooled in (("mean", lambda p: p.mean(dim=1)), ("max", lambda p: p.amax(dim=1))):
        tower = image_tower(kind, dim=5, pooling=pooling)
        with torch.no_grad():
            patches = picture_patches(tower.encoder, tower.processor.normalize(tower.prepare(pictures)))
            expected = pooled(tower.projection(patches))
        torch.testing.assert_close(embed(tower, pictures), expected)


@pytest.mark.parametrize("pooling", ["own", "mean", "max", "gpo"])
def test_features_of_the_encoder_stand_for_pictures(pooling, image_tower, pictures):
    tower = image_tower("dinov2", dim=5, pooling=pooling, trained="nothing")
    features = tower.encode(tower.prepare(pictures))
    assert features.ndim == (3 if pooling in ("max", "gpo") else 2)
    torch.testing.assert_close(tower(features), tower(tower.prepare(pictures)))
    again = PretrainedImageTower(model=str(tiny_model("dinov2")), dim=5, pooling=pooling, trained="nothing")
    again.fit(features.detach().numpy())
    again.load_state_dict(tower.state_dict())
    torch.testing.assert_close(embed(again.eval(), pictures), embed(tower, pictures))


def test_features_of_another_size_are_refused(image_tower):
    tower = image_tower("vit", dim=5, trained="nothing")
    for wrong in (torch.zeros(2, 15), torch.zeros(2, 3, 16), torch.zeros(2, 3, 16, 16)):
        with pytest.raises(InputError, match=r"this tower takes \(images, 16\) features"):
            tower(wrong)
    with pytest.raises(InputError, match=r"this tower takes \(images, patches, 16\) features"):
        image_tower("vit", dim=5, pooling="gpo", trained="nothing")(torch.zeros(2, 16))
    with pytest.raises(InputError, match=r"this tower takes \(images, 16\) features"):
        PretrainedImageTower(model=str(tiny_model("vit")), dim=5, trained="nothing").fit(np.zeros((3, 7)))


def test_an_encoder_that_learns_takes_no_features(image_tower):
    with pytest.raises(InputError, match="takes pictures while its encoder learns"):
        PretrainedImageTower(model=str(tiny_model("vit")), dim=5, trained="last").fit(np.zeros((3, 16)))
    with pytest.raises(InputError, match="this tower takes uint8 pictures"):
        image_tower("vit", dim=5)(torch.zeros(2, 16))


def test_an_encoder_that_learns_nothing_stays_in_evaluation_mode(image_tower):
    frozen, learning = image_tower("vit", dim=5, trained="nothing"), image_tower("vit", dim=5)
    assert frozen.train().projection.training
    assert not frozen.encoder.training
    assert learning.train().encoder.training
    assert [name for name, p in frozen.named_parameters() if p.requires_grad] == [
        "projection.1.weight",
        "projection.1.bias",
    ]


def test_bfloat16_weights_give_float32_embeddings_near_the_same(image_tower, pictures):
    exact, short = (image_tower("clip", trained="nothing", weights=name) for name in ("float32", "bfloat16"))
    assert next(short.encoder.parameters()).dtype == torch.bfloat16
    assert embed(short, pictures).dtype == torch.float32
    found, expected = embed(short, pictures), embed(exact, pictures)
    # An estimate, not a bound: about 20 layers round to 8 bits; independent errors of 2**-9 add as squares; doubled
    assert ((found - expected).norm(dim=1) / expected.norm(dim=1)).max() < 2 * 20**0.5 * 2**-9
    assert not torch.equal(found, expected)


def test_what_learns_at_the_pretrained_rate(image_tower):
    tower = image_tower("vit", dim=5, trained="last", last_layers=1, layer_decay=0.5)
    pretrained = {id(parameter) for parameter in tower.pretrained_parameters()}
    names = {name for name, parameter in tower.named_parameters() if id(parameter) in pretrained}
    assert all(name.startswith(("encoder.layers.1.", "encoder.layernorm.")) for name in names)
    assert set(tower.rate_scales().values()) == {0.5, 1.0}
    assert image_tower("vit", dim=5, trained="lora").pretrained_parameters() == []
    assert PretrainedImageTower(model="anything").rate_scales() == {}


def test_a_saved_tower_keeps_the_folders_name_alone(image_tower):
    settings = image_tower("vit", dim=5).hyperparameters()
    assert settings["model"] == "vit"
    assert settings["dim"] == 5
    assert PretrainedImageTower(model="owner/name").hyperparameters()["model"] == "owner/name"


def test_pictures_that_the_encoder_does_not_take_are_noticed(tmp_path):
    import shutil

    from transformers import ViTImageProcessorPil

    shutil.copytree(tiny_model("vit"), tmp_path / "vit")
    ViTImageProcessorPil(size={"height": 24, "width": 24}).save_pretrained(tmp_path / "vit")
    with pytest.raises(InputError, match="does not take the pictures of its processor"):
        PretrainedImageTower(model=str(tmp_path / "vit"), dim=5).fit([None])


@pytest.mark.parametrize("settings", [{"model": ""}, {"model": 3}, {"dim": 0}, {"dropout": 2}, {"pooling": "cls"}])
def test_unusable_settings_are_refused(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        PretrainedImageTower(**{"model": "clip", **settings})


def test_says_which_extra_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(ImportError, match=r"bcls\[hf\]"):
        PretrainedImageTower(model="clip").fit([None])
