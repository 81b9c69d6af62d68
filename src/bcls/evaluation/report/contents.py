"""What a report shows, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from bcls.evaluation.comparison import Difference

Picture: TypeAlias = Path


@dataclass(frozen=True)
class Table:
    """Runs by metrics.

    Args:
        title: of the section.
        columns: metric names, as the reader sees them.
        rows: run name -> one value a column; NaN = not known.
        note: what one must know to read it.
        lower_is_better: columns whose smallest value is the best.
    """

    title: str
    columns: Sequence[str]
    rows: Mapping[str, Sequence[float]]
    note: str = ""
    lower_is_better: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Bars:
    """One value for each run, drawn as bars.

    Args:
        title: of the chart.
        values: run name -> value.
        spreads: run name -> half the length of a whisker; may be empty.
        decimals: digits behind the point.
    """

    title: str
    values: Mapping[str, float]
    spreads: Mapping[str, float] = field(default_factory=dict)
    decimals: int = 1


@dataclass(frozen=True)
class Curve:
    """One line for each run.

    Args:
        title: of the chart.
        x_label: of the horizontal axis.
        series: run name -> points (x, y).
        decimals: digits behind the point.
    """

    title: str
    x_label: str
    series: Mapping[str, Sequence[tuple[float, float]]]
    decimals: int = 2


@dataclass(frozen=True)
class RankedItem:
    """One place of a ranking.

    Args:
        label: the caption, or the image's id.
        similarity: the model's score.
        relevance: how relevant it truly is, in [0, 1]; None = unknown.
        positive: whether it is a right answer.
        picture: its picture file, or None.
    """

    label: str
    similarity: float
    relevance: float | None
    positive: bool
    picture: Picture | None = None


@dataclass(frozen=True)
class GalleryQuery:
    """One query and what each run ranks first.

    Args:
        label: the caption, or the image's id.
        direction: what is looked for.
        rankings: run name -> places, the first one first.
        picture: the query's picture file, or None.
    """

    label: str
    direction: Literal["text_to_image", "image_to_text"]
    rankings: Mapping[str, Sequence[RankedItem]]
    picture: Picture | None = None


@dataclass(frozen=True)
class ChangedQuery:
    """One query that two runs answer differently.

    Args:
        label: the caption, or the image's id.
        direction: what is looked for.
        ranks: of the best right answer, by the first run and by the second.
        ndcg: NDCG@10 by the first run and by the second; None = not known.
        words: words of the query; of a picture, the mean of its captions.
        near_misses: wrong candidates of high relevance; None = not known.
        answers: what is right.
        rankings: run name -> places, the first one first.
        picture: the query's picture file, or None.
    """

    label: str
    direction: Literal["text_to_image", "image_to_text"]
    ranks: tuple[float, float]
    ndcg: tuple[float, float] | None
    words: int
    near_misses: int | None
    answers: Sequence[RankedItem]
    rankings: Mapping[str, Sequence[RankedItem]]
    picture: Picture | None = None


@dataclass(frozen=True)
class Changes:
    """The queries that changed most from one run to another, and how many changed at all.

    Args:
        runs: names of the first and the second run.
        counts: what was counted -> queries that got better, stayed, got worse.
        queries: the queries to show.
        near_miss: the relevance from which on a wrong candidate is a near miss.
    """

    runs: tuple[str, str]
    counts: Mapping[str, tuple[int, int, int]]
    queries: Sequence[ChangedQuery]
    near_miss: float


@dataclass(frozen=True)
class Report:
    """Everything on the page; empty parts are left out.

    Args:
        title: of the page.
        summary: paragraphs that say what was done and what came out.
        tables: runs by metrics.
        bars: charts of one value a run.
        curves: charts over time.
        differences: of runs against the first, drawn with their intervals.
        gallery: queries with their rankings.
        changes: the queries that two runs answer differently.
        provenance: facts about how it was made.
    """

    title: str
    summary: Sequence[str] = ()
    tables: Sequence[Table] = ()
    bars: Sequence[Bars] = ()
    curves: Sequence[Curve] = ()
    differences: Sequence[Difference] = ()
    gallery: Sequence[GalleryQuery] = ()
    changes: Changes | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
