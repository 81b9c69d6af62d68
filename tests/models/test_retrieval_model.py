"""The model that joins the towers."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bcls.errors import InputError
from bcls.models import BagOfWordsTower, ConvTower, PooledFeatureTower, RetrievalModel

PAIRS = [("pooled", "bag-of-words"), ("region-gpo", "bigru-gpo"), ("conv", "sum"), ("pooled", "sentence-frozen")]


@pytest.mark.parametrize(("image_kind", "caption_kind"), PAIRS)
def test_embeddings_have_length_1(make_model, captions, image_kind, caption_kind):
    model, images = make_model(image_kind, caption_kind)
    for embeddings in (model.encode_image(images), model.encode_text([*captions, ""])):
        torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(len(embeddings)))


@pytest.mark.parametrize(("image_kind", "caption_kind"), PAIRS)
def test_similarity_is_the_cosine_of_each_pair(make_model, captions, image_kind, caption_kind):
    model, images = make_model(image_kind, caption_kind)
    similarity = model(images, captions)
    first, second = model.image_tower(images), model.caption_tower(model.caption_tower.tokenize(captions))
    for i in range(len(images)):
        for j in range(len(captions)):
            cosine = F.cosine_similarity(first[i], second[j], dim=0)
            assert similarity[i, j].item() == pytest.approx(cosine.item(), abs=1e-5)


def test_similarity_is_the_matrix_product(make_model):
    model, _ = make_model()
    images, captions = torch.randn(3, 6), torch.randn(4, 6)
    np.testing.assert_allclose(model.similarity(images, captions), images.numpy() @ captions.numpy().T, atol=1e-6)


def test_a_tensor_and_an_array_of_features_are_the_same(make_model):
    model, images = make_model()
    assert torch.equal(model.encode_image(images.numpy()), model.encode_image(images))
    assert torch.equal(model.encode_image(images.half().numpy()), model.encode_image(images.half()))


def test_opened_pictures_and_prepared_ones_are_the_same(make_model, make_pictures):
    model, _ = make_model("conv")
    pictures = make_pictures(3)
    assert torch.equal(model.encode_image(pictures), model.encode_image(model.image_tower.prepare(pictures)))


@pytest.mark.parametrize("kind", ["bag-of-words", "sum", "sentence-frozen"])
def test_strings_and_tokenized_captions_are_the_same(make_model, captions, kind):
    model, _ = make_model(caption_kind=kind)
    expected = model.encode_text(list(captions))
    assert torch.equal(model.encode_text(captions), expected)
    assert torch.equal(model.encode_text(model.caption_tower.tokenize(captions)), expected)


def test_embeddings_are_in_single_precision_under_autocast(make_model, captions):
    model, images = make_model()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        embeddings = [model.encode_image(images), model.encode_text(captions)]
    for part in embeddings:
        assert part.dtype == torch.float32
        torch.testing.assert_close(part.norm(dim=1), torch.ones(len(part)))


@pytest.mark.parametrize(("image_kind", "caption_kind"), [("region-gpo", "bigru-gpo"), ("conv", "bag-of-words")])
def test_nothing_to_encode_gives_no_embeddings(make_model, image_kind, caption_kind):
    model, images = make_model(image_kind, caption_kind)
    assert model.encode_image(images[:0]).shape == (0, 6)
    assert model.encode_image([]).shape == (0, 6)
    assert model.encode_text([]).shape == (0, 6)
    assert model(images, []).shape == (8, 0)


@pytest.mark.parametrize(
    ("image_kind", "caption_kind"), [("pooled", "bag-of-words"), ("region-gpo", "bigru-gpo"), ("conv", "sum")]
)
def test_learns_a_tiny_set_by_heart(make_model, captions, image_kind, caption_kind):
    model, images = make_model(image_kind, caption_kind)
    images, truth = images[: len(captions)], torch.arange(len(captions))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        logits = model(images, captions) / 0.1
        (F.cross_entropy(logits, truth) + F.cross_entropy(logits.T, truth)).backward()
        optimizer.step()
    similarity = model(images, captions)
    assert similarity.argmax(dim=1).tolist() == truth.tolist()
    assert similarity.argmax(dim=0).tolist() == truth.tolist()


def test_towers_of_different_sizes_are_refused():
    with pytest.raises(InputError, match="image tower's dim is 8, the caption tower's 4"):
        RetrievalModel(PooledFeatureTower(dim=8), BagOfWordsTower(dim=4))


@pytest.mark.parametrize("images", [torch.zeros(2, 7), np.zeros((2, 7)), torch.zeros(0, 7)])
def test_unfitted_towers_are_refused(images):
    model = RetrievalModel(PooledFeatureTower(dim=4), BagOfWordsTower(dim=4))
    with pytest.raises(InputError, match="PooledFeatureTower knows no data yet"):
        model.encode_image(images)
    with pytest.raises(InputError, match="BagOfWordsTower knows no data yet"):
        model.encode_text(["a dog"])


def test_one_string_is_no_list_of_captions(make_model):
    model, _ = make_model()
    with pytest.raises(InputError, match="not one text: put it into a list"):
        model.encode_text("a dog")


def test_captions_may_come_as_an_array(make_model, captions):
    model, _ = make_model()
    assert torch.equal(model.encode_text(np.array(captions)), model.encode_text(captions))


@pytest.mark.parametrize("wrong", [1, None, b"a dog", ["a dog"]])
def test_captions_that_are_no_strings_are_refused(make_model, wrong):
    model, _ = make_model()
    with pytest.raises(InputError, match=f"encode_text: element 1 must be text, not {type(wrong).__name__}"):
        model.encode_text(["a dog", wrong])


def test_what_is_no_list_of_opened_pictures_is_refused(make_model, make_pictures):
    model, _ = make_model("conv")
    for single in (make_pictures(1)[0], "a.jpg", Path("a.jpg")):
        with pytest.raises(InputError, match="takes a list of opened pictures, not a single one"):
            model.encode_image(single)
    with pytest.raises(InputError, match=r"takes opened pictures, not str: open a file by bcls.pictures.open_picture"):
        model.encode_image([*make_pictures(1), "a.jpg"])


def test_an_array_that_holds_no_numbers_is_refused(make_model):
    model, _ = make_model()
    with pytest.raises(InputError, match="takes features of numbers, not an array of <U5"):
        model.encode_image(np.array(["a.jpg"]))


def test_pictures_for_a_tower_of_features_are_refused(make_model, make_pictures):
    model, _ = make_model()
    with pytest.raises(InputError, match="PooledFeatureTower takes features, not pictures"):
        model.encode_image(make_pictures(2))


def test_an_untrained_picture_tower_is_refused_opened_pictures(make_pictures):
    model = RetrievalModel(ConvTower(dim=4, channels=(8,)), BagOfWordsTower(dim=4))
    with pytest.raises(InputError, match="ConvTower knows no data yet"):
        model.encode_image(make_pictures(2))


@pytest.mark.parametrize("form", [">f4", ">f8", "longdouble", "float16", "uint8", ">u2"])
@pytest.mark.parametrize("kind", ["plain", "read-only", "backwards", "masked without a mask"])
def test_features_of_every_format_give_the_same_embeddings(make_model, form, kind, recwarn):
    model, images = make_model("pooled", "bag-of-words")
    values = images.numpy().round() % 7.0
    expected = model.encode_image(values.astype(np.float32))
    features = values.astype(form)
    if kind == "backwards":
        features = features[::-1, ::-1].copy()[::-1, ::-1]
    elif kind == "read-only":
        features.flags.writeable = False
    elif kind == "masked without a mask":
        features = np.ma.array(features)
    torch.testing.assert_close(model.encode_image(features), expected)
    assert not [one for one in recwarn if "NumPy" in str(one.message)]


def test_masked_features_are_refused(make_model):
    model, images = make_model("pooled", "bag-of-words")
    features = np.ma.masked_where(np.arange(images.numel()).reshape(images.shape) == 0, images.numpy())
    with pytest.raises(InputError, match="features of image 0 are masked"):
        model.encode_image(features)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_caption_has_one_embedding_in_every_normal_form(make_model, kinds, form):
    captions = ["a dog in a café", "Cậu bé và con chó", "한 마리의 개가", "दो आदमी"]
    for kind in kinds[1]:
        model = make_model(caption_kind=kind)[0]
        with torch.no_grad():
            found = model.encode_text([unicodedata.normalize(form, caption) for caption in captions])
            torch.testing.assert_close(found, model.encode_text(captions), rtol=0, atol=0)


def test_captions_without_words_have_an_embedding(make_model, kinds):
    for kind in kinds[1]:
        found = make_model(caption_kind=kind)[0].encode_text(["", "...", "\u0301", "«»", "❤️"])
        assert torch.isfinite(found).all()
