"""Retrieval within one side by Crisscrossed Captions' ratings: captions by a caption, images by an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from bcls.errors import InputError
from bcls.evaluation.cosine import CosineSimilarity
from bcls.evaluation.dot import DotSimilarity
from bcls.evaluation.judged.cxc_ratings import CxcRatings, rated_rows, read_cxc_ratings
from bcls.evaluation.judged.positives import JudgedPositives
from bcls.evaluation.judged.task import Task
from bcls.evaluation.ranks import Floats
from bcls.evaluation.recall import RECALL_CUTOFFS, recall_at
from bcls.evaluation.similarity import rows_in_block
from bcls.evaluation.truth import RetrievalTruth, Rows
from bcls.threads import over_rows

LEAST = {"sts": 3.0, "sis": 2.5}
"""The least rating of a positive, by task."""

DIRECTION_OF = {"sts": "text_to_text", "sis": "image_to_image"}


def judge_cxc_within(task: Task) -> dict[str, float]:
    """Recall of captions by a caption and of images by an image; the query itself is no candidate.

    Positives of a caption are the other captions of its image and those that people rated 3 or more with it; of an
    image those that people rated 2.5 or more with it. A rating holds both ways round. A row without a positive is a
    candidate and no query.

    Args:
        task: holds all rated ids, and has embeddings. Its files are `sts_*.csv` and `sis_*.csv` of one split, or one
            of them.

    Returns:
        For `text_to_text/` and `image_to_image/`, as far as their file is given: percentages `recall@1`, `recall@5`,
        `recall@10`; `queries` and `positives`.

    Raises:
        InputError: no embeddings, ids that do not match, ratings of captions with images, a file given twice, or no
            pair that is rated highly enough.
    """
    if not isinstance(task.similarity, CosineSimilarity | DotSimilarity):
        raise InputError("captions are sought by captions and images by images: this protocol needs embeddings")
    metrics: dict[str, float] = {}
    for file in task.files:
        rated = read_cxc_ratings(file)
        if rated.task not in DIRECTION_OF:
            raise InputError(f"{file}: rates captions with images; for recall between them use the protocol 'cxc'")
        direction = DIRECTION_OF[rated.task]
        if f"{direction}/queries" in metrics:
            raise InputError(f"{file}: ratings of {rated.task} were given already; judge one split at a time")
        judged = _positives(task, rated)
        if not judged.query.size:
            raise InputError(f"{file}: no pair is rated {LEAST[rated.task]:g} or more, so nothing can be found")
        units = task.similarity.captions if rated.task == "sts" else task.similarity.images
        ranks = ranks_within(units, judged, type(task.similarity))
        found = ranks[~np.isnan(ranks)]
        metrics |= {f"{direction}/recall@{cutoff}": recall_at(found, cutoff) for cutoff in RECALL_CUTOFFS}
        metrics |= {f"{direction}/queries": float(found.size), f"{direction}/positives": float(judged.query.size)}
    return metrics


def ranks_within(
    embeddings: Any, judged: JudgedPositives, compare: type[CosineSimilarity | DotSimilarity] = CosineSimilarity
) -> Floats:
    """The rank of each row's best positive among all other rows, by cosine unless another comparison is named.

    Of equal scores the positives come last (worst case). Nothing is sorted; the cost is that of the matrix product.

    Args:
        embeddings: shape (N, D).
        judged: positives among the same rows; none is its own query.
        compare: how two rows are compared.

    Returns:
        Shape (N,); NaN for a row without a positive.

    Example:
        >>> judged = JudgedPositives(query=np.array([0, 2]), candidate=np.array([2, 0]), queries=3)
        >>> ranks_within([[1.0, 0.0], [0.9, 0.1], [0.1, 0.9]], judged)
        array([ 2., nan,  2.])
    """
    cosine = compare(embeddings, embeddings)
    rows = np.arange(cosine.images.shape[0])
    starts = np.searchsorted(judged.query, np.append(rows, rows.size))
    ranks = np.full(rows.size, np.nan)
    asked = judged.asked
    step = rows_in_block(None, rows.size)
    for first in range(0, asked.size, step):
        here = asked[first : first + step]
        scores = cosine(here, rows)

        def work(start: int, stop: int, here: Rows = here, scores: Any = scores) -> None:
            for query, row in zip(here[start:stop], scores[start:stop], strict=True):
                positives = judged.candidate[starts[query] : starts[query + 1]]
                best = row[positives].max()
                row[query] = row[positives] = -np.inf
                ranks[query] = 1 + np.count_nonzero(row >= best)

        over_rows(work, here.size)
    return ranks


def _positives(task: Task, rated: CxcRatings) -> JudgedPositives:
    first, second = (rated_rows(task, rated, place) for place in (0, 1))
    high = rated.ratings >= LEAST[rated.task]
    pairs = [np.stack([first[high], second[high]])]
    if rated.task == "sts":
        pairs.append(_captions_of_one_image(task.truth))
    one, other = np.concatenate(pairs, axis=1)
    apart = one != other
    one, other = one[apart], other[apart]
    rows = task.truth.captions if rated.task == "sts" else task.truth.images
    return JudgedPositives.of_pairs(np.concatenate([one, other]), np.concatenate([other, one]), rows, rows)


def _captions_of_one_image(truth: RetrievalTruth) -> Rows:
    """All pairs of captions that have their image in common, each once, shape (2, P)."""
    order = np.argsort(truth.caption_image, kind="stable")
    order = order[truth.caption_image[order] >= 0]
    images = truth.caption_image[order]
    pairs = []
    for distance in range(1, int(np.bincount(images).max())):
        same = images[distance:] == images[:-distance]
        pairs.append(np.stack([order[:-distance][same], order[distance:][same]]))
    return np.concatenate(pairs, axis=1) if pairs else np.zeros((2, 0), dtype=np.int64)
