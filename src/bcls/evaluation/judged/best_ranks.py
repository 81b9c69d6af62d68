"""The rank of each query's best positive, for several judgements of one gallery, each score asked for once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcls.evaluation.compiled import compiled_pays
from bcls.evaluation.judged.positives import JudgedPositives
from bcls.evaluation.protocols import Fold
from bcls.evaluation.ranks import Floats
from bcls.evaluation.runs import run_starts
from bcls.evaluation.similarity import Blocks, rows_in_block
from bcls.evaluation.strangers import NUMPY_ROWS
from bcls.evaluation.truth import DIRECTIONS, Direction, Rows
from bcls.threads import over_rows

FEW = 1 / 8
"""Of the columns: fewer than this are looked at one by one."""

Judgements = dict[Direction, JudgedPositives]
"""The positives of both directions."""


def best_ranks(scores: Blocks, fold: Fold, judgements: Sequence[Judgements]) -> list[dict[Direction, Floats]]:
    """Rank each query's best positive among all candidates.

    Of equal scores the positives come last (worst case): the rank is 1 plus the candidates that score at least as much
    and are no positives. Nothing is sorted; the cost is a comparison for each score, direction and judgement.

    Args:
        scores: similarities.
        fold: the gallery.
        judgements: positives in positions of the gallery.

    Returns:
        For each judgement and direction the ranks, shape (queries,); NaN for a row without a positive.

    Raises:
        InputError: a score is not finite.

    Example:
        >>> from bcls.evaluation import RetrievalTruth
        >>> from bcls.evaluation.similarity import similarity_blocks
        >>> scores = similarity_blocks([[0.9, 0.5, 0.5]], RetrievalTruth.from_counts([3]))
        >>> own = {
        ...     "image_to_text": JudgedPositives(np.array([0]), np.array([2]), 1),
        ...     "text_to_image": JudgedPositives(np.array([2]), np.array([0]), 3),
        ... }
        >>> best_ranks(scores, Fold(np.arange(1), np.arange(3)), [own])[0]["image_to_text"]
        array([3.])
    """
    least = {
        direction: np.stack([_best(scores, fold, direction, one[direction]) for one in judgements])
        for direction in DIRECTIONS
    }
    beaten = _count(scores, fold, judgements, least)
    return [
        {
            direction: np.where(np.isinf(least[direction][place]), np.nan, 1.0 + beaten[direction][place])
            for direction in DIRECTIONS
        }
        for place in range(len(judgements))
    ]


def _best(scores: Blocks, fold: Fold, direction: Direction, judged: JudgedPositives) -> NDArray[Any]:
    """Each query's best own score, infinite for none."""
    image, caption = _sides(direction, judged)
    order = np.argsort(fold.images[image], kind="stable")  # pairs are asked for by ascending image
    own = scores.pairs(
        fold.images[image[order]], fold.captions[caption[order]], rows_in_block(None, fold.captions.size)
    )
    own[order] = own.copy()
    best = np.full(judged.queries, np.inf, dtype=own.dtype)
    if own.size:
        starts = np.flatnonzero(run_starts(judged.query))
        best[judged.query[starts]] = np.maximum.reduceat(own, starts)
    return best


def _sides(direction: Direction, judged: JudgedPositives) -> tuple[Rows, Rows]:
    """Positions of the image and of the caption of each positive."""
    return (judged.query, judged.candidate) if direction == "image_to_text" else (judged.candidate, judged.query)


def _count(
    scores: Blocks, fold: Fold, judgements: Sequence[Judgements], least: dict[Direction, NDArray[Any]]
) -> dict[Direction, Rows]:
    """Candidates, positives aside, that reach each query's threshold, shapes (S, I) and (S, T).

    Positives are taken off by what the same block says of them: a function may round otherwise in another block.
    """
    of_images, of_captions = least["image_to_text"], least["text_to_image"]
    by_image, by_caption = np.zeros(of_images.shape, np.int64), np.zeros(of_captions.shape, np.int64)
    block = rows_in_block(None, fold.captions.size)
    fast = compiled_pays(fold.images.size * fold.captions.size)
    for first in range(0, fold.images.size, block):
        rows = fold.images[first : first + block]
        values = scores.unchecked(rows, fold.captions)

        def work(start: int, stop: int, first: int = first, values: NDArray[Any] = values) -> Any:
            part = np.ascontiguousarray(values[start:stop])
            here = np.ascontiguousarray(of_images[:, first + start : first + stop])
            return slice(first + start, first + stop), *(_compiled if fast else _numpy)(part, here, of_captions)

        for here, by_row, by_column, finite in over_rows(work, rows.size, None if fast else NUMPY_ROWS):
            if not finite:
                scores.check(values, rows, fold.captions)
            by_image[:, here] += by_row
            by_caption += by_column
        for place, one in enumerate(judgements):
            for direction, counts in zip(DIRECTIONS, (by_image, by_caption), strict=True):
                image, caption = _sides(direction, one[direction])
                inside = np.flatnonzero((image >= first) & (image < first + rows.size))
                query = one[direction].query[inside]
                reach = values[image[inside] - first, caption[inside]] >= least[direction][place, query]
                np.subtract.at(counts[place], query[reach], 1)
    return {"image_to_text": by_image, "text_to_image": by_caption}


Counted = tuple[NDArray[np.int64], NDArray[Any], bool]


def _compiled(block: NDArray[Any], of_rows: NDArray[Any], of_columns: NDArray[Any]) -> Counted:
    from bcls.evaluation.kernels.reaching import count_reaching  # noqa: PLC0415

    by_row, by_column = np.zeros(of_rows.shape, np.int64), np.zeros(of_columns.shape, np.int32)
    few = [_few(np.flatnonzero(np.isfinite(least)), least.size) for least in of_columns]
    starts = np.cumsum([0, *(columns.size for columns in few)])
    largest = np.finfo(block.dtype).max
    wrong = count_reaching(block, of_rows, of_columns, np.concatenate(few), starts, by_row, by_column, largest)
    return by_row, by_column, wrong == 0


def _few(columns: Rows, width: int) -> Rows:
    """These columns where they are few, none where it is quicker to look at all."""
    return columns if columns.size < FEW * width else columns[:0]


def _numpy(block: NDArray[Any], of_rows: NDArray[Any], of_columns: NDArray[Any]) -> Counted:
    by_row = np.stack([np.count_nonzero(block >= least[:, None], axis=1) for least in of_rows])
    by_column = np.stack([np.count_nonzero(block >= least, axis=0) for least in of_columns])
    return by_row, by_column, bool(np.isfinite(block).all())
