"""How far a scorer can be trusted as continuous labels: its values held against people's ratings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bcls.errors import InputError
from bcls.relevance.audit.correlation import Correlation, correlate
from bcls.relevance.audit.order import MOST, OrderAgreement, comparisons, sharing_a_caption
from bcls.relevance.audit.ratings import HumanRatings
from bcls.relevance.audit.scorer_audit import ScorerAudit
from bcls.relevance.calibration import Calibration
from bcls.relevance.encodings import Encodings
from bcls.relevance.scorer import Scorer

if TYPE_CHECKING:
    from numpy.typing import NDArray

BANDS = 5
FOLDS = 5
BLOCK = 128


def audit_scorer(
    scorer: Scorer,
    ratings: HumanRatings,
    *,
    collection: Sequence[str] | None = None,
    caption_image: NDArray[np.int64] | None = None,
    fitted_on: str = "the rated captions",
    resamples: int = 200,
    seed: int = 0,
    most: int = MOST,
) -> ScorerAudit:
    """Hold a scorer against human ratings.

    Args:
        scorer: it is fitted here.
        ratings: what people said.
        collection: captions to fit the scorer's document frequencies on; None = the rated captions, each once.
        caption_image: image row of each caption of the collection; None = each is of an image of its own.
        fitted_on: what the collection is, in words.
        resamples: of the bootstrap intervals; 0 = none.
        seed: of the resamples, the sample of comparisons and the folds.
        most: the largest number of comparisons of two rated pairs; above it they are sampled.

    Raises:
        InputError: `resamples` is negative or `most` below 1.
        MissingExtraError: the calibration or the scorer needs the extra `text`.

    Cost: encoding the captions, plus about 10 s for 22,000 pairs and 200 resamples, 200 MB for a million comparisons.

    Example:
        >>> from bcls.relevance import CiderScorer
        >>> captions = ("a dog runs on grass", "a dog sleeps on grass", "two men eat", "a man eats")
        >>> pairs = np.array([0, 0, 2]), np.array([1, 2, 3]), np.array([0.6, 0.0, 0.5])
        >>> audit = audit_scorer(CiderScorer(), HumanRatings(captions, *pairs), resamples=0)
        >>> audit.whole.kendall.value, audit.order.at(0.1).agreement
        (0.816496580927726, 1.0)
    """
    if resamples < 0:
        raise InputError(f"{resamples} resamples; it must be 0 or more")
    random = np.random.default_rng(seed)
    scorer.fit(ratings.captions if collection is None else collection, caption_image)
    values = pair_similarity(scorer.encode(ratings.captions), ratings.first, ratings.second)
    people = ratings.ratings

    def within(rows: NDArray[np.bool_]) -> Correlation:
        return correlate(values[rows], people[rows], resamples=resamples, random=random)

    def order(sets: Sequence[NDArray[np.int64]]) -> OrderAgreement:
        return OrderAgreement(values, people, *comparisons(sets, random, most))

    band = np.minimum((people * BANDS + 1e-9).astype(np.int64), BANDS - 1)
    groups = {} if ratings.groups is None else {str(name): ratings.groups == name for name in np.unique(ratings.groups)}
    pairs = len(ratings)
    left, right = comparisons([np.arange(pairs)], random, most)
    sharing = sharing_a_caption(ratings.first, ratings.second)
    calibration = Calibration.fit(values, people, scorer, fitted_on=fitted_on)
    return ScorerAudit(
        scorer=scorer.name,
        fitted_on=fitted_on,
        values=values,
        ratings=people,
        whole=within(np.ones(pairs, dtype=np.bool_)),
        bands={name: within(band == number) for number, name in enumerate(_band_names(ratings))},
        groups={name: within(rows) for name, rows in groups.items()},
        every_comparison=pairs * (pairs - 1) // 2 <= most,
        order=OrderAgreement(values, people, left, right),
        sharing=order(sharing),
        group_orders={name: order([np.flatnonzero(rows)]) for name, rows in groups.items()},
        calibrated=OrderAgreement(calibration(values).astype(np.float64), people, left, right),
        calibration=calibration,
        error=_held_out_error(scorer, values, people, random),
    )


def pair_similarity(encodings: Encodings, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """Similarity of the captions of each pair, the first as the reference.

    Args:
        encodings: of all captions.
        first: (P,) rows.
        second: (P,) rows.

    Returns:
        (P,) in [0, 1].
    """
    parts = [
        np.diagonal(encodings.similarity(first[start : start + BLOCK], second[start : start + BLOCK]))
        for start in range(0, len(first), BLOCK)
    ]
    return np.concatenate([np.empty(0), *parts]).astype(np.float64)


def _band_names(ratings: HumanRatings) -> list[str]:
    edges = np.linspace(ratings.lowest, ratings.highest, BANDS + 1)
    return [f"{low:.3g}-{high:.3g}" for low, high in pairwise(edges)]


def _held_out_error(
    scorer: Scorer, values: NDArray[np.float64], people: NDArray[np.float64], random: np.random.Generator
) -> float:
    fold = random.permutation(len(values)) % min(FOLDS, len(values))
    errors = np.empty(len(values))
    for number in range(fold.max() + 1):
        out = fold == number
        errors[out] = np.abs(Calibration.fit(values[~out], people[~out], scorer)(values[out]) - people[out])
    return float(errors.mean())
