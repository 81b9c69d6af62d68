"""A tiny random CLIP as the hub would have it, and drawn pictures to train it on."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory) -> Path:
    """The folder of a CLIP of one layer and 16 dimensions that spells its words."""
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    folder = tmp_path_factory.mktemp("clip")
    letters = [letter + end for end in ("", "</w>") for letter in string.ascii_lowercase]
    words = ["<|startoftext|>", "<|endoftext|>", *letters]
    (folder / "vocab.json").write_text(json.dumps({word: row for row, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = transformers.CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=64)
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    torch.manual_seed(0)
    transformers.CLIPModel(
        transformers.CLIPConfig(
            text_config={
                **size,
                "vocab_size": len(words),
                "max_position_embeddings": 64,
                "bos_token_id": 0,
                "eos_token_id": 1,
                "pad_token_id": 1,
            },
            vision_config={**size, "image_size": 32, "patch_size": 8},
            projection_dim=16,
        )
    ).save_pretrained(folder)
    pictures = transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    transformers.CLIPProcessor(pictures, tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def scenes(tmp_path_factory) -> Path:
    """A folder of drawn scenes: 24 to train on, 12 to judge by, two captions each."""
    from bcls.data.scenes import make_scenes

    folder = tmp_path_factory.mktemp("scenes") / "data"
    make_scenes(folder, splits={"train": 24, "val": 12}, captions_per_image=2, size=32, seed=0)
    return folder
