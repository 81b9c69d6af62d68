"""ECCV Caption: COCO's test split with the positives that its own pairs miss.

Chun, Kim, Park, Chang, Oh, "ECCV Caption: Correcting False Negatives by Collecting Machine-and-Human-verified
Image-Caption Associations for MS-COCO" (ECCV 2022). 1,261 image queries with 22,550 positive captions and 1,332 caption
queries with 11,279 positive images, ranked against the whole gallery of 5,000 images and 25,000 captions.
"""

from __future__ import annotations

import numpy as np

from bcls.evaluation.judged.all_ranks import all_ranks
from bcls.evaluation.judged.best_ranks import Judgements, best_ranks
from bcls.evaluation.judged.eccv_package import CocoJudgements, eccv_package
from bcls.evaluation.judged.positives import JudgedPositives
from bcls.evaluation.judged.task import Task
from bcls.evaluation.precision import average_precision_at_r, r_precision
from bcls.evaluation.protocols import Fold
from bcls.evaluation.ranks import Floats
from bcls.evaluation.recall import RECALL_CUTOFFS, recall_at
from bcls.evaluation.similarity import Blocks
from bcls.evaluation.truth import DIRECTIONS, Direction, Rows


def judge_eccv(task: Task, judgements: CocoJudgements | None = None) -> dict[str, float]:
    """ECCV Caption's metrics, and those of the same ranking by COCO's and by CxC's positives.

    Args:
        task: of COCO's test split, matched by ids: 5,000 images and 25,000 captions in any order.
        judgements: whose; None for those of the installed package.

    Returns:
        Percentages. Under `image_to_text/` and `text_to_image/`: `map@r`, `r_precision`, `recall@1`, `@5`, `@10` by
        ECCV Caption's positives, `coco_1k_recall@K`, `coco_5k_recall@K` by COCO's, `cxc_recall@K` by CxC's, and
        `queries`. Without a direction: the means of both directions, `coco_1k_rsum`, `coco_5k_rsum`, `cxc_rsum`, and
        `left_out_captions`.

    Raises:
        InputError: ids that do not match, or a score that is not finite.
        MissingExtraError: the package is not installed.
    """
    judged = eccv_package() if judgements is None else judgements
    scores = task.scores()
    gallery, left_out = judged.gallery(task)
    positives = {name: judged.positives(name) for name in ("eccv", "original", "cxc")}
    ranks = dict(zip(positives, best_ranks(scores, gallery, list(positives.values())), strict=True))
    metrics: dict[str, float] = {}
    for direction in DIRECTIONS:
        metrics |= _precisions(scores, gallery, direction, positives["eccv"][direction])
        metrics[f"{direction}/queries"] = float(positives["eccv"][direction].asked.size)
    for name, prefix in (("eccv", ""), ("original", "coco_5k_"), ("cxc", "cxc_")):
        metrics |= recalls(ranks[name], prefix)
    metrics |= _coco_1k(scores, gallery, judged, positives["original"])
    for name in ("map@r", "r_precision", "recall@1", "recall@5", "recall@10"):
        metrics[name] = float(np.mean([metrics[f"{direction}/{name}"] for direction in DIRECTIONS]))
    for prefix in ("coco_1k_", "coco_5k_", "cxc_"):
        metrics[f"{prefix}rsum"] = rsum(metrics, prefix)
    return metrics | {"left_out_captions": float(left_out)}


def recalls(ranks: dict[Direction, Floats], prefix: str = "") -> dict[str, float]:
    """Recall@1, 5, 10 of both directions, over the queries that have a positive.

    Example:
        >>> both = {"image_to_text": np.array([1.0, np.nan]), "text_to_image": np.array([7.0])}
        >>> recalls(both, "cxc_")["text_to_image/cxc_recall@10"]
        100.0
    """
    return {
        f"{direction}/{prefix}recall@{cutoff}": recall_at(found[~np.isnan(found)], cutoff)
        for direction, found in ranks.items()
        for cutoff in RECALL_CUTOFFS
    }


def rsum(metrics: dict[str, float], prefix: str = "") -> float:
    """The sum of the six recalls."""
    return sum(metrics[f"{direction}/{prefix}recall@{cutoff}"] for direction in DIRECTIONS for cutoff in RECALL_CUTOFFS)


def _precisions(scores: Blocks, gallery: Fold, direction: Direction, judged: JudgedPositives) -> dict[str, float]:
    ranks = all_ranks(scores, gallery, direction, judged)
    return {
        f"{direction}/map@r": float(np.mean(average_precision_at_r(ranks))),
        f"{direction}/r_precision": float(np.mean(r_precision(ranks))),
    }


def _coco_1k(scores: Blocks, gallery: Fold, judged: CocoJudgements, positives: Judgements) -> dict[str, float]:
    """The means over five folds."""
    parts = []
    for fold in judged.folds():
        inside: Judgements = {
            "image_to_text": _inside(positives["image_to_text"], fold.images, fold.captions),
            "text_to_image": _inside(positives["text_to_image"], fold.captions, fold.images),
        }
        rows = Fold(gallery.images[fold.images], gallery.captions[fold.captions])
        parts.append(recalls(best_ranks(scores, rows, [inside])[0], "coco_1k_"))
    return {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}


def _inside(judged: JudgedPositives, queries: Rows, candidates: Rows) -> JudgedPositives:
    """The positives of a part of the gallery, in positions of the part (both ascending)."""
    kept = np.isin(judged.query, queries) & np.isin(judged.candidate, candidates)
    return JudgedPositives(
        np.searchsorted(queries, judged.query[kept]), np.searchsorted(candidates, judged.candidate[kept]), queries.size
    )
