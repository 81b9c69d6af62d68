"""What learns, at which rate, and what adapters compute."""

from __future__ import annotations

import pytest
import torch

from bcls.errors import InputError
from bcls.models.pretrained.encoders import load_encoder, picture_vectors
from bcls.models.pretrained.learning import Learning, layer_depths
from tiny_folders import tiny_model

PIXELS = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def learning(**settings) -> Learning:
    defaults = {"trained": "all", "last_layers": 2, "lora_rank": 4, "layer_decay": 1.0}
    return Learning(**{**defaults, "gradient_checkpointing": False, "weights": "float32", **settings})


def encoder(kind: str, side: str = "vision"):
    return load_encoder(str(tiny_model(kind)), side)


def those_that_learn(module) -> set[str]:
    return {name for name, parameter in module.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize(
    ("kind", "side", "depths"),
    [
        (
            "clip",
            "vision",
            {
                "vision_model.embeddings.class_embedding": 0,
                "vision_model.pre_layrnorm.weight": 0,
                "vision_model.encoder.layers.0.mlp.fc1.weight": 1,
                "vision_model.encoder.layers.1.mlp.fc1.weight": 2,
                "vision_model.post_layernorm.weight": 3,
                "visual_projection.weight": 3,
            },
        ),
        ("siglip", "vision", {"embeddings.patch_embedding.weight": 0, "head.probe": 3}),
        ("bert", "text", {"embeddings.word_embeddings.weight": 0, "encoder.layer.1.output.dense.weight": 2}),
        ("dinov2", "vision", {"embeddings.cls_token": 0, "encoder.layer.0.norm1.weight": 1, "layernorm.weight": 3}),
        ("vit", "vision", {"embeddings.cls_token": 0, "layers.1.mlp.fc1.weight": 2, "layernorm.weight": 3}),
    ],
)
def test_depths_count_from_the_embeddings_to_what_follows_the_layers(kind, side, depths):
    found = layer_depths(encoder(kind, side))
    assert {name: found[name] for name in depths} == depths


def test_rates_fall_layer_by_layer():
    module = encoder("clip")
    settings = learning(layer_decay=0.5)
    settings.apply(module)
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    scales = {names[id(parameter)]: scale for parameter, scale in settings.rate_scales(module).items()}
    assert set(scales) == set(names.values())
    assert scales["visual_projection.weight"] == 1
    assert scales["vision_model.encoder.layers.1.layer_norm1.bias"] == 0.5
    assert scales["vision_model.encoder.layers.0.layer_norm1.bias"] == 0.25
    assert scales["vision_model.embeddings.patch_embedding.weight"] == 0.125


def test_the_last_layers_learn_with_what_follows_them():
    module = encoder("clip")
    learning(trained="last", last_layers=1).apply(module)
    top = {name.split(".")[1] if name.startswith("vision_model") else name for name in those_that_learn(module)}
    assert top == {"encoder", "post_layernorm", "visual_projection.weight"}
    assert {name.split(".")[3] for name in those_that_learn(module) if ".layers." in name} == {"1"}


def test_the_last_layers_are_counted_where_nothing_follows_them():
    module = encoder("bert", "text")
    learning(trained="last", last_layers=1).apply(module)
    assert {".".join(name.split(".")[:3]) for name in those_that_learn(module)} == {"encoder.layer.1"}
    learning(trained="last", last_layers=2).apply(module)
    assert {".".join(name.split(".")[:3]) for name in those_that_learn(module)} == {
        "encoder.layer.0",
        "encoder.layer.1",
    }


@pytest.mark.parametrize(("kind", "side"), [("vit", "vision"), ("bert", "text")])
def test_more_layers_than_there_are_is_refused(kind, side):
    with pytest.raises(InputError, match="last_layers is 3, but the encoder has 2"):
        learning(trained="last", last_layers=3).apply(encoder(kind, side))


def test_what_is_not_made_of_layers_learns_at_one_rate_alone():
    module = torch.nn.Linear(2, 2)
    settings = learning()
    settings.apply(module)
    assert list(settings.rate_scales(module).values()) == [1, 1]
    for refused in (learning(layer_decay=0.5).rate_scales, learning(trained="last").apply):
        with pytest.raises(InputError, match="Linear is not made of layers; use trained: all with layer_decay: 1"):
            refused(module)


def test_nothing_learns():
    module = encoder("siglip")
    settings = learning(trained="nothing")
    settings.apply(module)
    assert those_that_learn(module) == set()
    assert settings.rate_scales(module) == {}


@pytest.mark.parametrize(
    ("kind", "side"), [("clip", "vision"), ("siglip", "text"), ("vit", "vision"), ("bert", "text")]
)
def test_adapters_alone_learn_and_stand_at_queries_and_values(kind, side):
    module = encoder(kind, side)
    settings = learning(trained="lora")
    settings.apply(module)
    names = those_that_learn(module)
    assert len(names) == 8  # two layers, queries and values, two matrices
    assert all("lora_" in name for name in names)
    assert settings.rate_scales(module) == {}


def test_adapters_add_their_product_doubled():
    from torch import nn

    module = encoder("clip")
    with torch.no_grad():
        before = picture_vectors(module, PIXELS)
    learning(trained="lora", lora_rank=3).apply(module)
    with torch.no_grad():
        assert torch.equal(picture_vectors(module, PIXELS), before)  # B starts at zero
        for name, parameter in module.named_parameters():
            if "lora_B" in name:
                nn.init.normal_(parameter, std=0.5)
        adapted = picture_vectors(module, PIXELS)
        merged = encoder("clip")
        for layer, theirs in zip(merged.vision_model.encoder.layers, module.vision_model.encoder.layers, strict=True):
            for name in ("q_proj", "v_proj"):
                adapter = getattr(theirs.self_attn, name)
                product = adapter.lora_B["default"].weight @ adapter.lora_A["default"].weight
                getattr(layer.self_attn, name).weight += 2 * product
        torch.testing.assert_close(picture_vectors(merged, PIXELS), adapted, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(adapted, before)


def test_standing_weights_in_bfloat16_leave_adapters_in_float32():
    module = encoder("clip")
    learning(trained="lora", weights="bfloat16").apply(module)
    formats = {name: parameter.dtype for name, parameter in module.named_parameters()}
    assert {kind for name, kind in formats.items() if "lora_" in name} == {torch.float32}
    assert {kind for name, kind in formats.items() if "lora_" not in name} == {torch.bfloat16}


def test_checkpointed_gradients_are_the_same():
    gradients = []
    for saving in (False, True):
        module = encoder("clip").train()
        learning(gradient_checkpointing=saving).apply(module)
        picture_vectors(module, PIXELS).square().sum().backward()
        gradients.append({name: parameter.grad for name, parameter in module.named_parameters()})
        assert module.vision_model.encoder.layers[0].gradient_checkpointing is saving
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trained": "some"}, "trained is 'some'"),
        ({"weights": "float16"}, "weights is 'float16'"),
        ({"last_layers": 0}, "last_layers is 0"),
        ({"lora_rank": -1}, "lora_rank is -1"),
        ({"layer_decay": 0}, "layer_decay is 0"),
        ({"layer_decay": 1.5}, r"layer_decay is 1\.5"),
        ({"layer_decay": "slow"}, "layer_decay is slow"),
        ({"weights": "bfloat16"}, "weights: bfloat16 is for weights that stand still"),
        ({"weights": "bfloat16", "trained": "last"}, "weights: bfloat16 is for weights that stand still"),
    ],
)
def test_unusable_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        learning(**settings)
