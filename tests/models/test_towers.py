"""What every tower keeps to, whatever its kind."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from bcls.errors import InputError
from bcls.models import (
    BagOfWordsTower,
    BiGRUTower,
    ConvTower,
    PooledFeatureTower,
    RegionFeatureTower,
    SentenceEncoderTower,
    SumCaptionTower,
)
from bcls.models.towers import residual_projection


def embed(tower, captions):
    with torch.no_grad():
        return tower(tower.tokenize(captions))


def rebuilt(tower):
    """As a saved model is loaded: settings, then what was fitted as JSON, then tensors."""
    settings = tower.hyperparameters()
    if isinstance(tower, SumCaptionTower):
        settings["towers"] = [type(part)(**part.hyperparameters()) for part in tower.towers]
    fresh = type(tower)(**settings)
    fresh.restore(json.loads(json.dumps(tower.fitted())))
    fresh.load_state_dict(tower.state_dict())
    return fresh.eval()


def assert_gradients_everywhere(tower, value):
    (value * torch.randn_like(value)).sum().backward()
    # mean pooling over tokens leaves a text encoder's own head out, and a key's bias moves no attention
    left_out = ("pooler", "encoder.head", "k_proj.bias", "key.bias")
    names = [
        name
        for name, p in tower.named_parameters()
        if p.requires_grad and not any(part in name for part in left_out) and (p.grad is None or not p.grad.any())
    ]
    assert names == []


def test_caption_embeddings_have_the_stated_size(caption_tower, captions):
    embeddings = embed(caption_tower, captions)
    assert embeddings.shape == (len(captions), caption_tower.dim)
    assert embeddings.dtype == torch.float32
    assert len(caption_tower.tokenize(captions)) == len(captions)


def test_different_captions_have_different_embeddings(caption_tower, captions):
    distances = torch.pdist(embed(caption_tower, captions[:5]))
    assert distances.min() > 1e-4


def test_a_captions_embedding_does_not_depend_on_its_company(caption_tower, captions):
    alone = torch.cat([embed(caption_tower, [caption]) for caption in captions])
    torch.testing.assert_close(alone, embed(caption_tower, captions), atol=1e-5, rtol=1e-4)


def test_embeddings_follow_the_order_of_captions(caption_tower, captions):
    order = [3, 0, 5, 2, 2, 4, 1]
    shuffled = embed(caption_tower, [captions[row] for row in order])
    torch.testing.assert_close(shuffled, embed(caption_tower, captions)[order], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("rows", [[4, 1], [2, 2, 0], [3], [5, 4, 3, 2, 1, 0]])
def test_selected_captions_equal_those_tokenized_alone(caption_tower, captions, rows):
    with torch.no_grad():
        selected = caption_tower(caption_tower.tokenize(captions).select(torch.tensor(rows)))
    expected = embed(caption_tower, [captions[row] for row in rows])
    torch.testing.assert_close(selected, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("caption", ["", " ", "...", "zyzzyva", "zyzzyva " * 600, "дог 🐕"])
def test_strange_captions_are_embedded(caption_tower, caption):
    embedding = embed(caption_tower, [caption])
    assert torch.isfinite(embedding).all()
    assert embedding.norm() > 0


def test_gradients_reach_every_parameter_of_a_caption_tower(caption_tower, captions):
    assert_gradients_everywhere(caption_tower, caption_tower(caption_tower.tokenize(captions)))


def test_dropout_works_in_training_only(caption_tower, captions):
    assert torch.equal(embed(caption_tower, captions), embed(caption_tower, captions))
    caption_tower.train()
    assert not torch.equal(embed(caption_tower, captions), embed(caption_tower, captions))


def test_a_rebuilt_caption_tower_is_the_same(caption_tower, captions):
    again = rebuilt(caption_tower)
    assert torch.equal(embed(again, captions), embed(caption_tower, captions))
    assert again.fitted() == caption_tower.fitted()


def test_an_unfitted_caption_tower_is_refused(unfitted_caption_tower, captions):
    assert unfitted_caption_tower.fitted() is None
    with pytest.raises(InputError, match="knows no data yet: call fit"):
        unfitted_caption_tower.tokenize(captions)
    with pytest.raises(InputError, match=f"{type(unfitted_caption_tower).__name__} knows no data yet"):
        unfitted_caption_tower(None)


def test_image_embeddings_have_the_stated_size(image_case_fitted):
    tower, _, images = image_case_fitted
    embeddings = tower(images)
    assert embeddings.shape == (8, tower.dim)
    assert embeddings.dtype == torch.float32
    assert torch.pdist(embeddings).min() > 1e-4


def test_an_images_embedding_does_not_depend_on_its_company(image_case_fitted):
    tower, _, images = image_case_fitted
    alone = torch.cat([tower(image[None]) for image in images])
    torch.testing.assert_close(alone, tower(images), atol=1e-5, rtol=1e-4)


def test_embeddings_follow_the_order_of_images(image_case_fitted):
    tower, _, images = image_case_fitted
    order = torch.tensor([3, 7, 0, 0, 5])
    torch.testing.assert_close(tower(images[order]), tower(images)[order], atol=1e-5, rtol=1e-4)


def test_gradients_reach_every_parameter_of_an_image_tower(image_case_fitted):
    tower, _, images = image_case_fitted
    assert_gradients_everywhere(tower, tower(images))


@pytest.mark.parametrize(
    "unfitted_image_case", ["pooled", "pooled-hidden", "region-mean", "region-max", "region-gpo"], indirect=True
)
def test_number_formats_of_features_make_no_difference(image_case_fitted):
    tower, _, images = image_case_fitted
    half = images.half()
    assert torch.equal(tower(half), tower(half.float()))
    assert torch.equal(tower(half.double()), tower(half.float()))


def test_a_rebuilt_image_tower_is_the_same(image_case_fitted):
    tower, _, images = image_case_fitted
    assert torch.equal(rebuilt(tower)(images), tower(images))


def test_an_unfitted_image_tower_is_refused(unfitted_image_case):
    tower, _, images = unfitted_image_case
    assert tower.fitted() is None
    with pytest.raises(InputError, match=f"{type(tower).__name__} knows no data yet"):
        tower(images)


def test_images_of_another_shape_are_refused(image_case_fitted):
    tower, _, images = image_case_fitted
    for wrong in (images[..., :-1], images[0], images[None]):
        with pytest.raises(InputError, match=r"images are \(.*this tower"):
            tower(wrong)


def test_a_sample_of_another_kind_is_refused(unfitted_image_case):
    tower, sample, _ = unfitted_image_case
    other = [Image.new("RGB", (4, 4))] if isinstance(sample, np.ndarray) else np.zeros((3, 7))
    with pytest.raises(InputError, match=r"takes (pictures|features)"):
        tower.fit(other)


def test_an_empty_sample_is_refused(unfitted_image_case):
    tower, sample, _ = unfitted_image_case
    with pytest.raises(InputError, match="cannot be fitted on no"):
        tower.fit(sample[:0])


@pytest.mark.parametrize(
    "kind",
    [BagOfWordsTower, BiGRUTower, ConvTower, PooledFeatureTower, RegionFeatureTower, SentenceEncoderTower],
)
@pytest.mark.parametrize(
    "setting", [{"dim": 0}, {"dim": -4}, {"dim": 2.5}, {"dropout": 1.0}, {"dropout": -0.1}, {"dropout": "much"}]
)
def test_unusable_sizes_and_shares_are_refused(kind, setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        kind(**setting)


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        (BagOfWordsTower, {"minimum_count": 0}),
        (BiGRUTower, {"minimum_count": 0}),
        (BiGRUTower, {"word_dim": 0}),
        (BiGRUTower, {"layers": 0}),
        (BiGRUTower, {"pooling": "median"}),
        (RegionFeatureTower, {"pooling": "median"}),
        (RegionFeatureTower, {"hidden": 0}),
        (PooledFeatureTower, {"hidden": -1}),
        (SentenceEncoderTower, {"hidden": 0}),
        (SentenceEncoderTower, {"model": ""}),
        (SentenceEncoderTower, {"model": None}),
        (ConvTower, {"channels": []}),
        (ConvTower, {"channels": [8, 12]}),
        (ConvTower, {"channels": [8, 0]}),
        (ConvTower, {"image_size": 0}),
        (ConvTower, {"shift": -1}),
    ],
)
def test_unusable_settings_are_refused(kind, setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        kind(**setting)


def test_a_projection_without_a_perceptron_is_linear():
    projection = residual_projection(5, 3, None, 0.5).eval()
    a, b = torch.randn(2, 4, 5)
    torch.testing.assert_close(projection(a) + projection(b), projection(a + b) + projection(torch.zeros(5)))


def test_a_perceptron_stands_beside_the_linear_map():
    projection = residual_projection(5, 3, 7, 0.0)
    linear, first, second = (module for module in projection.modules() if isinstance(module, torch.nn.Linear))
    inputs = torch.randn(4, 5)
    beside = torch.relu(inputs @ first.weight.T + first.bias) @ second.weight.T + second.bias
    torch.testing.assert_close(projection(inputs), inputs @ linear.weight.T + linear.bias + beside)
