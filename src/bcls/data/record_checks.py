"""Finds ids, captions and names in the records of a data set that a later step could not keep or tell apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath

from bcls.data.dataset import RetrievalDataset
from bcls.data.problem import Problem
from bcls.errors import InputError
from bcls.ids import (
    CAPTION_PREFIX,
    MAX_ID_BYTES,
    MAX_TEXT_BYTES,
    control_character,
    id_fault,
    name_fault,
    text_fault,
)

MAX_CAPTION_ID_BYTES = MAX_ID_BYTES - len(CAPTION_PREFIX)
UPLOADED = "uploaded:"
CURE_ID = "give it another id"
CURE_TEXT = "correct the text where it was made"


def record_problems(dataset: RetrievalDataset) -> Iterator[Problem]:
    """What is wrong with the ids, texts, split names and file names of the records.

    Fatal are ids, names and texts that labels, embeddings or an index cannot hold. Warnings are ids and file names that
    are equal after a normalisation, captions that an index keeps changed (U+0000, too long), other control characters
    in captions, and files outside the image folder.

    Args:
        dataset: the records.

    Yields:
        Problems in the order of the data, each with its id.
    """
    yield from _split_problems(dataset)
    captions = set(dataset.caption_ids)
    outside: list[str] = []
    for image in dataset.images:
        yield from _id_problem("image", image.id, MAX_ID_BYTES)
        if image.id.startswith(CAPTION_PREFIX) and image.id.removeprefix(CAPTION_PREFIX) in captions:
            message = f"an index names the record of a caption so: the image and the caption are one there; {CURE_ID}"
            yield Problem("id clash", repr(image.id), message)
        if image.file is not None:
            yield from _file_problem(image.id, image.file)
            outside += [image.file] if _leads_outside(image.file) else []
        for caption in image.captions:
            yield from _id_problem("caption", caption.id, MAX_CAPTION_ID_BYTES)
            text = caption.text
            if not (text.isascii() and text.isprintable() and len(text) <= MAX_TEXT_BYTES):  # nearly every one is
                yield from _text_problem(shown(caption.id), text)
    if outside:
        message = f"{len(outside)} files lie outside the image folder: a server does not show them"
        yield Problem("file outside the image folder", shown(outside[0]), message, fatal=False)
    yield from _similar("image id", dataset.image_ids)
    yield from _similar("image file", (image.file for image in dataset.images if image.file is not None))
    yield from _similar("split name", dataset.splits)
    own = {caption.id for image in dataset.images for caption in image.captions if not caption.id.startswith(image.id)}
    yield from _similar("caption id", (name for name in dataset.caption_ids if name in own))


def refuse_unusable(dataset: RetrievalDataset, path: str) -> None:
    """Refuse records that labels, embeddings or an index cannot hold.

    Args:
        dataset: the records.
        path: where they came from, for the message.

    Raises:
        InputError: how many there are, the first one, and the command that lists them all.
    """
    fatal = [problem for problem in record_problems(dataset) if problem.fatal]
    if fatal:
        raise InputError(
            f"{path}: {len(fatal)} ids, texts or names cannot be kept, e.g. {fatal[0]}; "
            "`bcls data check` lists them all"
        )


def is_blank(text: str) -> bool:
    r"""Whether a text shows nothing: only white space, control and zero-width characters.

    Example:
        >>> is_blank(" \u200b\n"), is_blank("\ufeff.")
        (True, False)
    """
    return not any(character.isprintable() and not character.isspace() for character in text)


def shown(name: str) -> str:
    r"""A name for a message, with what a terminal cannot show escaped.

    Example:
        >>> shown("a.jpg"), shown("half an emoji \ud83d")
        ('a.jpg', "'half an emoji \\ud83d'")
    """
    return name if name.isprintable() else repr(name)


def _split_problems(dataset: RetrievalDataset) -> Iterator[Problem]:
    for split in dataset.splits:
        fault = name_fault(split)
        if fault is not None:
            yield Problem("split name", repr(split), f"{fault}; rename the split")


def _id_problem(kind: str, name: str, most_bytes: int) -> Iterator[Problem]:
    fault = id_fault(name, most_bytes)
    if fault is not None:
        yield Problem(f"{kind} id", repr(name), f"{fault}; {CURE_ID}")


def _file_problem(image_id: str, file: str) -> Iterator[Problem]:
    fault = text_fault(file)
    if fault is not None:
        yield Problem("file name", shown(image_id), f"the file name {file!r} {fault}; rename the file")
    elif file.startswith(UPLOADED):
        yield Problem("file name", shown(image_id), f"{file!r} begins as names of uploaded files do; rename the file")


def _text_problem(place: str, text: str) -> Iterator[Problem]:
    fault = text_fault(text.replace("\0", ""))
    if fault is not None:
        yield Problem("caption is not text", place, f"{fault}; {CURE_TEXT}")
        return
    size = len(text) if text.isascii() else len(text.encode("utf-8"))
    if size > MAX_TEXT_BYTES:
        message = f"has {size} bytes, of which `bcls embed` takes the first {MAX_TEXT_BYTES}; shorten it"
        yield Problem("caption too long", place, message, fatal=False)
    control = control_character(text, allowed="\t\n\r\u2028\u2029")
    if control == "U+0000":
        message = f"contains U+0000, which no index stores: `bcls embed` puts U+FFFD in its place; {CURE_TEXT}"
        yield Problem("control character", place, message, fatal=False)
    elif control is not None:
        yield Problem("control character", place, f"contains {control}; {CURE_TEXT}", fatal=False)


def _leads_outside(file: str) -> bool:
    path = PurePath(file)
    depth = 0
    for part in path.parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return path.is_absolute()


def _stripped(name: str) -> str:
    return name.strip()


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


_FORMS: dict[str, Callable[[str], str]] = {
    "white space at an end": _stripped,
    "Unicode normal form (NFC, NFD)": _composed,
    "case": str.casefold,
}


def _form(name: str) -> str:
    """The name after every normalisation."""
    if name.isascii():  # nearly every name; the general way gives the same
        return name.strip().lower()
    for form in _FORMS.values():
        name = form(name)
    return _composed(name)


def _similar(kind: str, names: Iterable[str]) -> Iterator[Problem]:
    """Names that are not equal, but are after a normalisation that a file system or another program applies."""
    first: dict[str, str] = {}
    for name in dict.fromkeys(names):
        other = first.setdefault(_form(name), name)
        if other != name:
            how = _differences(name, other)
            message = f"differs from {other!r} only in {' and '.join(how)}: some programs take them for one"
            yield Problem(f"similar {kind}", shown(name), message, fatal=False)


def _differences(one: str, other: str) -> list[str]:
    """In what two names differ that are equal after every normalisation: one of these alone, or those that it takes."""
    alone = [what for what, form in _FORMS.items() if form(one) == form(other)]
    return alone or [what for what in _FORMS if _without(what, one) != _without(what, other)] or list(_FORMS)


def _without(left_out: str, name: str) -> str:
    """The name after every normalisation but one."""
    for what, form in _FORMS.items():
        name = name if what == left_out else form(name)
    return name
