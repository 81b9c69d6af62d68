"""Plausible-match R-Precision as PCME defined it: images that show the same kinds of objects may stand for each other.

Chun, Oh, de Rezende, Kalantidis, Larlus, "Probabilistic Embeddings for Cross-Modal Retrieval" (CVPR 2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcls.errors import InputError
from bcls.evaluation.judged.coco_ids import coco_numbers
from bcls.evaluation.judged.instance_labels import read_instance_labels
from bcls.evaluation.judged.task import Task
from bcls.evaluation.judged.top_r import masked_r_precision
from bcls.evaluation.protocols import Fold
from bcls.evaluation.similarity import Blocks, rows_in_block
from bcls.evaluation.truth import DIRECTIONS, Direction, Rows

DISTANCES = (0, 1, 2)
"""In how many kinds of objects two images may differ; the score is the mean over these."""

COCO_5K, FOLDS = 5000, 5


@dataclass(frozen=True, eq=False)
class PlausibleMatches:
    """Which images may stand for each other.

    Args:
        labels: what each image shows, shape (I, kinds).
        labelled: whether anything is known of it, shape (I,); an image without is neither query nor candidate.
    """

    labels: NDArray[np.bool_]
    labelled: NDArray[np.bool_]

    def distance(self, left: Rows, right: Rows) -> NDArray[np.float32]:
        """In how many kinds of objects these images differ, shape (len(left), len(right))."""
        one, other = (self.labels[rows].astype(np.float32) for rows in (left, right))
        return np.asarray(one.sum(axis=1)[:, None] + other.sum(axis=1) - 2 * one @ other.T)


def judge_pmrp(task: Task) -> dict[str, float]:
    """R-Precision with the captions (or images) of plausible images as positives, mean over distances 0, 1, 2.

    Args:
        task: images matched by COCO ids, captions by the truth; the file is `instances_val2014.json`.

    Returns:
        Percentages. Under `image_to_text/`, `text_to_image/` and without a direction (the mean of both): `pmrp`, and
        `pmrp_1k` where there are 5,000 images: the mean over five consecutive folds. `unlabelled_images` counts those
        without any annotation, which are left out, as in PCME's evaluation.

    Raises:
        InputError: ids of another form, a file of another form, or one that annotates none of the images.

    Example: see docs/metrics/pmrp.md.
    """
    (file,) = task.files if len(task.files) == 1 else (None,)
    if file is None:
        raise InputError(f"pmrp takes one file of instance annotations, got {len(task.files)}")
    numbers = coco_numbers(task.ids("image"), "image")
    annotated, labels = read_instance_labels(file)
    place = np.minimum(np.searchsorted(annotated, numbers), annotated.size - 1)
    matches = PlausibleMatches(labels[place], annotated[place] == numbers)
    if not matches.labelled.any():
        raise InputError(f"{file}: annotates none of the {numbers.size} images, such as {numbers[0]}: another split?")
    metrics = _pmrp(task, matches, [np.arange(task.truth.images)], "pmrp")
    if task.truth.images == COCO_5K:
        metrics |= _pmrp(task, matches, np.split(np.arange(COCO_5K), FOLDS), "pmrp_1k")
    return metrics | {"unlabelled_images": float(np.count_nonzero(~matches.labelled))}


def _pmrp(task: Task, matches: PlausibleMatches, parts: list[Rows], name: str) -> dict[str, float]:
    scores = task.scores()
    folds = [_labelled(task, matches, images) for images in parts]
    metrics = {
        f"{direction}/{name}": float(np.mean([_of_fold(scores, matches, fold, direction) for fold in folds]))
        for direction in DIRECTIONS
    }
    return metrics | {name: float(np.mean(list(metrics.values())))}


def _labelled(task: Task, matches: PlausibleMatches, images: Rows) -> Fold:
    """The labelled images of a part, and their captions."""
    kept = images[matches.labelled[images]]
    return Fold(kept, np.flatnonzero(np.isin(task.truth.caption_image, kept)))


def _of_fold(scores: Blocks, matches: PlausibleMatches, fold: Fold, direction: Direction) -> float:
    image_of = scores.truth.caption_image[fold.captions]
    forward = direction == "image_to_text"
    queries, candidates = (fold.images, fold.captions) if forward else (fold.captions, fold.images)
    query_image, candidate_image = (fold.images, image_of) if forward else (image_of, fold.images)
    step = rows_in_block(None, candidates.size)
    found = []
    for first in range(0, queries.size, step):
        distance = matches.distance(query_image[first : first + step], candidate_image)
        block = scores.block(direction, queries[first : first + step], candidates)
        found.append(masked_r_precision(block, [distance <= most for most in DISTANCES]))
    return 100 * float(np.mean(np.concatenate(found, axis=1))) if found else float("nan")
