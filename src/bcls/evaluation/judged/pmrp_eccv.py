"""Plausible-match R-Precision as ECCV Caption computes it: from positives that were counted out beforehand.

The same name as PCME's, and other numbers: one distance in place of the mean over three, other candidates.
"""

from __future__ import annotations

import numpy as np

from bcls.errors import InputError
from bcls.evaluation.judged.eccv_package import CocoJudgements, eccv_package, read_id_lists
from bcls.evaluation.judged.positives import JudgedPositives, positives_from_ids
from bcls.evaluation.judged.task import Task
from bcls.evaluation.judged.top_r import masked_r_precision
from bcls.evaluation.protocols import Fold
from bcls.evaluation.similarity import Blocks, rows_in_block
from bcls.evaluation.truth import DIRECTIONS, Direction

FILES = ("pm_image_to_caption.json", "pm_caption_to_image.json")


def judge_pmrp_eccv(task: Task, judgements: CocoJudgements | None = None) -> dict[str, float]:
    """R-Precision by the positives of ECCV Caption's two files of plausible matches.

    Args:
        task: of COCO's test split, matched by ids; its files are `pm_image_to_caption.json` and
            `pm_caption_to_image.json`, by their names in any order.
        judgements: whose gallery; None for that of the installed package `eccv_caption`.

    Returns:
        `image_to_text/pmrp_eccv`, `text_to_image/pmrp_eccv` and `pmrp_eccv`, their mean, in percent;
        `left_out_captions`.

    Raises:
        InputError: other files, or ids that do not match.
        MissingExtraError: the package is not installed.
    """
    by_name = {file.name: file for file in task.files}
    if set(by_name) != set(FILES):
        raise InputError(f"pmrp-eccv takes {' and '.join(FILES)}, got {', '.join(map(str, task.files))}")
    judged = eccv_package() if judgements is None else judgements
    gallery, left_out = judged.gallery(task)
    images, captions = judged.image_numbers, judged.caption_numbers
    sides = {
        "image_to_text": (images, captions, "images of the gallery"),
        "text_to_image": (captions, images, "captions of the gallery"),
    }
    scores = task.scores()
    metrics: dict[str, float] = {}
    for direction, file in zip(DIRECTIONS, FILES, strict=True):
        positives = positives_from_ids(read_id_lists(by_name[file]), *sides[direction])
        metrics[f"{direction}/pmrp_eccv"] = _of_direction(scores, gallery, direction, positives)
    return metrics | {"pmrp_eccv": float(np.mean(list(metrics.values()))), "left_out_captions": float(left_out)}


def _of_direction(scores: Blocks, fold: Fold, direction: Direction, judged: JudgedPositives) -> float:
    asking, candidates = (fold.images, fold.captions) if direction == "image_to_text" else (fold.captions, fold.images)
    asked = judged.asked
    beyond = np.bincount(judged.beyond, minlength=judged.queries)
    step = rows_in_block(None, candidates.size)
    found = []
    for first in range(0, asked.size, step):
        queries = asked[first : first + step]
        start, stop = np.searchsorted(judged.query, [queries[0], queries[-1] + 1])
        mask = np.zeros((queries.size, candidates.size), dtype=bool)
        mask[np.searchsorted(queries, judged.query[start:stop]), judged.candidate[start:stop]] = True
        block = scores.block(direction, asking[queries], candidates)
        found.append(masked_r_precision(block, [mask], beyond[queries])[0])
    return 100 * float(np.mean(np.concatenate(found))) if found else float("nan")
