"""Published checkpoints of VSE-infinity, read into this package's towers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from bcls.errors import InputError
from bcls.files import read_json
from bcls.models.bigru import END, START, BiGRUTower
from bcls.models.pretrained import PretrainedCaptionTower
from bcls.models.published import ReadCheckpoint, Reading, two_sides
from bcls.models.region_features import RegionFeatureTower
from bcls.models.retrieval_model import RetrievalModel
from bcls.models.towers import CaptionTower

Tensors: TypeAlias = Mapping[str, Tensor]
BATCH_NORM_EPSILON = 1e-5
GPOOL = {
    **{
        f"gpool.gru.{name}_l0{suffix}": f"pool.gru.{name}_l0{suffix}"
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        for suffix in ("", "_reverse")
    },
    "gpool.linear.weight": "pool.score.weight",
}


def read_vse_infinity(
    checkpoint: str | Path, *, vocabulary: str | Path | None = None, bert: str | None = None
) -> ReadCheckpoint:
    """Read a `model_best.pth` of VSE-infinity.

    Nothing in the file is run, see `two_sides`.

    Regions: `fc` and `mlp` become the projection, with the batch normalisation of the perceptron folded into its first
    layer, which is the same in evaluation. Of a model with a convolutional backbone, the part behind it is read; it
    wants the backbone's grid features. Captions: a BERT model needs `bert`, a BiGRU model `vocabulary`.

    Args:
        checkpoint: the file.
        vocabulary: the model's vocabulary (`*_precomp_vocab.json`), for a BiGRU model.
        bert: a folder or hub id with BERT's config, tokenizer and weights (`bert-base-uncased`), for a BERT model; the
            weights are replaced.

    Raises:
        InputError: not such a checkpoint, tensors that are missing or of another shape, or what its captions need is
            not given.

    Source: Chen et al., Learning the Best Pooling Strategy for Visual Semantic Embedding, arXiv 2011.04305, and the
    names of the tensors in the authors' code.
    """
    place = Path(checkpoint)
    images, captions = two_sides(place)
    read = Reading(place)
    image_tower = _image_tower(read, images)
    if any(name.startswith("bert.") for name in captions):
        caption_tower: CaptionTower = _bert_tower(read, captions, bert)
    else:
        caption_tower = _bigru_tower(read, captions, vocabulary)
    model = RetrievalModel(image_tower, caption_tower).eval()
    return ReadCheckpoint(model, read.matched, read.unmatched, tuple(read.notes))


def _image_tower(read: Reading, published: Tensors) -> RegionFeatureTower:
    behind = {name: tensor for name, tensor in published.items() if name.startswith("image_encoder.")}
    if behind:
        read.notes.append("the convolutional backbone is left out: give the tower its grid features")
        read.leave_out("image", dict.fromkeys(published.keys() - behind.keys(), "belongs to the backbone"))
        published = {name.removeprefix("image_encoder."): tensor for name, tensor in behind.items()}
    read.require("image", published, ["fc.weight", "fc.bias", *GPOOL])
    perceptron = "mlp.layers.0.weight" in published
    dim, inputs = read.shaped("image", published, "fc.weight", None, None).shape
    hidden = len(read.shaped("image", published, "mlp.layers.0.weight", None, inputs)) if perceptron else None
    tower = RegionFeatureTower(dim=dim, pooling="gpo", hidden=hidden, dropout=0.0, dropped_regions=0.2)
    tower.restore({"input_dim": inputs})
    straight = "projection.straight.1" if perceptron else "projection.1"
    found = {f"{straight}.{part}": ([f"fc.{part}"], published[f"fc.{part}"]) for part in ("weight", "bias")}
    if perceptron:
        found |= _perceptron(read, published)
    found |= {ours: ([name], published[name]) for name, ours in GPOOL.items()}
    read.fill(tower, "image_tower", found, given={"standardize.mean", "standardize.deviation"})
    used = {name for names, _ in found.values() for name in names}
    read.leave_out("image", {name: _why(name) for name in published if name not in used})
    read.notes.append("features are taken as they are, not standardised")
    return tower


def _perceptron(read: Reading, published: Tensors) -> dict[str, tuple[list[str], Tensor]]:
    first, norm = "mlp.layers.0", "mlp.bns.0"
    names = [f"{norm}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
    last = [f"mlp.layers.1.{part}" for part in ("weight", "bias")]
    read.require("image", published, [f"{first}.weight", f"{first}.bias", *names, *last])
    middle = len(published[f"{first}.weight"])
    scale, shift, mean, variance = (read.shaped("image", published, name, middle) for name in names)
    read.shaped("image", published, f"{first}.bias", middle)
    factor = scale / (variance + BATCH_NORM_EPSILON).sqrt()
    return {
        "projection.perceptron.1.weight": (
            [f"{first}.weight", names[0], names[3]],
            published[f"{first}.weight"] * factor[:, None],
        ),
        "projection.perceptron.1.bias": (
            [f"{first}.bias", names[1], names[2]],
            (published[f"{first}.bias"] - mean) * factor + shift,
        ),
        "projection.perceptron.4.weight": ([last[0]], published[last[0]]),
        "projection.perceptron.4.bias": ([last[1]], published[last[1]]),
    }


def _why(name: str) -> str:
    if name.startswith("mlp.bns.1."):
        return "the published model never applies it"
    return "is used in training alone" if name.endswith("num_batches_tracked") else "unknown"


def _bigru_tower(read: Reading, published: Tensors, vocabulary: str | Path | None) -> BiGRUTower:
    if vocabulary is None:
        raise InputError(f"{read.place}: its captions go word by word: name the vocabulary (*_precomp_vocab.json)")
    gru = [f"{name}_l0{end}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh") for end in ("", "_reverse")]
    read.require("caption", published, ["embed.weight", *(f"rnn.{name}" for name in gru), *GPOOL])
    vectors = read.shaped("caption", published, "embed.weight", None, None)
    words, rows = _words(Path(vocabulary), vectors)
    layers = sum(name.startswith("rnn.weight_ih_l") and not name.endswith("_reverse") for name in published)
    tower = BiGRUTower(
        dim=read.shaped("caption", published, "rnn.weight_hh_l0", None, None).shape[1],
        word_dim=vectors.shape[1],
        layers=layers,
        dropout=0.0,
        dropped_words=0.2,
        marked=True,
    )
    tower.restore({"vocabulary": words})
    found = {"vectors.weight": (["embed.weight"], vectors[rows])}
    known = tower.state_dict().keys()
    for name, tensor in published.items():
        own = f"gru.{name.removeprefix('rnn.')}"
        if name.startswith("rnn.") and own in known:
            found[own] = ([name], tensor)
    found |= {ours: ([name], published[name]) for name, ours in GPOOL.items()}
    read.fill(tower, "caption_tower", found, given=set())
    used = {name for names, _ in found.values() for name in names}
    read.leave_out("caption", {name: "unknown" for name in published if name not in used})
    read.notes.append("captions are split into runs of letters and digits; the published code also kept punctuation")
    return tower


def _words(file: Path, vectors: Tensor) -> tuple[list[str], Tensor]:
    """The vocabulary's words and, for each row of our word vectors, the published row: padding, unknown, the words."""
    content = read_json(file)
    row_of = content.get("word2idx") if isinstance(content, dict) else None
    if not isinstance(row_of, dict) or not {"<pad>", "<unk>", START, END} <= row_of.keys():
        raise InputError(f"{file}: no vocabulary of VSE-infinity: no 'word2idx' with <pad>, <unk>, {START} and {END}")
    if not all(isinstance(row, int) and 0 <= row < len(vectors) for row in row_of.values()):
        raise InputError(f"{file}: has rows beyond the {len(vectors)} word vectors of the checkpoint")
    words = sorted(row_of.keys() - {"<pad>", "<unk>"}, key=lambda word: (row_of[word], word))
    return words, torch.tensor([row_of[word] for word in ("<pad>", "<unk>", *words)])


def _bert_tower(read: Reading, published: Tensors, bert: str | None) -> PretrainedCaptionTower:
    if bert is None:
        raise InputError(f"{read.place}: its captions go through BERT: name a folder or hub id of bert-base-uncased")
    read.require("caption", published, ["linear.weight", "linear.bias", *GPOOL])
    dim = len(read.shaped("caption", published, "linear.weight", None, None))
    tower = PretrainedCaptionTower(model=bert, dim=dim, pooling="gpo")
    tower.fit(["a"])
    ours = tower.state_dict().keys()
    found = {f"projection.1.{part}": ([f"linear.{part}"], published[f"linear.{part}"]) for part in ("weight", "bias")}
    for name, tensor in published.items():
        own = f"encoder.{name.removeprefix('bert.')}"
        if name.startswith("bert.") and own in ours:
            found[own] = ([name], tensor)
    found |= {own: ([name], published[name]) for name, own in GPOOL.items()}
    pooler = {name for name in ours if name.startswith("encoder.pooler.") and name not in found}
    read.fill(tower, "caption_tower", found, given=pooler)
    used = {name for names, _ in found.values() for name in names}
    read.leave_out("caption", {name: "our BERT has no such tensor" for name in published if name not in used})
    return tower
