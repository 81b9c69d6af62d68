"""Folders of tiny pretrained models, each made once a session."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest

CAPTIONS = (
    "A dog runs on the wet grass .",
    "Two men in hats eat an apple",
    "The brown dog is running , running fast , away from two men in hats on the grass .",
    "two men eat",
    "Skateboarder",
    "Hats eat men",
    "a noun at the place with one garden field river house tree boat horse cat",
)


@cache
def tiny_model(kind: str) -> Path:
    """The folder of a tiny `clip`, `siglip`, `vit`, `dinov2` or `bert`; not to be changed."""
    pytest.importorskip("transformers")
    pytest.importorskip("sentencepiece")
    import tiny_models
    import torch

    folder = _root() / kind
    torch.manual_seed(0)
    tiny_models.KINDS[kind](folder, CAPTIONS * 3)
    return folder


_roots: list[tempfile.TemporaryDirectory[str]] = []


def _root() -> Path:
    if not _roots:
        _roots.append(tempfile.TemporaryDirectory())
    return Path(_roots[0].name)
