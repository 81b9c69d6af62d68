"""Tiny models with random weights, saved as the hub would: to try pretrained towers without a network.

    python examples/tiny_models.py clip runs/tiny/clip --data runs/scenes

writes a folder that `PretrainedImageTower` and `PretrainedCaptionTower` take in place of a real CLIP. The tokenizer
learns its pieces from the captions of the data set's train split.
"""

from __future__ import annotations

import argparse
import io
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import sentencepiece
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    BitImageProcessorPil,
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPTokenizer,
    Dinov2Config,
    Dinov2Model,
    PreTrainedModel,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
    SiglipTokenizer,
    ViTConfig,
    ViTImageProcessorPil,
    ViTModel,
)

from bcls.data import read_dataset

LAYERS = {"num_hidden_layers": 2, "num_attention_heads": 2}
TOKENS = 32


def make_clip(folder: Path, captions: Sequence[str], width: int = 16, image: int = 16, patch: int = 8) -> None:
    """CLIP: class token and end-of-text token, each projected into a shared space of half the width."""
    tokenizer = _clip_tokenizer(captions)
    sizes = {"hidden_size": width, "intermediate_size": 2 * width, **LAYERS}
    words = {
        "vocab_size": len(tokenizer),
        "max_position_embeddings": TOKENS,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    pixels = {"image_size": image, "patch_size": patch}
    config = CLIPConfig(text_config={**sizes, **words}, vision_config={**sizes, **pixels}, projection_dim=width // 2)
    processor = CLIPImageProcessorPil(size={"shortest_edge": image}, crop_size={"height": image, "width": image})
    _save(folder, CLIPModel(config), tokenizer, processor)


def make_siglip(folder: Path, captions: Sequence[str], width: int = 16, image: int = 16, patch: int = 8) -> None:
    """SigLIP: attention pooling of patches, and the last of a fixed number of tokens."""
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([caption.lower() for caption in captions]),
        model_writer=file,
        vocab_size=400,
        hard_vocab_limit=False,
        model_type="unigram",
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spiece.model").write_bytes(file.getvalue())
    tokenizer = SiglipTokenizer(str(folder / "spiece.model"), pad_token="<pad>", model_max_length=TOKENS)
    sizes = {"hidden_size": width, "intermediate_size": 2 * width, **LAYERS}
    words = {"vocab_size": len(tokenizer), "max_position_embeddings": TOKENS, "pad_token_id": 0, "eos_token_id": 1}
    config = SiglipConfig(
        text_config={**sizes, **words}, vision_config={**sizes, "image_size": image, "patch_size": patch}
    )
    processor = SiglipImageProcessorPil(size={"height": image, "width": image})
    model = SiglipModel(config)
    with torch.no_grad():  # where its pretraining starts, by the paper (Zhai et al. 2023); transformers leaves 0 and 0
        model.logit_scale.fill_(math.log(10))
        model.logit_bias.fill_(-10)
    _save(folder, model, tokenizer, processor)


def make_vit(folder: Path, captions: Sequence[str], width: int = 16, image: int = 16, patch: int = 8) -> None:
    """ViT: a vision encoder alone."""
    sizes = {"hidden_size": width, "intermediate_size": 2 * width, **LAYERS}
    processor = ViTImageProcessorPil(size={"height": image, "width": image})
    _save(folder, ViTModel(ViTConfig(**sizes, image_size=image, patch_size=patch)), processor)


def make_dinov2(folder: Path, captions: Sequence[str], width: int = 16, image: int = 16, patch: int = 8) -> None:
    """DINOv2: a vision encoder alone."""
    config = Dinov2Config(hidden_size=width, **LAYERS, image_size=image, patch_size=patch)
    processor = BitImageProcessorPil(
        size={"shortest_edge": image + 2}, crop_size={"height": image, "width": image}, do_convert_rgb=True
    )
    _save(folder, Dinov2Model(config), processor)


def make_bert(folder: Path, captions: Sequence[str], width: int = 16, image: int = 16, patch: int = 8) -> None:
    """BERT: a text encoder alone."""
    words = sorted({word for caption in captions for word in caption.lower().split()})
    letters = sorted({letter for word in words for letter in word})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = BertTokenizer(vocab=vocabulary, model_max_length=TOKENS)
    sizes = {"hidden_size": width, "intermediate_size": 2 * width, **LAYERS}
    config = BertConfig(**sizes, vocab_size=len(vocabulary), max_position_embeddings=TOKENS)
    _save(folder, BertModel(config), tokenizer)


KINDS: dict[str, Callable[..., None]] = {
    "clip": make_clip,
    "siglip": make_siglip,
    "vit": make_vit,
    "dinov2": make_dinov2,
    "bert": make_bert,
}


def _clip_tokenizer(captions: Sequence[str]) -> CLIPTokenizer:
    special = ["<|startoftext|>", "<|endoftext|>"]
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    bpe.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        end_of_word_suffix="</w>",
        special_tokens=special,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    bpe.train_from_iterator([caption.lower() for caption in captions], trainer)
    learnt = json.loads(bpe.to_str())["model"]
    pieces = special + sorted(set(learnt["vocab"]) - set(special))  # the trainer's own numbers change from call to call
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    merges = [tuple(merge) for merge in learnt["merges"]]
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=TOKENS)


def _save(folder: Path, model: PreTrainedModel, *beside: object) -> None:
    model.save_pretrained(folder)
    for part in beside:
        part.save_pretrained(folder)  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("output", type=Path, help="the new folder")
    parser.add_argument("--data", required=True, help="data set whose train captions the tokenizer learns from")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--image", type=int, default=64, help="side of a picture in pixels")
    parser.add_argument("--patch", type=int, default=8, help="side of a patch in pixels")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    captions = read_dataset(given.data).split("train").caption_texts
    KINDS[given.kind](given.output, captions, given.width, given.image, given.patch)


if __name__ == "__main__":
    main()
