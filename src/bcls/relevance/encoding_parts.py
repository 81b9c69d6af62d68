"""Encodings of captions part by part, kept on disk until all are there: an interrupted encoding is resumed."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from bcls.errors import InputError
from bcls.files import read_json, replacing, write_json
from bcls.progress import Progress
from bcls.text import to_texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bcls.relevance.encodings import Encodings
    from bcls.relevance.scorer import Scorer

    Part = Mapping[str, NDArray[np.generic]]

logger = logging.getLogger("bcls")

ABOUT = "about.json"


def parts_with_progress(scorer: Scorer, captions: Sequence[str]) -> Iterator[Part]:
    """Encode captions part by part and show how far it has come.

    Args:
        scorer: fitted, with a `part_size`.
        captions: any number of them; of none there is one empty part.
    """
    captions = to_texts(captions, "captions")
    with Progress("encoding captions", len(captions), "caption") as shown:
        for start in _starts(scorer, captions):
            chosen = captions[start : start + scorer.part_size]
            yield scorer.encode_part(chosen)
            shown.advance(len(chosen))


def encode_resumably(scorer: Scorer, captions: Sequence[str], folder: Path, about: Mapping[str, Any]) -> Encodings:
    """Encode captions and keep each part in a folder as soon as it is done; parts that are there are not made again.

    Each part is written under a temporary name and renamed, so that a part that is there is whole, however the process
    before was ended. The encodings are the same, bit for bit, as those of an unbroken run.

    Args:
        scorer: fitted; one that encodes all captions at once keeps no parts.
        captions: the captions of one split.
        folder: of the parts, which the caller deletes when it has written the encodings. Parts of other captions or
            of other settings are deleted.
        about: tells what is encoded, JSON-able: parts are used again only where it is the same.

    Raises:
        InputError: the scorer is not fitted, or refuses a caption; the parts that are done stay.
    """
    if not _encodes_parts(scorer):
        return scorer.encode(captions)
    _claim(folder, {**about, "part_size": scorer.part_size})
    starts = _starts(scorer, captions)
    files = [folder / f"part-{number:06d}.safetensors" for number in range(len(starts))]
    missing = [(start, file) for start, file in zip(starts, files, strict=True) if _read(file) is None]
    size = {start: len(captions[start : start + scorer.part_size]) for start in starts}
    done = len(captions) - sum(size[start] for start, _ in missing)
    if done:
        logger.info("resuming: %s of %s captions are encoded already", f"{done:,}", f"{len(captions):,}")
    with Progress("encoding captions", len(captions), "caption", done) as shown:
        for start, file in missing:
            part = scorer.encode_part(captions[start : start + scorer.part_size])
            with replacing(file) as temporary:
                save_file(dict(part), temporary)
            shown.advance(size[start])
    return scorer.join(_kept(file) for file in files)


def _encodes_parts(scorer: Scorer) -> bool:
    """Whether parts make what `encode` does: not where a subclass has an `encode` of its own and inherits the parts."""
    classes = type(scorer).__mro__
    encode, part = (
        next(row for row, one in enumerate(classes) if name in vars(one)) for name in ("encode", "encode_part")
    )
    return scorer.part_size > 0 and part <= encode


def _starts(scorer: Scorer, captions: Sequence[str]) -> Sequence[int]:
    return range(0, max(1, len(captions)), scorer.part_size)


def _claim(folder: Path, about: Mapping[str, Any]) -> None:
    """Make the folder one of parts of this encoding; what is there of another is deleted."""
    expected = json.loads(json.dumps(about))
    try:
        found = read_json(folder / ABOUT)
    except InputError:
        found = None
    if found != expected:
        for file in folder.glob("part-*"):
            file.unlink()
        write_json(folder / ABOUT, expected)


def _read(file: Path) -> Part | None:
    """A part; None where it is missing or damaged."""
    if not file.is_file():
        return None
    try:
        return load_file(file)
    except (SafetensorError, OSError, ValueError):
        return None


def _kept(file: Path) -> Part:
    part = _read(file)
    if part is None:
        raise InputError(f"{file}: the part has gone or is damaged since it was written; encode again")
    return part


def delete_parts(folder: Path, *, unless_any: bool = False) -> None:
    """Delete a folder of parts.

    Args:
        folder: which may be missing.
        unless_any: leave it where it holds a part.
    """
    if not (unless_any and any(folder.glob("part-*.safetensors"))):
        shutil.rmtree(folder, ignore_errors=True)
