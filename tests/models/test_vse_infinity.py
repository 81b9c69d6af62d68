"""Checkpoints with the published names and shapes, made here, against the published model's arithmetic."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bcls.errors import InputError
from bcls.models import RetrievalModel
from bcls.models.gpo import GeneralizedPooling
from bcls.models.published import two_sides
from bcls.models.vse_infinity import read_vse_infinity
from tiny_folders import tiny_model

DIM, INPUTS, WORD_DIM = 8, 6, 5
WORDS = ["<pad>", "<start>", "<end>", "<unk>", "dog", "a", "runs", "."]


def gpool(prefix: str = "gpool.") -> dict[str, Tensor]:
    pooling = GeneralizedPooling()
    gru = {f"{prefix}gru.{name}": tensor.detach() for name, tensor in pooling.gru.named_parameters()}
    return {**gru, f"{prefix}linear.weight": pooling.score.weight.detach()}


def linear(name: str, inputs: int, outputs: int) -> dict[str, Tensor]:
    return {f"{name}.weight": torch.randn(outputs, inputs), f"{name}.bias": torch.randn(outputs)}


def norm(name: str, size: int) -> dict[str, Tensor]:
    return {
        f"{name}.weight": torch.rand(size) + 0.5,
        f"{name}.bias": torch.randn(size),
        f"{name}.running_mean": torch.randn(size),
        f"{name}.running_var": torch.rand(size) + 0.1,
        f"{name}.num_batches_tracked": torch.tensor(7),
    }


def region_encoder() -> dict[str, Tensor]:
    return {
        **linear("fc", INPUTS, DIM),
        **linear("mlp.layers.0", INPUTS, DIM // 2),
        **linear("mlp.layers.1", DIM // 2, DIM),
        **norm("mlp.bns.0", DIM // 2),
        **norm("mlp.bns.1", DIM),
        **gpool(),
    }


def gru_encoder() -> dict[str, Tensor]:
    gru = torch.nn.GRU(WORD_DIM, DIM, batch_first=True, bidirectional=True)
    states = {f"rnn.{name}": tensor.detach() for name, tensor in gru.named_parameters()}
    return {"embed.weight": torch.randn(len(WORDS), WORD_DIM), **states, **gpool()}


def write(folder: Path, images: dict[str, Tensor], captions: dict[str, Tensor]) -> Path:
    torch.save(
        {
            "epoch": 3,
            "model": [images, captions],
            "best_rsum": 500.0,
            "opt": argparse.Namespace(data_name="f30k_precomp", img_dim=INPUTS, embed_size=DIM),
            "Eiters": 12,
        },
        folder / "model_best.pth",
    )
    return folder / "model_best.pth"


@pytest.fixture
def vocabulary(tmp_path) -> Path:
    file = tmp_path / "vocab.json"
    file.write_text(json.dumps({"word2idx": {word: row for row, word in enumerate(WORDS)}, "idx": len(WORDS)}))
    return file


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def pooled(published: dict[str, Tensor], vectors: Tensor, lengths: list[int]) -> Tensor:
    pooling = GeneralizedPooling()
    pooling.gru.load_state_dict({n.removeprefix("gpool.gru."): t for n, t in published.items() if "gpool.gru." in n})
    pooling.score.load_state_dict({"weight": published["gpool.linear.weight"]})
    return F.normalize(pooling(vectors, torch.tensor(lengths)), dim=1)


def published_images(published: dict[str, Tensor], images: Tensor) -> Tensor:
    """fc(x) + mlp(x), the perceptron's first layer through batch normalisation in evaluation."""

    def through(name: str, x: Tensor) -> Tensor:
        return F.linear(x, published[f"{name}.weight"], published[f"{name}.bias"])

    hidden = through("mlp.layers.0", images).flatten(0, 1)
    running = [published[f"mlp.bns.0.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
    hidden = F.batch_norm(hidden, *running).relu().view(*images.shape[:2], -1)
    return pooled(published, through("fc", images) + through("mlp.layers.1", hidden), [images.shape[1]] * len(images))


def published_caption(published: dict[str, Tensor], words: list[str]) -> Tensor:
    gru = torch.nn.GRU(WORD_DIM, DIM, batch_first=True, bidirectional=True)
    gru.load_state_dict({n.removeprefix("rnn."): t for n, t in published.items() if n.startswith("rnn.")})
    states = gru(published["embed.weight"][[WORDS.index(word) for word in words]][None])[0]
    return pooled(published, (states[..., :DIM] + states[..., DIM:]) / 2, [len(words)])[0]


def test_a_bigru_model_embeds_as_published(tmp_path, vocabulary):
    images, captions = region_encoder(), gru_encoder()
    read = read_vse_infinity(write(tmp_path, images, captions), vocabulary=vocabulary)
    features = torch.randn(3, 4, INPUTS)
    torch.testing.assert_close(read.model.encode_image(features), published_images(images, features))
    given = ["A dog runs", "a cat"]
    expected = [["<start>", "a", "dog", "runs", "<end>"], ["<start>", "a", "<unk>", "<end>"]]
    for found, words in zip(read.model.encode_text(given), expected, strict=True):
        torch.testing.assert_close(found, published_caption(captions, words))


def test_every_tensor_is_accounted_for(tmp_path, vocabulary):
    images, captions = region_encoder(), {**gru_encoder(), "extra.weight": torch.zeros(1)}
    read = read_vse_infinity(write(tmp_path, images, captions), vocabulary=vocabulary)
    names = {f"image: {name}" for name in images} | {f"caption: {name}" for name in captions}
    assert read.matched.keys() | read.unmatched.keys() == names
    assert not read.matched.keys() & read.unmatched.keys()
    assert read.unmatched == {
        **{
            f"image: mlp.bns.1.{part}": "the published model never applies it"
            for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        },
        "image: mlp.bns.0.num_batches_tracked": "is used in training alone",
        "caption: extra.weight": "unknown",
    }
    assert read.matched["image: mlp.bns.0.running_mean"] == "image_tower.projection.perceptron.1.bias"
    text = str(read)
    assert f"matched {len(read.matched)} tensors, left {len(read.unmatched)} out" in text
    assert "caption: embed.weight -> caption_tower.vectors.weight" in text
    assert "note: features are taken as they are" in text


def test_what_was_read_is_saved_and_loaded(tmp_path, vocabulary):
    read = read_vse_infinity(write(tmp_path, region_encoder(), gru_encoder()), vocabulary=vocabulary)
    read.model.save_pretrained(tmp_path / "model")
    again = RetrievalModel.from_pretrained(tmp_path / "model")
    features = torch.randn(2, 4, INPUTS)
    assert torch.equal(again.encode_image(features), read.model.encode_image(features))
    assert torch.equal(again.encode_text(["a dog"]), read.model.encode_text(["a dog"]))


def test_a_backbone_is_left_out_and_what_stands_behind_it_read(tmp_path, vocabulary):
    behind = {f"image_encoder.{name}": t for name, t in {**linear("fc", INPUTS, DIM), **gpool()}.items()}
    images = {f"module.{name}": tensor for name, tensor in {**behind, "backbone.conv.weight": torch.zeros(2)}.items()}
    captions = {f"module.{name}": tensor for name, tensor in gru_encoder().items()}
    read = read_vse_infinity(write(tmp_path, images, captions), vocabulary=vocabulary)
    assert read.unmatched == {"image: backbone.conv.weight": "belongs to the backbone"}
    features = torch.randn(3, 4, INPUTS)
    plain = {name.removeprefix("image_encoder."): tensor for name, tensor in behind.items()}
    projected = F.linear(features, plain["fc.weight"], plain["fc.bias"])
    torch.testing.assert_close(read.model.encode_image(features), pooled(plain, projected, [4] * 3))


def test_a_bert_model_embeds_as_published(tmp_path):
    transformers = pytest.importorskip("transformers")
    folder = tiny_model("bert")
    bert = transformers.AutoModel.from_pretrained(folder).eval()
    for parameter in bert.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    captions = {f"bert.{name}": tensor.detach() for name, tensor in bert.state_dict().items()}
    captions |= {**linear("linear", bert.config.hidden_size, DIM), **gpool()}
    captions["bert.embeddings.position_ids"] = torch.arange(4)[None]
    read = read_vse_infinity(write(tmp_path, region_encoder(), captions), bert=str(folder))
    tokens = transformers.AutoTokenizer.from_pretrained(folder)(["a dog runs"], return_tensors="pt")
    states = bert(**tokens).last_hidden_state
    projected = F.linear(states, captions["linear.weight"], captions["linear.bias"])
    expected = pooled(captions, projected, [states.shape[1]])
    torch.testing.assert_close(read.model.encode_text(["a dog runs"]), expected, atol=1e-5, rtol=1e-4)
    left = [name for name in read.unmatched if name.startswith("caption") and "pooler" not in name]
    assert left == ["caption: bert.embeddings.position_ids"]


def test_a_bert_with_a_hole_is_refused(tmp_path):
    transformers = pytest.importorskip("transformers")
    folder = tiny_model("bert")
    bert = transformers.AutoModel.from_pretrained(folder).state_dict()
    captions = {f"bert.{name}": tensor for name, tensor in bert.items() if name != "embeddings.LayerNorm.weight"}
    captions |= {**linear("linear", bert["embeddings.LayerNorm.weight"].numel(), DIM), **gpool()}
    message = "holds nothing for 1 tensors of caption_tower: encoder.embeddings.LayerNorm.weight"
    with pytest.raises(InputError, match=message):
        read_vse_infinity(write(tmp_path, region_encoder(), captions), bert=str(folder))


def without(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key: tensor for key, tensor in tensors.items() if key != name}


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [
        (lambda: without(region_encoder(), "fc.bias"), gru_encoder, "image encoder has no fc.bias"),
        (lambda: without(region_encoder(), "mlp.bns.0.running_var"), gru_encoder, "has no mlp.bns.0.running_var"),
        (region_encoder, lambda: without(gru_encoder(), "gpool.linear.weight"), "caption encoder has no gpool.linear"),
        (region_encoder, lambda: without(gru_encoder(), "rnn.weight_hh_l0_reverse"), "has no rnn.weight_hh_l0_reverse"),
        (
            lambda: {**region_encoder(), "mlp.layers.1.weight": torch.zeros(3, 3)},
            gru_encoder,
            r"mlp.layers.1.weight make image_tower.projection.perceptron.4.weight \(3, 3\), but it must be \(8, 4\)",
        ),
    ],
)
def test_tensors_that_are_missing_or_misshapen_are_named(tmp_path, vocabulary, images, captions, message):
    with pytest.raises(InputError, match=message):
        read_vse_infinity(write(tmp_path, images(), captions()), vocabulary=vocabulary)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("fc.weight", (DIM,), r"image encoder's fc.weight is \(8,\), not \(any, any\)"),
        ("fc.weight", (DIM, INPUTS, 1), r"fc.weight is \(8, 6, 1\), not \(any, any\)"),
        ("fc.weight", (0, INPUTS), r"fc.weight is \(0, 6\), not \(any, any\)"),
        ("mlp.layers.0.weight", (), r"mlp.layers.0.weight is \(\), not \(any, 6\)"),
        ("mlp.layers.0.weight", (3, INPUTS), r"mlp.bns.0.weight is \(4,\), not \(3\)"),
        ("mlp.layers.0.bias", (3,), r"mlp.layers.0.bias is \(3,\), not \(4\)"),
        ("mlp.bns.0.running_var", (1,), r"mlp.bns.0.running_var is \(1,\), not \(4\)"),
        ("embed.weight", (len(WORDS),), r"caption encoder's embed.weight is \(8,\), not \(any, any\)"),
        ("rnn.weight_hh_l0", (DIM,), r"rnn.weight_hh_l0 is \(8,\), not \(any, any\)"),
        ("gpool.linear.weight", (1,), r"gpool.linear.weight make image_tower.pool.score.weight \(1,\), but it must be"),
    ],
)
def test_a_tensor_that_sizes_follow_from_is_named_where_it_is_misshapen(tmp_path, vocabulary, name, shape, message):
    sides = [{**side, name: torch.ones(shape)} if name in side else side for side in (region_encoder(), gru_encoder())]
    with pytest.raises(InputError, match=rf"model_best.pth: .*{message}"):
        read_vse_infinity(write(tmp_path, *sides), vocabulary=vocabulary)


def test_a_misshapen_projection_behind_bert_is_named(tmp_path):
    captions = {"bert.x": torch.zeros(1), "linear.weight": torch.zeros(()), "linear.bias": torch.zeros(3), **gpool()}
    with pytest.raises(InputError, match=r"linear.weight is \(\), not \(any, any\)"):
        read_vse_infinity(write(tmp_path, region_encoder(), captions), bert=str(tiny_model("bert")))


def test_numbers_that_were_quantized_are_not_taken_for_weights(tmp_path, vocabulary):
    images = {**region_encoder(), "fc.weight": torch.ones(DIM, INPUTS, dtype=torch.int8)}
    with pytest.raises(InputError, match=r"fc.weight holds torch.int8, no floating-point numbers"):
        read_vse_infinity(write(tmp_path, images, gru_encoder()), vocabulary=vocabulary)


def test_a_tensor_that_our_gru_lacks_is_left_out(tmp_path, vocabulary):
    captions = {**gru_encoder(), "rnn.weight_hr_l0": torch.zeros(2)}
    read = read_vse_infinity(write(tmp_path, region_encoder(), captions), vocabulary=vocabulary)
    assert read.unmatched["caption: rnn.weight_hr_l0"] == "unknown"


def test_what_captions_need_is_asked_for(tmp_path, vocabulary):
    file = write(tmp_path, region_encoder(), gru_encoder())
    with pytest.raises(InputError, match="name the vocabulary"):
        read_vse_infinity(file)
    for content, message in (
        ({"words": {}}, "no vocabulary of VSE-infinity"),
        ({"word2idx": {word: 3 * row for row, word in enumerate(WORDS)}}, "rows beyond the 8 word vectors"),
    ):
        vocabulary.write_text(json.dumps(content))
        with pytest.raises(InputError, match=message):
            read_vse_infinity(file, vocabulary=vocabulary)
    file = write(tmp_path, region_encoder(), {"bert.x": torch.zeros(1)})
    with pytest.raises(InputError, match="go through BERT"):
        read_vse_infinity(file)


def test_a_hostile_or_damaged_file_is_refused_and_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"model": [{}, {}], "opt": Trap()}, tmp_path / "trap.pth")
    whole = write(tmp_path, region_encoder(), gru_encoder()).read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.pth").write_text("no checkpoint")
    for name in ("trap", "cut", "text"):
        with pytest.raises(InputError, match=rf"{name}.pth: damaged, or holds objects other than tensors"):
            two_sides(tmp_path / f"{name}.pth")
    assert not (tmp_path / "sprung").exists()
    with pytest.raises(InputError, match="no such file"):
        two_sides(tmp_path / "absent.pth")


@pytest.mark.parametrize("zipped", [True, False])
def test_damage_anywhere_is_one_clear_error_or_other_numbers(tmp_path, zipped):
    """A byte of the pickle or of the storage changed: whatever torch's reader stumbles over, the file is named."""
    random = np.random.default_rng(0)
    content = {"model": [region_encoder(), gru_encoder()]}
    torch.save(content, tmp_path / "whole.pth", _use_new_zipfile_serialization=zipped)
    whole = (tmp_path / "whole.pth").read_bytes()
    refused = 0
    for _ in range(200):
        damaged = bytearray(whole)
        for place in random.integers(0, 3000 if zipped else len(whole), random.integers(1, 20)):
            damaged[place] = random.integers(256)
        (tmp_path / "damaged.pth").write_bytes(damaged)
        try:
            two_sides(tmp_path / "damaged.pth")
        except InputError as error:
            refused += str(error).startswith(f"{tmp_path / 'damaged.pth'}: ")
    assert refused > 20


@pytest.mark.parametrize("content", [[], {"model": {}}, {"model": [{}]}, {"model": [{"a": 1}, {}]}, {"state": 1}])
def test_other_checkpoints_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(InputError, match="not such a checkpoint: no pair of state dicts"):
        two_sides(tmp_path / "other.pth")


def test_numbers_of_a_plain_numpy_feature_file_go_in(tmp_path, vocabulary):
    read = read_vse_infinity(write(tmp_path, region_encoder(), gru_encoder()), vocabulary=vocabulary)
    features = np.random.default_rng(0).normal(size=(2, 36, INPUTS)).astype(np.float16)
    assert read.model(features, ["a dog", "a", "."]).shape == (2, 3)
