"""A whole audit against the parts counted by other means."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from bcls.errors import InputError
from bcls.relevance import CiderScorer, TfidfScorer
from bcls.relevance.audit import (
    GapPoint,
    OrderAgreement,
    audit_scorer,
    comparisons,
    pair_similarity,
    read_ratings,
    recommended_gap,
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


def test_the_summary_is_json_without_nan(audit):
    summary = json.loads(json.dumps(audit.summary(), allow_nan=False))
    assert summary["scorer"] == "cider-d"
    assert summary["comparisons"] == "all"
    assert summary["correlation"]["spearman"]["low"] <= summary["correlation"]["spearman"]["value"]
    assert summary["order"]["curve"][0]["gap"] == 0
    assert summary["order"]["recommended"] == audit.recommended._asdict()
    assert summary["fitted_on"] == "the rated captions"


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


def test_the_recommended_gap_asks_for_less_where_too_little_survives():
    def order(wrong_below):
        """Ten comparisons of differences .1 to 1; those up to `wrong_below` are wrong."""
        values = np.ravel([[0.0, number / 10] for number in range(1, 11)])
        ratings = np.ravel([[0.0, 1.0] if number / 10 > wrong_below else [1.0, 0.0] for number in range(1, 11)])
        return OrderAgreement(values, ratings, np.arange(0, 20, 2), np.arange(1, 20, 2))

    assert recommended_gap(order(0.0)) == GapPoint(0.0, 1.0, 1.0)
    assert recommended_gap(order(0.5)).gap == pytest.approx(0.5)
    assert recommended_gap(order(1.0)) is None
    left, right = comparisons([np.arange(100)], np.random.default_rng(0))
    values = np.arange(100) / 100
    few_right = np.where(np.abs(values[left] - values[right]) > 0.8, 1.0, np.where(left % 4 == 0, -1.0, 1.0))
    ratings_left = np.zeros(len(left))
    stacked = np.concatenate([values[left], values[right]]), np.concatenate([ratings_left, few_right])
    mixed = OrderAgreement(*stacked, np.arange(len(left)), np.arange(len(left)) + len(left))
    point = recommended_gap(mixed)
    assert mixed.reaching(0.9).share < 0.1
    assert 0.8 <= point.agreement < 0.9


def test_people_are_met_as_the_documents_say(human_ratings):
    """A sample of the real file; the whole of it, and the sentence encoder, are in docs/labels.md."""
    ratings = read_ratings(human_ratings, highest=5.0, group="sampling_method").sample(3000)
    found = audit_scorer(TfidfScorer(), ratings, resamples=0, most=200_000)
    assert found.whole.spearman.value == pytest.approx(0.64, abs=0.03)
    assert found.recommended.gap == pytest.approx(0.27, abs=0.05)
    assert found.recommended.agreement == pytest.approx(0.9, abs=0.001)
    assert list(found.groups) == ["c2c_cocaption", "c2c_isim"]
