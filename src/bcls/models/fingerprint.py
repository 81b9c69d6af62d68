"""What tells one saved model from another."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bcls.errors import InputError
from bcls.models.storage import find_model


def fingerprint(path_or_hub_id: str | Path) -> str:
    """SHA-256 of a saved model's `config.json` and `model.safetensors`, in hexadecimal.

    Vectors of two models cannot be compared: an index keeps the fingerprint of the model that made its vectors.

    Raises:
        InputError: no such model.

    Example:
        >>> fingerprint("nowhere")
        Traceback (most recent call last):
        bcls.errors.InputError: nowhere: no such model folder (it should hold config.json and model.safetensors)
    """
    folder = find_model(path_or_hub_id)
    digest = hashlib.sha256()
    for name in ("config.json", "model.safetensors"):
        try:
            with (folder / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise InputError(f"{folder / name}: cannot be read ({error.strerror})") from None
    return digest.hexdigest()
