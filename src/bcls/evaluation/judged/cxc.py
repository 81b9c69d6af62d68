"""Crisscrossed Captions: COCO's test split with people's ratings of pairs that COCO does not pair.

Parekh, Baldridge, Cer, Waters, Yang, "Crisscrossed Captions: Extended Intramodal and Intermodal Semantic Similarity
Judgments for MS-COCO" (EACL 2021).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bcls.errors import InputError
from bcls.evaluation.cosine import CosineSimilarity
from bcls.evaluation.dot import DotSimilarity
from bcls.evaluation.judged.best_ranks import best_ranks
from bcls.evaluation.judged.cxc_ratings import CxcRatings, rated_rows, read_cxc_ratings
from bcls.evaluation.judged.eccv import recalls, rsum
from bcls.evaluation.judged.eccv_package import CocoJudgements, eccv_package
from bcls.evaluation.judged.sampled_spearman import SAMPLES, sampled_spearman
from bcls.evaluation.judged.task import Task
from bcls.evaluation.similarity import rows_in_block
from bcls.evaluation.truth import Rows


def judge_cxc(task: Task, judgements: CocoJudgements | None = None) -> dict[str, float]:
    """Recall by CxC's positives: COCO's own pairs and those rated 3 or more, as the package `eccv_caption` has them.

    Args:
        task: of COCO's test split, matched by ids: 5,000 images and 25,000 captions in any order.
        judgements: whose; None for those of the installed package.

    Returns:
        Percentages: `image_to_text/recall@1`, `@5`, `@10`, the same of `text_to_image/`, and `rsum`; and
        `left_out_captions`.

    Raises:
        InputError: ids that do not match, or a score that is not finite.
        MissingExtraError: the package is not installed.
    """
    judged = eccv_package() if judgements is None else judgements
    gallery, left_out = judged.gallery(task)
    metrics = recalls(best_ranks(task.scores(), gallery, [judged.positives("cxc")])[0])
    return metrics | {"rsum": rsum(metrics), "left_out_captions": float(left_out)}


def judge_cxc_ratings(task: Task, *, samples: int = SAMPLES) -> dict[str, float]:
    """Spearman's correlation with CxC's ratings, by `sampled_spearman`; the query is the first item of a pair.

    Args:
        task: holds all rated ids. Its files are `sts_*.csv`, `sis_*.csv` and `sits_*.csv` of one split, or some of
            them. Ratings of two captions or two images need embeddings: a matrix does not tell their similarity.
        samples: of the bootstrap.

    Returns:
        For each TASK `TASK_spearman` and `TASK_spearman_deviation` (times 100), `TASK_queries`, `TASK_pairs`.

    Raises:
        InputError: ids that do not match, files of another form, or a task given twice.
    """
    metrics: dict[str, float] = {}
    for file in task.files:
        rated = read_cxc_ratings(file)
        if f"{rated.task}_pairs" in metrics:
            raise InputError(f"{file}: ratings of {rated.task} were given already; judge one split at a time")
        rows = [rated_rows(task, rated, place) for place in (0, 1)]
        found = sampled_spearman(_scores(task, rated, *rows), rated.ratings, rated.first, samples=samples)
        metrics |= {
            f"{rated.task}_spearman": 100 * found.mean,
            f"{rated.task}_spearman_deviation": 100 * found.deviation,
            f"{rated.task}_queries": float(found.queries),
            f"{rated.task}_pairs": float(found.pairs),
        }
    return metrics


def _scores(task: Task, rated: CxcRatings, first: Rows, second: Rows) -> NDArray[np.float64]:
    """The model's score of each rated pair."""
    if rated.task == "sits":  # the image is the second item
        order = np.argsort(second, kind="stable")
        found = np.empty(order.size)
        found[order] = task.scores().pairs(second[order], first[order], rows_in_block(None, task.truth.captions))
        return found
    if not isinstance(task.similarity, CosineSimilarity | DotSimilarity):
        raise InputError(
            f"{rated.source}: rates pairs of {rated.sides[0]}s, whose similarity only embeddings tell; "
            "a matrix of images and captions does not"
        )
    rows = task.similarity.captions if rated.task == "sts" else task.similarity.images  # of length 1 for the cosine
    products = np.einsum("pd,pd->p", rows[first], rows[second])
    return np.asarray(products, dtype=np.float32).astype(np.float64)  # rounding shall make no order
