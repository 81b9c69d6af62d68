"""Which other images an image's captions describe best: the relevant set of semantic recall."""

from __future__ import annotations

import numpy as np

from bcls.evaluation.judged.positives import JudgedPositives
from bcls.evaluation.similarity import Blocks, rows_in_block
from bcls.evaluation.truth import Direction, RetrievalTruth, Rows

NEAREST = 10
"""Images that each caption speaks for."""


def relevant_sets(labels: Blocks, truth: RetrievalTruth, size: int) -> dict[Direction, JudgedPositives]:
    """The relevant captions of every image and the relevant images of every caption, its own never among them.

    Every caption of an image gives its relevance to the 10 images that it describes best; the `size` images that got
    most in sum are relevant to the image's captions, and all of their captions are relevant to the image. Of equal sums
    the lower row is taken; an image that got nothing is never relevant.

    Args:
        labels: relevance; unknown counts as 0.
        truth: the image of every caption.
        size: images in a relevant set.
    """
    chosen = _relevant_images(labels, truth, size)
    asking = np.flatnonzero(truth.caption_image >= 0)
    of_captions = chosen[truth.caption_image[asking]]
    known = of_captions >= 0
    caption, image = np.repeat(asking, known.sum(axis=1)), of_captions[known]
    order = np.argsort(truth.caption_image, kind="stable")
    starts = np.searchsorted(truth.caption_image[order], np.arange(truth.images + 1))
    query, candidate = [], []
    for row, images in enumerate(chosen.tolist()):
        for one in images:
            captions = order[starts[one] : starts[one + 1]] if one >= 0 else order[:0]
            query.append(np.full(captions.size, row))
            candidate.append(captions)
    return {
        "image_to_text": JudgedPositives.of_pairs(
            np.concatenate(query), np.concatenate(candidate), truth.images, truth.captions
        ),
        "text_to_image": JudgedPositives.of_pairs(caption, image, truth.captions, truth.images),
    }


def _relevant_images(labels: Blocks, truth: RetrievalTruth, size: int) -> Rows:
    """The images most relevant to each image's captions, the most first, -1 for none, shape (I, size)."""
    images = np.arange(truth.images)
    nearest = min(NEAREST, truth.images)
    query, other, worth = [], [], []
    captions = np.flatnonzero(truth.caption_image >= 0)
    step = rows_in_block(None, truth.images)
    for start in range(0, captions.size, step):
        rows = captions[start : start + step]
        found = np.nan_to_num(labels.block("text_to_image", rows, images), nan=0.0)
        best = np.argsort(-found, axis=1, kind="stable")[:, :nearest]
        query.append(np.repeat(truth.caption_image[rows], nearest))
        other.append(best.ravel())
        worth.append(np.take_along_axis(found, best, axis=1).ravel().astype(np.float64))
    pairs, place = np.unique(np.concatenate(query) * truth.images + np.concatenate(other), return_inverse=True)
    total = np.bincount(place, weights=np.concatenate(worth))
    image, candidate = pairs // truth.images, pairs % truth.images
    kept = (image != candidate) & (total > 0)
    image, candidate, total = image[kept], candidate[kept], total[kept]
    order = np.lexsort((candidate, -total, image))
    chosen = np.full((truth.images, size), -1, dtype=np.int64)
    starts = np.searchsorted(image, images)
    turn = np.arange(image.size) - starts[image]
    first = turn < size
    chosen[image[order][first], turn[first]] = candidate[order][first]
    return chosen
