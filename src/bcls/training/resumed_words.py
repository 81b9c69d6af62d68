"""A resumed run goes on with the words that it was begun with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bcls.errors import InputError
from bcls.files import read_json
from bcls.models.towers import CaptionTower


def refuse_other_words(model: Path, tower: CaptionTower) -> None:
    """Refuse to go on where the vocabulary differs: a checkpoint's word vectors would stand for other words.

    Args:
        model: the folder of the run's best model so far; nothing is checked where there is none.
        tower: fitted anew on the run's captions.

    Raises:
        InputError: its words are not those of the model.
    """
    if not (model / "config.json").is_file():
        return
    config = read_json(model / "config.json")
    kept = config.get("caption_tower") if isinstance(config, dict) else None
    if isinstance(kept, dict) and _vocabularies(kept.get("fitted")) != _vocabularies(tower.fitted()):
        raise InputError(
            f"{model}: its vocabulary is not the one found now: this run was begun with another rule for words (see "
            "docs/words.md), and its word vectors would stand for other words. Train anew with another --output"
        )


def _vocabularies(fitted: Any) -> list[list[str]]:
    """The word lists of a tower, or of each tower of a sum."""
    if not isinstance(fitted, dict):
        return []
    parts = [words for part in fitted.get("towers", []) for words in _vocabularies(part)]
    return [*([list(fitted["vocabulary"])] if "vocabulary" in fitted else []), *parts]
