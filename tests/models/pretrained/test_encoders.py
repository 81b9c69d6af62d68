"""The halves give what the whole models give; damaged and foreign folders are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from bcls.errors import InputError
from bcls.models.pretrained.encoders import (
    build_encoder,
    caption_states,
    caption_vectors,
    config_of,
    load_encoder,
    own_size,
    picture_patches,
    picture_vectors,
    read_config,
)
from tiny_folders import tiny_model

PIXELS = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
IDS = torch.tensor([[0, 5, 6, 1, 1], [0, 7, 1, 1, 1]])
MASK = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0]])


def whole(kind: str):
    from transformers import AutoModel

    return AutoModel.from_pretrained(tiny_model(kind)).eval()


@pytest.fixture
def folder(tmp_path) -> Path:
    """A CLIP to damage."""
    return Path(shutil.copytree(tiny_model("clip"), tmp_path / "clip"))


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_the_halves_of_a_pair_give_its_own_features(kind):
    vision, text = load_encoder(str(tiny_model(kind)), "vision"), load_encoder(str(tiny_model(kind)), "text")
    model = whole(kind)
    mask = MASK if kind == "clip" else None
    with torch.no_grad():
        expected = model.get_image_features(pixel_values=PIXELS).pooler_output
        torch.testing.assert_close(picture_vectors(vision, PIXELS), expected)
        expected = model.get_text_features(input_ids=IDS, attention_mask=mask).pooler_output
        torch.testing.assert_close(caption_vectors(text(input_ids=IDS, attention_mask=mask)), expected)
    assert own_size(vision.config) == own_size(text.config) == expected.shape[1]


def test_patches_of_clip_lie_in_the_space_of_its_captions():
    model, vision = whole("clip"), load_encoder(str(tiny_model("clip")), "vision")
    with torch.no_grad():
        states = model.vision_model(pixel_values=PIXELS).last_hidden_state
        expected = model.visual_projection(model.vision_model.post_layernorm(states))
        torch.testing.assert_close(picture_patches(vision, PIXELS), expected[:, 1:])
        torch.testing.assert_close(picture_vectors(vision, PIXELS), expected[:, 0])


@pytest.mark.parametrize(("kind", "leading"), [("vit", 1), ("dinov2", 1), ("siglip", 0)])
def test_class_tokens_are_no_patches(kind, leading):
    encoder = load_encoder(str(tiny_model(kind)), "vision")
    with torch.no_grad():
        states = encoder(pixel_values=PIXELS).last_hidden_state
        assert torch.equal(picture_patches(encoder, PIXELS), states[:, leading:])
        if leading:
            torch.testing.assert_close(picture_vectors(encoder, PIXELS), states[:, 0])
    assert states.shape[1] == leading + 4


def test_register_tokens_are_no_patches():
    from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 16, "patch_size": 8}
    encoder = Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**sizes, num_register_tokens=3)).eval()
    with torch.no_grad():
        assert torch.equal(picture_patches(encoder, PIXELS), encoder(pixel_values=PIXELS).last_hidden_state[:, 4:])


def test_maps_of_a_convolutional_encoder_become_patches():
    from transformers import ConvNextConfig, ConvNextModel

    encoder = ConvNextModel(ConvNextConfig(hidden_sizes=[4, 8], depths=[1, 1], num_stages=2, image_size=16)).eval()
    with torch.no_grad():
        maps = encoder(pixel_values=PIXELS).last_hidden_state
        patches = picture_patches(encoder, PIXELS)
        assert picture_vectors(encoder, PIXELS).shape == (3, 8)
    assert torch.equal(patches[:, 1], maps[:, :, 0, 1])


def test_bert_has_states_and_no_vector():
    encoder = load_encoder(str(tiny_model("bert")), "text")
    with torch.no_grad():
        expected = whole("bert")(input_ids=IDS, attention_mask=MASK).last_hidden_state
        found = encoder(input_ids=IDS, attention_mask=MASK)
        torch.testing.assert_close(caption_states(encoder, found), expected)
        assert caption_vectors(found) is None
    assert own_size(encoder.config) is None


@pytest.mark.parametrize(
    ("kind", "side"), [("clip", "vision"), ("siglip", "text"), ("vit", "vision"), ("bert", "text")]
)
def test_a_config_builds_the_same_encoder(kind, side):
    encoder = load_encoder(str(tiny_model(kind)), side)
    again = build_encoder(json.loads(json.dumps(config_of(encoder))))
    again.load_state_dict(encoder.state_dict())
    assert config_of(again) == config_of(encoder)
    assert str(tiny_model(kind)) not in json.dumps(config_of(encoder))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "model.safetensors").write_bytes(b""), "cannot be loaded"),
        (lambda folder: (folder / "model.safetensors").unlink(), "cannot be loaded"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be loaded"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "nonesuch"}'), "cannot be loaded"),
        (shutil.rmtree, "cannot be loaded"),
    ],
)
def test_damaged_folders_are_refused(folder, change, message):
    change(folder)
    with pytest.raises(InputError, match=message):
        load_encoder(str(folder), "vision")


def test_truncated_weights_are_refused(folder):
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="cannot be loaded"):
        load_encoder(str(folder), "text")


def test_missing_weights_are_named_and_never_made_up(folder):
    tensors = load_file(folder / "model.safetensors")
    del tensors["visual_projection.weight"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"lack 1 tensors of CLIPVisionModelWithProjection, e.g. visual_projection"):
        load_encoder(str(folder), "vision")


def test_weights_of_another_shape_are_refused(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors["visual_projection.weight"] = torch.zeros(3, 3)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="cannot be loaded"):
        load_encoder(str(folder), "vision")


def test_pickled_weights_are_not_loaded(folder, tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    (folder / "model.safetensors").unlink()
    torch.save({"trap": Trap()}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="cannot be loaded"):
        load_encoder(str(folder), "vision")
    assert not (tmp_path / "sprung").exists()


def test_code_beside_the_weights_is_not_run(folder, tmp_path):
    (folder / "modeling.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "modeling.Config", "AutoModel": "modeling.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="cannot be loaded"):
        load_encoder(str(folder), "vision")
    assert not (tmp_path / "sprung").exists()


def test_pairs_of_another_kind_are_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "siglip2"}')
    with pytest.raises(InputError, match=r"pairs of the kind 'siglip2' are not supported; clip, siglip are"):
        read_config(str(tmp_path), "vision")


def test_models_that_write_are_refused():
    sizes = {"d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2, "vocab_size": 9}
    with pytest.raises(InputError, match="T5Model writes as well as reads"):
        build_encoder({"model_type": "t5", "is_encoder_decoder": True, **sizes})


@pytest.mark.parametrize(
    "settings", [None, [], {}, {"model_type": 3}, {"model_type": "os"}, {"model_type": "bert", "hidden_size": "x"}]
)
def test_configs_of_nothing_are_refused(settings):
    with pytest.raises(InputError):
        build_encoder(settings)
