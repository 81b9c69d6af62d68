"""The field's test protocols: what is ranked against what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bcls.errors import InputError
from bcls.evaluation.truth import RetrievalTruth, Rows


@dataclass(frozen=True)
class RetrievalProtocol:
    """One way to cut a test set into galleries.

    Args:
        meaning: what a result under this name means.
        image_counts: numbers of images that it is defined for; empty = any.
        fold_images: images in each fold; None = one gallery of everything.
        captions_each: how many captions an image has in the published files, in order; None = any.
    """

    meaning: str
    image_counts: tuple[int, ...] = ()
    fold_images: int | None = None
    captions_each: int | None = None


PROTOCOLS: dict[str, RetrievalProtocol] = {
    "whole": RetrievalProtocol("every image against every caption, whatever their numbers"),
    "flickr8k": RetrievalProtocol(
        "Flickr8k: the whole gallery of 1,000 images (val or test)", (1000,), captions_each=5
    ),
    "flickr30k": RetrievalProtocol(
        "Flickr30K: the whole gallery of 1,000 (test) or 1,014 (val) images", (1000, 1014), captions_each=5
    ),
    "coco-5k": RetrievalProtocol("COCO 5K: the whole gallery of 5,000 images", (5000,), None, 5),
    "coco-1k": RetrievalProtocol(
        "COCO 1K: the mean over five consecutive folds of 1,000 images, in the split's own order", (5000,), 1000, 5
    ),
}
"""Protocols by name. A recall sum means nothing without the name: COCO 1K and 5K differ by a hundred points."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One gallery: its image rows and its caption rows."""

    images: Rows
    captions: Rows


def folds(protocol: str, truth: RetrievalTruth) -> list[Fold]:
    """The galleries of a protocol.

    A protocol checks the number of images. That they come in the published order, as the folds of COCO 1K need, it
    cannot check.

    Args:
        protocol: a name of `PROTOCOLS`.
        truth: the images and captions at hand.

    Returns:
        One fold for a whole gallery, five for `coco-1k`. Captions without an image belong to the whole gallery; a
        protocol with folds refuses them.

    Raises:
        InputError: an unknown name, a wrong number of images, or a fold in which no image has a caption.

    Example:
        >>> [fold.captions.size for fold in folds("whole", RetrievalTruth.from_counts([2, 3]))]
        [5]
        >>> folds("flickr30k", RetrievalTruth.from_counts([5] * 12))
        Traceback (most recent call last):
        bcls.errors.InputError: the protocol 'flickr30k' needs 1,000 or 1,014 images, there are 12; ...
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"there is no protocol {protocol!r}: choose one of {', '.join(PROTOCOLS)}")
    rule = PROTOCOLS[protocol]
    if rule.image_counts and truth.images not in rule.image_counts:
        wanted = " or ".join(f"{count:,}" for count in rule.image_counts)
        raise InputError(
            f"the protocol {protocol!r} needs {wanted} images, there are {truth.images:,}; 'whole' takes any number"
        )
    images = np.arange(truth.images)
    if rule.fold_images is None:
        return [Fold(images, np.arange(truth.captions))]
    return [_fold(truth, part) for part in np.split(images, range(rule.fold_images, truth.images, rule.fold_images))]


def _fold(truth: RetrievalTruth, images: Rows) -> Fold:
    orphans = np.flatnonzero(truth.caption_image < 0)
    if orphans.size:
        raise InputError(f"{truth.name('caption', int(orphans[0]))} has no image, so it belongs to no fold")
    captions = np.flatnonzero((truth.caption_image >= images[0]) & (truth.caption_image <= images[-1]))
    if not captions.size:
        raise InputError(f"no image of the fold {images[0]}..{images[-1]} has a caption")
    return Fold(images, captions)
