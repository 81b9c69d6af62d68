"""What both pretrained towers have in common."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bcls.errors import InputError
from bcls.models import PretrainedCaptionTower, PretrainedImageTower
from bcls.models.pretrained.encoders import load_encoder
from bcls.models.weights_hash import weights_hash
from tiny_folders import tiny_model

CAPTIONS = ["A dog runs on the wet grass .", "Two men"]


def of_folder(folder) -> PretrainedCaptionTower:
    return PretrainedCaptionTower(model=str(folder), dim=4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": ""}, "^model is ''; it must name a local folder or a hub id$"),
        ({"model": None}, "^model is None; it must name"),
        ({"dim": 0}, "dim is 0"),
        ({"dropout": 1.0}, "dropout is 1.0; it is a share"),
        ({"trained": "some"}, "trained is 'some'"),
        ({"weights": "float16"}, "weights is 'float16'"),
    ],
)
@pytest.mark.parametrize("tower", [PretrainedImageTower, PretrainedCaptionTower])
def test_unusable_settings_are_refused_by_either_tower(tower, settings, message):
    with pytest.raises(InputError, match=message):
        tower(**{"model": "bert", **settings})


def test_the_size_is_the_one_asked_for_or_that_of_the_shared_space():
    folder = str(tiny_model("clip"))
    assert PretrainedCaptionTower(model="nowhere", dim=6).dim == 6
    assert PretrainedImageTower(model=folder).dim == PretrainedCaptionTower(model=folder).dim == 8
    with pytest.raises(InputError, match="is one encoder and not half of a pair: set dim, the size of a projection"):
        _ = PretrainedImageTower(model=str(tiny_model("vit"))).dim


@pytest.mark.parametrize("dim", [None, 5])
def test_embeddings_have_the_size(dim, caption_tower):
    tower = caption_tower("clip", dim=dim)
    with torch.no_grad():
        assert tower(tower.tokenize(CAPTIONS)).shape == (2, tower.dim)
    assert isinstance(tower.projection, nn.Identity) == (dim is None)


@pytest.mark.parametrize("kind", ["image", "caption"])
def test_hyperparameters_make_the_tower_again(kind):
    cls = PretrainedImageTower if kind == "image" else PretrainedCaptionTower
    tower = cls(model="some/hub-id", dim=5, trained="last", last_layers=1, layer_decay=0.5, pooling="mean")
    again = cls(**tower.hyperparameters())
    assert again.hyperparameters() == tower.hyperparameters()
    told = {"model": "some/hub-id", "dim": 5, "trained": "last", "last_layers": 1, "layer_decay": 0.5}
    assert told.items() <= tower.hyperparameters().items()


def test_of_a_folder_the_name_alone_is_told(tmp_path, monkeypatch):
    folder = tmp_path / "deep" / "my-bert"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    for written in (str(folder), f"{folder}/", ".", "../my-bert"):
        assert of_folder(written).hyperparameters()["model"] == "my-bert"
    assert of_folder("my-bert").hyperparameters()["model"] == "my-bert"


def test_the_hash_is_that_of_the_weights_before_they_learn(caption_tower):
    tower = caption_tower("clip", trained="lora")
    assert tower.encoder_hash == weights_hash(load_encoder(str(tiny_model("clip")), "text"))
    with torch.no_grad():
        for parameter in tower.parameters():
            parameter.add_(1)
    assert tower.encoder_hash == weights_hash(load_encoder(str(tiny_model("clip")), "text"))


def test_before_fit_there_is_nothing_to_ask():
    tower = of_folder(tiny_model("bert"))
    assert tower.fitted() is None
    assert tower.pretrained_parameters() == []
    assert tower.rate_scales() == {}
    assert tower.train() is tower
    with pytest.raises(InputError, match=r"^PretrainedCaptionTower has no encoder yet: call fit, or load"):
        _ = tower.encoder_hash
    with pytest.raises(InputError, match=r"^PretrainedCaptionTower knows no data yet: call fit, or load"):
        tower.require_fitted()


@pytest.mark.parametrize(
    ("trained", "learn"), [("all", "all"), ("last", "some"), ("lora", "none"), ("nothing", "none")]
)
def test_pretrained_parameters_are_those_of_the_encoder_that_learn(trained, learn, caption_tower):
    tower = caption_tower("bert", dim=4, trained=trained, last_layers=1, layer_decay=0.5)
    tower.require_fitted()
    encoder = {id(one) for one in tower.encoder.parameters()}
    expected = {id(one) for one in tower.encoder.parameters() if one.requires_grad} if learn != "none" else set()
    found = [id(one) for one in tower.pretrained_parameters()]
    assert set(found) == expected
    assert len(found) == len(expected)
    assert (expected == encoder) == (learn == "all")
    assert {id(one) for one in tower.rate_scales()} == expected
    assert not expected & {id(one) for one in tower.projection.parameters()}
    assert all(one.requires_grad for one in tower.projection.parameters())


@pytest.mark.parametrize("trained", ["all", "nothing"])
def test_an_encoder_that_learns_nothing_stays_in_evaluation(trained, caption_tower):
    tower = caption_tower("bert", dim=4, trained=trained)
    assert tower.train() is tower
    assert (tower.training, tower.projection.training) == (True, True)
    parts = {part.training for part in tower.encoder.modules()}
    assert parts == ({False} if trained == "nothing" else {True})
    tower.eval()
    assert not any(part.training for part in tower.modules())


def test_a_rebuilt_tower_embeds_alike_and_has_no_origin(caption_tower):
    tower = caption_tower("bert", dim=4)
    again = PretrainedCaptionTower(**{**tower.hyperparameters(), "model": "gone"})
    again.restore(tower.fitted())
    again.load_state_dict(tower.state_dict())
    again.eval()
    with torch.no_grad():
        assert torch.equal(again(again.tokenize(CAPTIONS)), tower(tower.tokenize(CAPTIONS)))
    assert again.encoder_hash == tower.encoder_hash
    assert again.fitted() == tower.fitted()


def test_a_hash_that_is_no_text_is_refused(caption_tower):
    fitted = {**caption_tower("bert", dim=4).fitted(), "encoder_hash": 3}
    with pytest.raises(InputError, match=r"^encoder_hash is no text$"):
        of_folder("gone").restore(fitted)


def test_a_rebuilt_half_of_a_pair_knows_the_shared_size(caption_tower):
    again = PretrainedCaptionTower(model="gone")
    again.restore(caption_tower("clip").fitted())
    assert again.dim == 8


def test_weights_in_bfloat16_take_pictures(pictures, image_tower):
    tower = image_tower("vit", dim=4, trained="nothing", weights="bfloat16")
    whole = image_tower("vit", dim=4, trained="nothing")
    whole.projection.load_state_dict(tower.projection.state_dict())
    prepared = tower.prepare(pictures)
    with torch.no_grad():
        found, expected = tower(prepared), whole(prepared)
    assert found.dtype == torch.float32
    # An estimate, not a bound: about 20 layers round to 8 bits; independent errors of 2**-9 add as squares; doubled
    assert ((found - expected).norm(dim=1) / expected.norm(dim=1)).max() < 2 * 20**0.5 * 2**-9
    assert not torch.equal(found, expected)
