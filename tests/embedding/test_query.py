"""Queries in the space of an index: by the model that made it, and by no other."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from bcls.embedding import QueryEncoder
from bcls.errors import InputError
from bcls.models import BiGRUTower, CrossAttention, RegionFeatureTower, RetrievalModel, fingerprint
from bcls.search import create_index

from .conftest import WORDS


def index_of(model, *, dim: int = 8, model_hash: str | None = None, about=None):
    return create_index("memory:", dim=dim, model=model_hash or fingerprint(model), fields={}, about=about)


@pytest.fixture(scope="module")
def encoder(picture_model):
    return QueryEncoder.for_index(index_of(picture_model, about={"model_path": str(picture_model)}))


def test_the_index_tells_where_its_model_is(encoder, picture_model):
    assert encoder.hash == fingerprint(picture_model)
    assert encoder.takes_pictures
    assert not encoder.model.training


def test_texts_are_the_models_own_vectors(encoder):
    found = encoder.texts(WORDS)
    with torch.no_grad():
        expected = [encoder.model.encode_text([word])[0].numpy() for word in WORDS]
    assert (found.dtype, found.shape) == (np.float32, (5, 8))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_pictures_are_the_models_own_vectors(encoder):
    pictures = [Image.new("RGB", (20 + number, 20), word) for number, word in enumerate(WORDS)]
    found = encoder.pictures(pictures)
    with torch.no_grad():
        expected = [encoder.model.encode_image([picture])[0].numpy() for picture in pictures]
    assert (found.dtype, found.shape) == (np.float32, (5, 8))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_a_model_that_was_moved_is_named(picture_model, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(picture_model, moved)
    index = index_of(picture_model, about={"model_path": str(tmp_path / "gone")})
    with pytest.raises(InputError, match="gone: the model that made the index is not there any more: name it with --m"):
        QueryEncoder.for_index(index)
    assert QueryEncoder.for_index(index, moved).hash == fingerprint(picture_model)
    assert QueryEncoder.for_index(index, str(moved)).texts(["red"]).shape == (1, 8)


@pytest.mark.parametrize("about", [None, {"model_path": ""}])
def test_an_index_that_does_not_tell_asks_for_the_model(picture_model, about):
    with pytest.raises(InputError) as error:
        QueryEncoder.for_index(index_of(picture_model, about=about))
    assert str(error.value) == "the index does not tell where its model is: name it with --model"


def test_another_model_is_refused(picture_model, feature_model):
    with pytest.raises(InputError) as error:
        QueryEncoder.for_index(index_of(picture_model), feature_model)
    assert str(error.value) == (
        f"{feature_model} is not the model that made the index (hash {fingerprint(feature_model)[:12]}, the index has "
        f"{fingerprint(picture_model)[:12]}): their vectors cannot be compared; embed and index again, or name the "
        "right model"
    )
    with pytest.raises(InputError, match="has vectors of 8 dimensions, the index 9: it is another model's"):
        QueryEncoder.for_index(index_of(picture_model, dim=9), picture_model)


def test_a_model_of_features_takes_no_pictures(feature_model):
    encoder = QueryEncoder(RetrievalModel.from_pretrained(feature_model), "hash")
    assert not encoder.takes_pictures
    assert encoder.texts(["red"]).shape == (1, 8)
    with pytest.raises(InputError, match="takes features, not pictures"):
        encoder.pictures([Image.new("RGB", (9, 9))])


def test_a_model_that_compares_sets_is_refused():
    model = RetrievalModel(RegionFeatureTower(dim=8), BiGRUTower(dim=8), similarity=CrossAttention())
    with pytest.raises(InputError, match="CrossAttention compares sets of vectors, so that this model has no one vec"):
        QueryEncoder(model, "hash")
