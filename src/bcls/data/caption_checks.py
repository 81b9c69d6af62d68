"""Finds captions that are text, but probably not what they are meant to be: several in one, markup, wrong encoding."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from bcls.data.dataset import RetrievalDataset
from bcls.data.problem import Problem
from bcls.data.record_checks import is_blank, shown

MOST = 0.9
"""From this share of all captions on, a separator within them is taken for a habit of the file."""
_ENTITY = re.compile(r"&(amp|lt|gt|quot|apos|nbsp|#\d{1,6}|#x[0-9a-fA-F]{1,5});")
_MOJIBAKE = re.compile("\u00c3[\u0080-\u00bf]|\u00e2\u20ac[\u0098-\u02dc\u0153\u2122]|\ufffd")
_LIST = re.compile(r"""\s*\[\s*(['"]).*\1\s*\]\s*\Z""", re.DOTALL)
_NOTHING = {"null", "none", "nan", "n/a", "na", "<na>", "#n/a", "undefined"}

_KINDS: dict[str, tuple[Callable[[str], object], str]] = {
    "caption of several lines": (
        lambda text: len(text.strip().splitlines()) > 1,
        "have line breaks: each is one caption; if every line is a caption, give each a row of its own",
    ),
    "caption that is a list": (
        _LIST.match,
        "are lists in brackets and quotes: each is one caption; if every element is a caption, give each its own row",
    ),
    "caption that stands for nothing": (
        lambda text: text.strip().lower() in _NOTHING,
        "are words that programs write where there is nothing (null, None, nan): leave those rows out",
    ),
    "caption with markup": (
        _ENTITY.search,
        "have HTML entities such as &amp;: their names are taken for words; decode them (Python's html.unescape)",
    ),
    "caption in a wrong encoding": (
        _MOJIBAKE.search,
        "have signs of a wrong encoding (\u00c3\u00a9 for \u00e9): read the source as UTF-8, and write it anew",
    ),
}


def caption_problems(dataset: RetrievalDataset) -> Iterator[Problem]:
    """Warnings of captions that are probably not what they are meant to be, one a kind, with a count and an example.

    Args:
        dataset: the records.

    Yields:
        Warnings: nothing here is certain, so nothing is fatal.
    """
    pairs = [(caption.id, caption.text) for image in dataset.images for caption in image.captions]
    for kind, (matches, message) in _KINDS.items():
        found = [name for name, text in pairs if matches(text)]
        if found:
            yield Problem(kind, shown(found[0]), f"{len(found)} of {len(pairs)} captions {message}", fatal=False)
    yield from _joined(pairs, len(dataset.images))
    yield from _repeated(dataset)


def _joined(pairs: list[tuple[str, str]], images: int) -> Iterator[Problem]:
    """Several captions in one cell: nearly all captions have the same separator, and each image has one."""
    if len(pairs) != images or images < 2:
        return
    for mark in (";", "|", "\t"):
        having = [name for name, text in pairs if mark in _ENTITY.sub("", text).strip()]
        if having and len(having) >= MOST * len(pairs):
            message = (
                f"{len(having)} of {len(pairs)} captions have {mark!r} within them, and every image has one caption: "
                "if it parts several captions, give each a row of its own"
            )
            yield Problem("several captions in one", shown(having[0]), message, fatal=False)


def _repeated(dataset: RetrievalDataset) -> Iterator[Problem]:
    """The same text for several images of a split, which count as wrong for each other, and twice for one image."""
    twice: list[str] = []
    shared: list[str] = []
    for split in dataset.splits:
        images = [image for image in dataset.images if image.split == split]
        of_text = Counter(text for image in images for text in {caption.text.strip() for caption in image.captions})
        for image in images:
            texts = Counter(caption.text.strip() for caption in image.captions)
            for caption in image.captions:
                text = caption.text.strip()
                if is_blank(text):  # listed as empty
                    continue
                if of_text[text] > 1:
                    shared.append(caption.id)
                if texts[text] > 1:
                    twice.append(caption.id)
    if shared:
        message = (
            f"{len(shared)} captions are word for word those of other images of their split: recall counts only the "
            "own image of a caption as right, and a binary loss pushes the others away"
        )
        yield Problem("same caption of several images", shown(shared[0]), message, fatal=False)
    if twice:
        message = f"{len(twice)} captions are word for word another caption of their own image"
        yield Problem("same caption twice", shown(twice[0]), message, fatal=False)
