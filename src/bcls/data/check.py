"""Finds everything that is wrong with a data set and says where."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from bcls.data.caption_checks import caption_problems
from bcls.data.dataset import RetrievalDataset
from bcls.data.features import FeatureStore
from bcls.data.problem import Problem
from bcls.data.record_checks import is_blank, record_problems, shown
from bcls.errors import InputError
from bcls.pictures import picture_fault
from bcls.progress import counted, progress
from bcls.text import words_of
from bcls.text.unicode_words import ASCII_WORD

BLOCK = 1024


def check_dataset(
    dataset: RetrievalDataset, *, pictures: bool = True, features: Sequence[str] | None = None
) -> list[Problem]:
    """Look at every record, picture and feature row.

    Args:
        dataset: what to look at.
        pictures: open every picture file.
        features: names of the features to look at; None = all.

    Returns:
        All problems, in the order of the data.
    """
    names = dataset.features if features is None else features
    problems = [*_nothing(dataset, pictures=pictures and not names), *_ids(dataset), *record_problems(dataset)]
    problems += [*_captions(dataset), *caption_problems(dataset)]
    problems += [Problem("left out", kind.example, f"{kind.count} {kind.what}", False) for kind in dataset.left_out]
    if pictures:
        problems += _pictures(dataset)
    for name in names:
        problems += _features(dataset, name, dataset.features[name])
    return problems


def refuse_problems(problems: Sequence[Problem], command: str) -> None:
    """Raise where a problem is fatal.

    Args:
        problems: of `check_dataset`.
        command: what lists them all.

    Raises:
        InputError: how many there are of each kind, and the command.
    """
    counts = Counter(problem.kind for problem in problems if problem.fatal)
    if counts:
        kinds = ", ".join(f"{kind}: {count}" for kind, count in counts.items())
        rest = "see it with" if counts.total() == 1 else "see them all with"
        raise InputError(f"the data has {counted(counts.total(), 'problem')} ({kinds}); {rest}: {command}")


def _nothing(dataset: RetrievalDataset, *, pictures: bool) -> Iterator[Problem]:
    if not dataset.images:
        yield Problem("no images", dataset.name, "the data set is empty")
    elif pictures and dataset.image_folder is None:
        yield Problem("no pictures", dataset.name, "there is no folder of pictures, and no features stand for them")


def _ids(dataset: RetrievalDataset) -> Iterator[Problem]:
    for kind, ids in (("image", dataset.image_ids), ("caption", dataset.caption_ids)):
        counts = {name: count for name, count in Counter(ids).items() if count > 1}
        splits = _splits(dataset, kind, counts)
        for name, count in counts.items():
            where = f", in the splits {', '.join(sorted(splits[name]))}" if len(splits[name]) > 1 else ""
            yield Problem(f"duplicate {kind} id", name, f"{count} {kind}s have this id{where}")


def _splits(dataset: RetrievalDataset, kind: str, names: Collection[str]) -> dict[str, set[str]]:
    """The splits that ids stand in, of images or of captions."""
    found: dict[str, set[str]] = {name: set() for name in names}
    if not found:
        return found
    for image in dataset.images:
        for name in [image.id] if kind == "image" else [caption.id for caption in image.captions]:
            if name in found:
                found[name].add(image.split)
    return found


def _captions(dataset: RetrievalDataset) -> Iterator[Problem]:
    for image in dataset.images:
        if not image.captions:
            yield Problem("image without caption", image.id, "it can neither be trained on nor be a query")
        for caption in image.captions:
            if caption.text.isascii() and ASCII_WORD.search(caption.text):  # nearly every caption
                continue
            if is_blank(caption.text):
                yield Problem("empty caption", caption.id, f"of image {image.id}")
            elif not words_of(caption.text):
                yield Problem(
                    "caption without words", caption.id, "scorers and towers that read words find nothing in it", False
                )


def _pictures(dataset: RetrievalDataset) -> Iterator[Problem]:
    if dataset.image_folder is None:
        return
    first_seen: dict[bytes, int] = {}
    copies: list[int] = []
    for row in progress(range(len(dataset.images)), "checking pictures", unit=" pictures"):
        image = dataset.images[row]
        if image.file is None:
            yield Problem("image without picture", image.id, "no file is named")
            continue
        path = dataset.image_folder / image.file
        fault = _fault(path)
        if fault:
            yield Problem("broken picture", str(path), fault)
            continue
        try:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
        except OSError as error:  # gone since it was decoded
            yield Problem("broken picture", str(path), f"not a readable picture ({error.strerror})")
            continue
        twin = first_seen.setdefault(content, row)
        if twin != row and dataset.images[twin].split == image.split and dataset.images[twin].file != image.file:
            copies.append(row)
        if dataset.images[twin].split != image.split:
            other = dataset.images[twin]
            yield Problem(
                "picture in two splits", str(path), f"the same as {other.id} ({other.split} and {image.split})", False
            )
    yield from _copies(dataset, copies)


def _copies(dataset: RetrievalDataset, rows: list[int]) -> Iterator[Problem]:
    """Files of a split that are equal: the same image twice, or what a site sends in the place of a deleted one."""
    if rows:
        message = (
            f"{len(rows)} files are byte for byte another file of their split: the same image twice, or what a site "
            "sends in the place of a deleted one; each counts as wrong for the captions of the others"
        )
        yield Problem("same picture several times", shown(str(dataset.images[rows[0]].file)), message, fatal=False)


def _fault(path: Path) -> str | None:
    try:
        if not path.is_file():
            return "no such file"
        if path.stat().st_size == 0:
            return "0 bytes"
    except (OSError, ValueError) as error:  # a name that is too long for the file system, say
        return f"cannot be looked at ({getattr(error, 'strerror', None) or error})"
    return picture_fault(path)


def _features(dataset: RetrievalDataset, name: str, store: FeatureStore) -> Iterator[Problem]:
    missing = set(store.missing(dataset.image_ids))
    for image_id in dataset.image_ids:
        if image_id in missing:
            yield Problem("missing features", image_id, f"no row in {name}")
    present = [image_id for image_id in dataset.image_ids if image_id not in missing]
    rows = store.rows(present)
    for start in progress(range(0, len(rows), BLOCK), f"checking {name}", unit=f" x {BLOCK}"):
        block = store.gather(rows[start : start + BLOCK]).reshape(len(rows[start : start + BLOCK]), -1)
        with np.errstate(over="ignore"):
            block = block.astype(np.float32, copy=False)  # as towers compute
        for offset in np.flatnonzero(~np.isfinite(block).all(axis=1)).tolist():
            yield Problem("features not finite", present[start + offset], f"NaN, infinite or beyond float32 in {name}")
        for offset in np.flatnonzero(~block.any(axis=1)).tolist():
            yield Problem("features all zero", present[start + offset], f"no direction in {name}", False)
