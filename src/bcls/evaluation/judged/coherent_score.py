"""The coherent score CS@K: is the order of the first K candidates that of their relevance?

Zhou, Niu, Wang, Gao, Zhang, Hua, "Ladder Loss for Coherent Visual-Semantic Embedding" (AAAI 2020).
"""

from __future__ import annotations

import numpy as np

from bcls.errors import InputError
from bcls.evaluation.judged.task import Task
from bcls.evaluation.kendall import kendall_tau_b
from bcls.evaluation.similarity import relevance_blocks, rows_in_block
from bcls.evaluation.truth import DIRECTIONS

CUTOFFS = (100, 200, 1000)


def judge_coherent_score(task: Task) -> dict[str, float]:
    """Kendall's tau-b between scores and relevance of each query's K best scored candidates, mean over the queries.

    The gallery holds one caption an image, its first, as published. Candidates of unknown relevance are left out; of
    equal scores at the border of K the least relevant is taken.

    Args:
        task: with relevance: whose it is must be told with every number, for CS@K by two labels do not compare.

    Returns:
        For each K of 100, 200 and 1,000 that the gallery holds, under `image_to_text/`, `text_to_image/` and without a
        direction (the mean of both): `cs@K`, -1..1; and under the directions `cs@K_queries`, for which it is defined.
        `gallery_images` is the size of the gallery: published numbers are of 1,000.

    Raises:
        InputError: fewer than 100 images have a caption.

    Cost: O(N log N) for each query.
    """
    captioned, first = np.unique(task.truth.caption_image, return_index=True)
    images, captions = captioned[captioned >= 0], first[captioned >= 0]
    cutoffs = [cutoff for cutoff in CUTOFFS if cutoff <= images.size]
    if not cutoffs:
        raise InputError(f"cs@k needs at least {CUTOFFS[0]} images with a caption, there are {images.size}")
    scores, labels = task.scores(), relevance_blocks(task.relevance, task.truth)
    metrics: dict[str, float] = {}
    for direction in DIRECTIONS:
        queries, candidates = (images, captions) if direction == "image_to_text" else (captions, images)
        step = rows_in_block(None, candidates.size)
        found: dict[int, list[float]] = {cutoff: [] for cutoff in cutoffs}
        for start in range(0, queries.size, step):
            rows = queries[start : start + step]
            given, wanted = (source.block(direction, rows, candidates) for source in (scores, labels))
            for cutoff in cutoffs:
                found[cutoff].extend(kendall_tau_b(given, wanted, cutoff))
        for cutoff, values in found.items():
            known = np.array(values)[~np.isnan(values)]
            metrics[f"{direction}/cs@{cutoff}"] = float(known.mean()) if known.size else float("nan")
            metrics[f"{direction}/cs@{cutoff}_queries"] = float(known.size)
    for cutoff in cutoffs:
        metrics[f"cs@{cutoff}"] = float(np.mean([metrics[f"{direction}/cs@{cutoff}"] for direction in DIRECTIONS]))
    return metrics | {"gallery_images": float(images.size)}
