"""A pretrained model's tokenizer, and its files inside a saved model."""

from __future__ import annotations

import base64
import binascii
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bcls.errors import InputError
from bcls.models.pretrained.loading import loading, transformers
from bcls.text import composed

SETTINGS = "tokenizer_config.json"
FILES = (
    "tokenizer.json",
    SETTINGS,
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "tokenizer.model",
    "sentencepiece.bpe.model",
)
PLACES = ("name_or_path", "tokenizer_file", "vocab_file", "cache_dir", "local_files_only", "is_local", "auto_map")


class CaptionTokenizer:
    """Captions, in the Unicode normal form NFC, into token ids.

    The same caption in another normal form has the same ids, whatever the tokenizer itself does about it.

    Args:
        tokenizer: of transformers.
        files: name -> content of its files; of those that are not text, in base64.
        longest: tokens of a caption at most, special ones included.
        fixed: pad every caption to `longest`, as SigLIP was trained; else to the longest caption at hand.
    """

    def __init__(self, tokenizer: Any, files: dict[str, str], longest: int, *, fixed: bool) -> None:
        self._tokenizer = tokenizer
        self._longest = longest
        self._fixed = fixed
        self.files = files

    @classmethod
    def load(cls, model: str, longest: int, *, fixed: bool) -> CaptionTokenizer:
        """The tokenizer of a local folder or a hub id; its own limit counts where it is lower.

        Raises:
            InputError: there is none.
        """
        with loading(f"the tokenizer of {model!r}"):
            tokenizer = transformers().AutoTokenizer.from_pretrained(model, trust_remote_code=False)
            files = _files(tokenizer)  # before its first use, which leaves traces in them
        return cls(tokenizer, files, min(longest, int(tokenizer.model_max_length)), fixed=fixed)

    @classmethod
    def from_files(cls, files: Any, longest: int, *, fixed: bool) -> CaptionTokenizer:
        """The tokenizer whose `files` these are.

        Raises:
            InputError: they are not those of a tokenizer.
        """
        if not isinstance(files, dict) or not files or not set(files) <= set(FILES):
            raise InputError(f"no files of a tokenizer; there may be {', '.join(FILES)}")
        with tempfile.TemporaryDirectory() as folder, loading("the tokenizer"):
            for name, content in files.items():
                (Path(folder) / name).write_bytes(_bytes(name, content))
            tokenizer = transformers().AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        return cls(tokenizer, files, longest, fixed=fixed)

    def contents(self) -> dict[str, bytes]:
        """The tokenizer's files as they lie in a folder: name -> content."""
        return {name: _bytes(name, content) for name, content in self.files.items()}

    @property
    def longest(self) -> int:
        """Tokens of a caption at most."""
        return self._longest

    @property
    def fixed_length(self) -> int | None:
        """The number of tokens of every caption; None = as many as it has."""
        return self._longest if self._fixed else None

    def __call__(self, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
        """(captions, tokens) ids, and the mask: 1 = a token, 0 = padding, which is all on the right."""
        if not len(captions):
            return torch.zeros(0, 1, dtype=torch.int64), torch.zeros(0, 1, dtype=torch.int64)
        found = self._tokenizer(
            [composed(caption) for caption in captions],
            padding="max_length" if self._fixed else "longest",
            truncation=True,
            max_length=self._longest,
            padding_side="right",
            return_attention_mask=True,
            return_tensors="pt",
        )
        return found["input_ids"], found["attention_mask"]


def _files(tokenizer: Any) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        found = {file.name: file.read_bytes() for file in sorted(Path(folder).iterdir()) if file.name in FILES}
    return {name: _text(name, content) for name, content in found.items()}


def _text(name: str, content: bytes) -> str:
    if name.endswith(".model"):
        return base64.b64encode(content).decode("ascii")
    if name == SETTINGS:
        settings = {key: value for key, value in json.loads(content).items() if key not in PLACES}
        return json.dumps(settings, ensure_ascii=False, sort_keys=True)
    return content.decode("utf-8")


def _bytes(name: str, content: Any) -> bytes:
    if not isinstance(content, str):
        raise InputError(f"the tokenizer's {name} is no text")
    if not name.endswith(".model"):
        return content.encode("utf-8")
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        raise InputError(f"the tokenizer's {name} is not base64") from None
