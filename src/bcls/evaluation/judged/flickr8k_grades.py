"""Flickr8k's human grades as protocols: do a model's scores order images and captions as people do?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bcls.errors import InputError
from bcls.evaluation.human import Judgement, agreement, graded_pairs, read_crowdflower, read_expert
from bcls.evaluation.judged.task import Task
from bcls.evaluation.row_lists import examples
from bcls.evaluation.similarity import rows_in_block
from bcls.evaluation.truth import RetrievalTruth, Rows


def judge_flickr8k_expert(task: Task) -> dict[str, float]:
    """Kendall's tau with the grades of three experts, 1 to 4: tau-c is what is reported.

    Args:
        task: holds the judged images and captions, matched by Flickr8k's ids (`FILE.jpg`, `FILE.jpg#K`); its file is
            `ExpertAnnotations.txt`.

    Returns:
        `human_tau_c`, `human_tau_b` (-1..1), and `graded_pairs`: every judge's grade is a pair of its own, without
        those of an image's own captions.

    Raises:
        InputError: ids that do not match, or a file of another form.
    """
    return _judge(task, read_expert)


def judge_flickr8k_crowd(task: Task) -> dict[str, float]:
    """Kendall's tau with the share of yes of a crowd: tau-b is what is reported. As `judge_flickr8k_expert`.

    Args:
        task: as there; its file is `CrowdFlowerAnnotations.txt`.

    Returns:
        As there.
    """
    return _judge(task, read_crowdflower)


def flickr8k_truth(image_ids: Sequence[str], caption_ids: Sequence[str]) -> RetrievalTruth:
    """The image of every caption, told by ids: `FILE.jpg#K` is a caption of `FILE.jpg`; -1 where that is not there.

    Example:
        >>> flickr8k_truth(["a.jpg", "b.jpg"], ["b.jpg#0", "c.jpg#1"]).caption_image
        array([ 1, -1])
    """
    if not image_ids:
        raise InputError("there are no images: the judged ones must be among them")
    row_of = {name: row for row, name in enumerate(image_ids)}
    rows = [row_of.get(name.rpartition("#")[0], -1) for name in caption_ids]
    if max(rows, default=-1) < 0:
        raise InputError(f"no caption id is of the form FILE#K of an image here, such as {image_ids[0]}#0")
    return RetrievalTruth(np.array(rows, dtype=np.int64), len(row_of), image_ids, caption_ids)


def _judge(task: Task, read: Callable[[str | Path], list[Judgement]]) -> dict[str, float]:
    if len(task.files) != 1:
        raise InputError(f"one file of grades is needed, got {len(task.files)}")
    pairs = graded_pairs(read(task.files[0]))
    images = _rows(pairs.images, task.ids("image"), f"{task.files[0]}: judged images")
    captions = _rows(pairs.captions, task.ids("caption"), f"{task.files[0]}: judged captions")
    order = np.argsort(images, kind="stable")
    scores = np.empty(order.size)
    scores[order] = task.scores().pairs(images[order], captions[order], rows_in_block(None, task.truth.captions))
    found = agreement(scores, pairs.grades)
    return {"human_tau_c": found.tau_c, "human_tau_b": found.tau_b, "graded_pairs": float(found.pairs)}


def _rows(wanted: Sequence[str], ids: Sequence[str], what: str) -> Rows:
    row_of = {name: row for row, name in enumerate(ids)}
    missing = sorted({name for name in wanted if name not in row_of})
    if missing:
        raise InputError(f"{what}: {len(missing)} are not there: {examples(missing)}")
    return np.array([row_of[name] for name in wanted], dtype=np.int64)
