"""A whole audit against the parts counted by other means."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from bcls.errors import InputError
from bcls.relevance import CiderScorer, TfidfScorer
from bcls.relevance.audit import (
    OrderAgreement,
    audit_scorer,
    comparisons,
    pair_similarity,
    read_ratings,
)


@pytest.fixture(scope="module")
def audit(make_ratings):
    return audit_scorer(CiderScorer(), make_ratings(), resamples=20)


def test_values_are_the_scorers_with_the_first_caption_as_reference(make_ratings):
    ratings = make_ratings(300)
    scorer = CiderScorer().fit(ratings.captions)
    values = pair_similarity(scorer.encode(ratings.captions), ratings.first, ratings.second)
    expected = [
        scorer.similarity([ratings.captions[a]], [ratings.captions[b]])[0, 0]
        for a, b in zip(ratings.first[::13], ratings.second[::13], strict=True)
    ]
    np.testing.assert_allclose(values[::13], expected, atol=1e-6)


def test_bands_and_groups_are_correlations_of_their_parts(audit, make_ratings):
    ratings = make_ratings()
    assert list(audit.bands) == ["0-1", "1-2", "2-3", "3-4", "4-5"]
    low = ratings.ratings < 0.2
    assert audit.bands["0-1"].pairs == low.sum()
    assert audit.bands["0-1"].spearman.value == pytest.approx(spearmanr(audit.values[low], ratings.ratings[low])[0])
    assert sum(band.pairs for band in audit.bands.values()) == len(ratings)
    near = ratings.groups == "near"
    assert list(audit.groups) == ["far", "near"]
    assert audit.groups["near"].kendall.value == pytest.approx(kendalltau(audit.values[near], ratings.ratings[near])[0])


def test_the_order_of_a_group_compares_its_own_pairs(audit, make_ratings):
    ratings = make_ratings()
    near = np.flatnonzero(ratings.groups == "near")
    expected = OrderAgreement(audit.values, ratings.ratings, *comparisons([near], np.random.default_rng(0)))
    assert len(audit.group_orders["near"]) == len(expected)
    assert audit.group_orders["near"].at(0.1) == expected.at(0.1)
    assert audit.summary()["group_orders"]["near"]["comparisons"] == len(expected)


def test_a_rating_on_a_border_belongs_to_the_upper_band(make_ratings):
    ratings = make_ratings(6)
    ratings.ratings[:] = [0.0, 0.2, 0.4, 3 / 5, 4 / 5, 1.0]
    bands = audit_scorer(TfidfScorer(), ratings, resamples=0).bands
    assert [band.pairs for band in bands.values()] == [1, 1, 1, 1, 2]


def test_frequencies_can_come_from_another_collection(make_ratings):
    ratings = make_ratings(40)
    other = audit_scorer(
        TfidfScorer(), ratings, collection=["a dog at the river", "a small cat"], fitted_on="elsewhere", resamples=0
    )
    own = audit_scorer(TfidfScorer(), ratings, resamples=0)
    assert not np.allclose(own.values, other.values)
    assert other.calibration.fitted_on == other.summary()["fitted_on"] == "elsewhere"


def test_the_error_is_of_pairs_kept_aside(make_ratings):
    """Ratings without any relation to the captions: a calibration cannot beat their mean on pairs it has not seen."""
    ratings = make_ratings(200)
    ratings.ratings[:] = np.random.default_rng(0).random(200)
    found = audit_scorer(CiderScorer(), ratings, resamples=0)
    in_sample = np.abs(found.calibration(found.values) - ratings.ratings).mean()
    assert in_sample < found.error
    assert found.error == pytest.approx(0.25, abs=0.03)


def test_comparisons_above_the_limit_are_sampled(make_ratings):
    found = audit_scorer(CiderScorer(), make_ratings(), resamples=0, most=500)
    assert found.summary()["comparisons"] == "sampled"
    assert len(found.order) <= 500
    again = audit_scorer(CiderScorer(), make_ratings(), resamples=0, most=500)
    assert again.summary() == found.summary()


def test_resamples_cannot_be_negative(make_ratings):
    with pytest.raises(InputError, match="-1 resamples"):
        audit_scorer(CiderScorer(), make_ratings(), resamples=-1)


def test_people_are_met_as_the_documents_say(human_ratings):
    """A sample of the real file; the whole of it, and the sentence encoder, are in docs/labels.md."""
    ratings = read_ratings(human_ratings, highest=5.0, group="sampling_method").sample(3000)
    found = audit_scorer(TfidfScorer(), ratings, resamples=0, most=200_000)
    assert found.whole.spearman.value == pytest.approx(0.64, abs=0.03)
    assert found.recommended.gap == pytest.approx(0.27, abs=0.05)
    assert found.recommended.agreement == pytest.approx(0.9, abs=0.001)
    assert list(found.groups) == ["c2c_cocaption", "c2c_isim"]
