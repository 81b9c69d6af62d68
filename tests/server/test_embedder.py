"""A model that answers in arrays: the same as the model itself, one row a question."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from bcls.errors import InputError
from bcls.models import BagOfWordsTower, PooledFeatureTower, RetrievalModel
from bcls.server import Embedder

from .conftest import COLOURS, base64_of, picture_bytes

TEXTS = ["a red picture", "a blue picture", "red", "nothing that it knows"]


@pytest.fixture(scope="module")
def of_features() -> Embedder:
    torch.manual_seed(0)
    model = RetrievalModel(PooledFeatureTower(dim=8), BagOfWordsTower(dim=8, minimum_count=1))
    model.image_tower.fit(np.random.default_rng(0).normal(size=(20, 6)))
    model.caption_tower.fit(["a red picture"])
    return Embedder(model)


def pictures() -> list[Image.Image]:
    return [Image.new("RGB", (20 + 3 * number, 30), colour) for number, colour in enumerate(COLOURS)]


def test_texts_are_the_models_own_vectors(embedder):
    found = embedder.texts(TEXTS)
    with torch.no_grad():
        expected = [embedder.model.encode_text([text])[0].numpy() for text in TEXTS]
    assert [one.dtype for one in found] == [np.float32] * len(TEXTS)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found[:3], axis=1), 1, atol=1e-6)
    assert embedder.dim == found[0].shape[0] == 8


def test_pictures_are_the_models_own_vectors_whatever_else_is_in_the_batch(embedder):
    prepared = [embedder.prepared(picture) for picture in pictures()]
    together = embedder.pictures(prepared)
    alone = [embedder.pictures([one])[0] for one in prepared]
    with torch.no_grad():
        expected = embedder.model.encode_image(pictures()).numpy()
    np.testing.assert_allclose(together, expected, atol=1e-5)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_a_prepared_picture_is_small_whatever_the_picture_was(embedder):
    sizes = {embedder.prepared(Image.new("RGB", size)).shape for size in ((5, 5), (2000, 1000))}
    assert sizes == {torch.Size([3, 16, 16])}


def test_vectors_have_no_gradient_and_can_be_written_to(embedder):
    vector = embedder.texts(["red"])[0]
    vector[:] = 0
    assert embedder.texts(["red"])[0].any()


def test_the_model_is_put_into_evaluation(embedder):
    model = embedder.model
    model.train()
    try:
        assert not Embedder(model).model.training
    finally:
        model.eval()


def test_a_model_of_features_takes_words_and_no_pictures(of_features):
    assert not of_features.takes_pictures
    assert of_features.texts(["red"])[0].shape == (8,)
    with pytest.raises(InputError) as error:
        of_features.prepared(pictures()[0])
    assert str(error.value) == (
        "this model takes features, not pictures: search by words, or by a picture that is in the index"
    )


def test_a_model_of_features_says_that_it_takes_no_pictures(serving, embedder, monkeypatch):
    assert embedder.takes_pictures
    monkeypatch.setattr(embedder, "takes_pictures", False)
    client = serving()
    assert client.get("/v1/collections").json()["collections"][0]["takes_pictures"] is False
    answer = client.post("/v1/search", json={"image": base64_of(picture_bytes())})
    assert answer.status_code == 422
    assert "features" in answer.json()["detail"]
