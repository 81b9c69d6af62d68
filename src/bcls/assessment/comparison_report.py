"""From two evaluated models to the page that shows what changed between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bcls.assessment.comparing import EvaluatedModels
from bcls.errors import InputError
from bcls.evaluation import Difference
from bcls.evaluation.changes import Candidate, QueryRankings, largest_changes, query_gains, query_rankings
from bcls.evaluation.report import ChangedQuery, Changes, RankedItem, Report
from bcls.evaluation.truth import DIRECTIONS, Direction
from bcls.text import words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcls.data import RetrievalDataset

ASKED = {"text_to_image": "captions", "image_to_text": "pictures"}
MEASURES = {"rank": "rank of the right answer", "ndcg": "NDCG@10"}


def comparison_report(
    evaluated: EvaluatedModels,
    pair: tuple[str, str],
    differences: Sequence[Difference],
    *,
    queries: int = 160,
    near_miss: float = 0.1,
    provenance: Mapping[str, str] | None = None,
) -> Report:
    """The page of two models: differences with intervals, and the queries that changed most with their rankings.

    Args:
        evaluated: results of both, and perhaps of others.
        pair: names of the baseline and of the model that is compared with it.
        differences: what `compare` returned; those of the pair are shown.
        queries: about how many to show.
        near_miss: the relevance from which on a wrong candidate is a near miss.
        provenance: facts for the end of the page.
    """
    first, second = (evaluated.results[name] for name in pair)
    counts = {
        f"{ASKED[direction]}, {MEASURES[measure]}": _sides(gain)
        for direction in reversed(DIRECTIONS)
        for measure, gain in query_gains(first, second, direction).items()
    }
    shown: list[ChangedQuery] = []
    for direction, rows in largest_changes(first, second, queries).items():
        rankings = query_rankings(
            [evaluated.similarities[name] for name in pair],
            evaluated.truth,
            direction,
            rows,
            protocol=evaluated.protocol,
            relevance=evaluated.relevance,
            near_miss=near_miss,
        )
        shown += [_changed(evaluated, pair, direction, row, rankings[row]) for row in rows.tolist()]
    shown.sort(key=lambda query: -abs(np.log2(query.ranks[0] / query.ranks[1])))
    return Report(
        f"{pair[0]} or {pair[1]}?",
        summary=[
            f"What changes for {evaluated.truth.images:,} images and {evaluated.truth.captions:,} captions if "
            f"{pair[1]} (new) takes the place of {pair[0]} (base)."
        ],
        differences=[one for one in differences if one.run == pair[1]],
        changes=Changes(pair, counts, shown, near_miss),
        provenance=provenance or {},
    )


def _sides(gain: NDArray[np.float64]) -> tuple[int, int, int]:
    return int((gain > 0).sum()), int((gain == 0).sum()), int((gain < 0).sum())


def _changed(
    evaluated: EvaluatedModels, pair: tuple[str, str], direction: Direction, row: int, rankings: QueryRankings
) -> ChangedQuery:
    part = _part(evaluated)
    results = [evaluated.results[name] for name in pair]
    ranks, ndcg = (
        tuple(float(one[f"{direction}/{name}"][row]) if f"{direction}/{name}" in one else np.nan for one in results)
        for name in ("rank", "ndcg@10")
    )
    if direction == "text_to_image":
        label, picture = part.caption_texts[row], None
        answers = [int(part.caption_image[row])]
        words = len(words_of(label))
    else:
        label, picture = part.image_ids[row], _picture(evaluated, row)
        answers = np.flatnonzero(part.caption_image == row).tolist()
        words = round(float(np.mean([len(words_of(part.caption_texts[answer])) for answer in answers])))
    return ChangedQuery(
        label,
        direction,
        (ranks[0], ranks[1]),
        None if np.isnan(ndcg).any() else (ndcg[0], ndcg[1]),
        words,
        rankings.near_misses,
        [_item(evaluated, direction, Candidate(answer, np.nan, 1.0, positive=True)) for answer in answers],
        {
            name: [_item(evaluated, direction, candidate) for candidate in top]
            for name, top in zip(pair, rankings.top, strict=True)
        },
        picture,
    )


def _item(evaluated: EvaluatedModels, direction: Direction, candidate: Candidate) -> RankedItem:
    row, part = candidate.row, _part(evaluated)
    seen = direction == "text_to_image"
    return RankedItem(
        part.image_ids[row] if seen else part.caption_texts[row],
        candidate.similarity,
        candidate.relevance,
        candidate.positive,
        _picture(evaluated, row) if seen else None,
    )


def _part(evaluated: EvaluatedModels) -> RetrievalDataset:
    if evaluated.part is None:
        raise InputError("the page shows captions and images: it needs the data set")
    return evaluated.part


def _picture(evaluated: EvaluatedModels, row: int) -> Path | None:
    """The picture of an image; None where the data set has features alone."""
    part = _part(evaluated)
    if part.image_folder is None or part.images[row].file is None:
        return None
    path = part.image_path(row)
    return path if path.is_file() else None
