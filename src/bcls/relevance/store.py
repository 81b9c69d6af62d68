"""Encodings on disk, with a hash of what they were made from."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.errors import InputError
from bcls.files import hash_of, read_json, write_json
from bcls.relevance.encodings import KINDS, Encodings
from bcls.relevance.scorer import Scorer

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 1


def write_labels(
    folder: Path,
    scorer: Scorer,
    captions: Sequence[str],
    caption_ids: Sequence[str],
    caption_image: NDArray[np.int64],
    *,
    fitted_on: str = "",
) -> None:
    """Encode captions and keep the encodings in a folder: `labels.json` and one `.npy` an array.

    The folder appears whole or not at all; one that stands there is replaced only when the new one is complete. The
    same captions and scorer give the same `labels.json`: it holds no date and no path.

    Args:
        folder: where to.
        scorer: fitted.
        captions: the captions of one split.
        caption_ids: their ids.
        caption_image: (captions,) image row of each.
        fitted_on: hash of the captions that the scorer was fitted on, where that matters.

    Raises:
        InputError: the scorer is not fitted, or the counts of captions, ids and image rows differ.

    Example:
        >>> from bcls.relevance import CiderScorer
        >>> captions, ids, image = ["a dog runs", "a cat sleeps"], ["a", "b"], np.array([0, 1])
        >>> folder, scorer = Path(tempfile.mkdtemp()) / "train", CiderScorer().fit(captions)
        >>> write_labels(folder, scorer, captions, ids, image)
        >>> len(open_labels(folder, scorer, captions, ids, image))
        2
    """
    about = _about(scorer, captions, caption_ids, caption_image, fitted_on)
    encodings = scorer.encode(captions)
    about = {"format": FORMAT, "kind": encodings.kind, **about}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        fresh = Path(temporary) / "fresh"
        fresh.mkdir()
        for name, array in encodings.arrays().items():
            np.save(fresh / f"{name}.npy", array, allow_pickle=False)
        write_json(fresh / "labels.json", about)
        _swap(fresh, folder, Path(temporary) / "old")


def open_labels(
    folder: Path,
    scorer: Scorer,
    captions: Sequence[str],
    caption_ids: Sequence[str],
    caption_image: NDArray[np.int64],
    *,
    fitted_on: str = "",
) -> Encodings:
    """Open kept encodings as memory maps, if they are those of these captions and settings.

    Args:
        folder: where `write_labels` kept them.
        scorer: with the settings that are expected; it need not be fitted.
        captions: the captions of the split.
        caption_ids: their ids.
        caption_image: (captions,) image row of each.
        fitted_on: hash of the captions that the scorer should have been fitted on.

    Returns:
        The encodings, for `CaptionRelevance`.

    Raises:
        InputError: not a label store, damaged, or stale: made from other captions or with other settings.

    Example: see `write_labels`.
    """
    place = folder / "labels.json"
    if not place.is_file():
        raise InputError(f"{folder}: no labels there; make them with `bcls label`")
    about = read_json(place)
    if not isinstance(about, dict) or about.get("format") != FORMAT or about.get("kind") not in KINDS:
        raise InputError(
            f"{place}: not a label store of this package; make a new one with `bcls label --overwrite true`"
        )
    expected = _about(scorer, captions, caption_ids, caption_image, fitted_on)
    _refuse_stale(folder, about, expected)
    try:
        arrays = {file.stem: np.load(file, mmap_mode="r", allow_pickle=False) for file in sorted(folder.glob("*.npy"))}
        encodings = KINDS[about["kind"]].from_arrays(arrays)
    except (ValueError, OverflowError, SyntaxError, KeyError, IndexError, TypeError, OSError, EOFError) as error:
        raise InputError(f"{folder}: damaged encodings ({error}); run `bcls label --overwrite true`") from None
    if len(encodings) != len(captions):
        raise InputError(f"{folder}: damaged encodings ({len(encodings)} rows for {len(captions)} captions)")
    return encodings


def captions_hash(captions: Sequence[str], caption_ids: Sequence[str], caption_image: NDArray[np.int64]) -> str:
    """A hash of ids, texts, their order, and which image row each caption has.

    Args:
        captions: the captions of one split.
        caption_ids: their ids.
        caption_image: (captions,) image row of each.

    Returns:
        64 hexadecimal digits.

    Raises:
        InputError: the three counts differ.

    Example:
        >>> first = captions_hash(["a dog", "a cat"], ["a", "b"], np.array([0, 1]))
        >>> first == captions_hash(["a dog", "a cat"], ["a", "b"], np.array([0, 0]))
        False
    """
    if not len(captions) == len(caption_ids) == len(caption_image):
        raise InputError(
            f"{len(captions)} captions, {len(caption_ids)} ids, {len(caption_image)} image rows: they must be as many"
        )
    return hash_of([*caption_ids, *captions, ",".join(map(str, caption_image.tolist()))])


def _about(
    scorer: Scorer,
    captions: Sequence[str],
    caption_ids: Sequence[str],
    caption_image: NDArray[np.int64],
    fitted_on: str,
) -> dict[str, Any]:
    return {
        "settings": json.loads(json.dumps(scorer.settings())),  # as it will be read back, a tuple is a list
        "fitted_on": fitted_on,
        "captions": len(captions),
        "captions_hash": captions_hash(captions, caption_ids, caption_image),
    }


def _swap(fresh: Path, folder: Path, old: Path) -> None:
    """Put `fresh` where `folder` is, and what stood there at `old`; if that fails, all is as before."""
    if not folder.exists():
        fresh.rename(folder)
        return
    folder.rename(old)
    try:
        fresh.rename(folder)
    except BaseException:
        old.rename(folder)
        raise


def _refuse_stale(folder: Path, found: dict[str, Any], expected: dict[str, Any]) -> None:
    reasons = []
    if found.get("captions") != expected["captions"]:
        reasons.append(f"it holds {found.get('captions')} captions, the data set has {expected['captions']}")
    elif found.get("captions_hash") != expected["captions_hash"]:
        reasons.append("its captions are not those of the data set")
    if found.get("settings") != expected["settings"]:
        reasons.append(f"its settings were {found.get('settings')}, now {expected['settings']}")
    if found.get("fitted_on") != expected["fitted_on"]:
        reasons.append("the scorer was fitted on other captions")
    if reasons:
        raise InputError(f"{folder}: stale labels: {'; '.join(reasons)}. Run `bcls label --overwrite true`")
