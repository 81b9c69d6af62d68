"""Towers as functions of plain tensors, against the towers themselves."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.models import BagOfWordsTower, SumCaptionTower
from bcls.models.exported.inputs import CaptionFunction, ImageFunction, caption_inputs
from bcls.models.gpo import GeneralizedPooling
from bcls.models.words import words_of

CAPTIONS = ["a dog runs", "", "zyzzyva", "The brown dog is running , running fast , away from two men", "hats"]
CAPTION_KINDS = ["bag-of-words", "bigru-mean", "bigru-max", "bigru-gpo", "sum", "clip", "siglip", "bert-gpo"]
IMAGE_KINDS = ["pooled", "region-mean", "region-gpo", "conv", "clip", "vit-gpo"]

some_captions = st.lists(
    st.lists(st.sampled_from(["A", "dog", "hats,", "zyzzyva", "-"]), max_size=6).map(" ".join), min_size=1, max_size=5
)


@pytest.mark.parametrize("kind", IMAGE_KINDS)
def test_images_embed_as_the_tower_does(kind, make_model):
    model, images = make_model(kind)
    function = ImageFunction(model.image_tower).eval()
    with torch.no_grad():
        torch.testing.assert_close(function(images), model.encode_image(images), atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(function(images[:1]), model.encode_image(images[:1]), atol=1e-5, rtol=1e-4)


def test_the_tower_stays_as_it_was(make_model):
    model, images = make_model("region-gpo")
    before = model.encode_image(images)
    ImageFunction(model.image_tower)
    assert [type(part) for part in model.image_tower.children() if isinstance(part, GeneralizedPooling)] == [
        GeneralizedPooling
    ]
    assert torch.equal(model.encode_image(images), before)


@pytest.mark.parametrize("kind", CAPTION_KINDS)
def test_captions_embed_as_the_tower_does(kind, make_model):
    model, _ = make_model(caption_kind=kind)
    function = CaptionFunction(model.caption_tower).eval()
    with torch.no_grad():
        found = function(*caption_inputs(model.caption_tower, CAPTIONS).values())
        torch.testing.assert_close(found, model.encode_text(CAPTIONS), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["bag-of-words", "bigru-gpo", "sum", "clip", "bert-gpo"])
def test_more_padding_changes_nothing(kind, make_model):
    model, _ = make_model(caption_kind=kind)
    function = CaptionFunction(model.caption_tower).eval()
    tensors = caption_inputs(model.caption_tower, CAPTIONS[:3]).values()
    wider = [torch.nn.functional.pad(one, (0, 4)) for one in tensors]
    with torch.no_grad():
        torch.testing.assert_close(function(*wider), function(*tensors), atol=1e-5, rtol=1e-4)


@given(some_captions)
@settings(deadline=None, max_examples=30)
def test_ids_of_words_are_those_of_a_loop(captions):
    tower = BagOfWordsTower(dim=2, minimum_count=1)
    tower.fit(["a dog", "a"])
    known = {"a": 2, "dog": 3}
    expected = [[known.get(word, 1) for word in words_of(caption)] or [1] for caption in captions]
    longest = max(map(len, expected))
    inputs = caption_inputs(tower, captions)
    assert list(inputs) == ["ids", "mask"]
    assert {one.dtype for one in inputs.values()} == {torch.int64}
    assert inputs["ids"].tolist() == [[*row, *[0] * (longest - len(row))] for row in expected]
    assert inputs["mask"].tolist() == [[1] * len(row) + [0] * (longest - len(row)) for row in expected]


def test_inputs_of_a_sum_are_those_of_its_parts_in_turn(make_model):
    tower = make_model(caption_kind="sum")[0].caption_tower
    found = caption_inputs(tower, CAPTIONS)
    assert list(found) == ["ids_0", "mask_0", "ids_1", "mask_1"]
    for place, part in enumerate(tower.towers):
        for name, one in caption_inputs(part, CAPTIONS).items():
            assert torch.equal(found[f"{name}_{place}"], one)
    nested = caption_inputs(SumCaptionTower(towers=[tower, tower.towers[0]]), CAPTIONS)
    assert list(nested) == ["ids_0_0", "mask_0_0", "ids_1_0", "mask_1_0", "ids_1", "mask_1"]


def test_ids_of_a_pretrained_tower_are_those_of_its_tokenizer(make_model):
    tower = make_model(caption_kind="siglip")[0].caption_tower
    ids, mask = caption_inputs(tower, CAPTIONS).values()
    expected = tower.tokenizer(CAPTIONS)
    assert torch.equal(ids, expected[0])
    assert torch.equal(mask, expected[1])


@pytest.mark.parametrize("make", [lambda tower: caption_inputs(tower, CAPTIONS), CaptionFunction])
@pytest.mark.parametrize("summed", [False, True])
def test_a_tower_of_another_kind_is_refused(make, summed, make_model, other_tower):
    known = make_model()[0].caption_tower
    message = (
        "^OtherTower cannot be exported; caption towers that can: BagOfWordsTower, BiGRUTower, SentenceEncoderTower, "
        "PretrainedCaptionTower, and sums of these$"
    )
    with pytest.raises(InputError, match=message):
        make(SumCaptionTower(towers=[known, other_tower]) if summed else other_tower)


def test_a_tower_without_data_is_refused():
    with pytest.raises(InputError, match="BagOfWordsTower knows no data yet"):
        caption_inputs(BagOfWordsTower(dim=2), CAPTIONS)
