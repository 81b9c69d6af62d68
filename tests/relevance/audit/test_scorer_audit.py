"""The gap to recommend, and an audit's numbers as JSON."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.relevance import Calibration, CiderScorer
from bcls.relevance.audit import GapPoint, OrderAgreement, audit_scorer, comparisons, recommended_gap
from bcls.relevance.audit.correlation import Correlation, Estimate
from bcls.relevance.audit.scorer_audit import ScorerAudit

tenths = st.integers(0, 10).map(lambda number: number / 10)
some_pairs = st.lists(st.tuples(tenths, tenths), min_size=2, max_size=12)


def an_order(values, ratings) -> OrderAgreement:
    rows = np.arange(len(values))
    return OrderAgreement(np.array(values), np.array(ratings), *comparisons([rows], np.random.default_rng(0)))


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


@given(some_pairs)
@settings(deadline=None, max_examples=100)
def test_the_recommended_gap_is_the_smallest_of_the_definition(pairs):
    values, ratings = np.array(pairs).T
    compared = [(i, j) for i, j in itertools.combinations(range(len(pairs)), 2) if ratings[i] != ratings[j]]
    gaps = sorted({0.0, *(abs(values[i] - values[j]) for i, j in compared)})

    def smallest(level):
        for gap in gaps:
            left = [(i, j) for i, j in compared if abs(values[i] - values[j]) > gap]
            agreed = sum((values[i] > values[j]) == (ratings[i] > ratings[j]) for i, j in left)
            if left and agreed >= level * len(left) - 1e-9:
                return gap, len(left) / len(compared)
        return None

    expected = next((one for level in (0.9, 0.8) if (one := smallest(level)) is not None and one[1] >= 0.1), None)
    found = recommended_gap(an_order(values, ratings))
    assert (None if found is None else (found.gap, found.share)) == (expected and pytest.approx(expected))


@pytest.fixture
def by_hand() -> ScorerAudit:
    """Three pairs in the right order, a group without any, and sharing pairs in the wrong order."""
    values, ratings = np.array([0.1, 0.2, 0.9]), np.array([0.2, 0.4, 1.0])
    unknown = Estimate(np.nan, np.nan, np.nan)
    nothing = Correlation(0, unknown, unknown)
    return ScorerAudit(
        scorer="a-scorer",
        fitted_on="these captions",
        values=values,
        ratings=ratings,
        whole=Correlation(3, Estimate(1.0, 0.5, 1.0), Estimate(1.0, np.nan, np.nan)),
        bands={"0-1": nothing},
        groups={"near": nothing},
        every_comparison=True,
        order=an_order(values, ratings),
        sharing=an_order([0.1, 0.2], [1.0, 0.0]),
        group_orders={"near": an_order([0.1], [1.0])},
        calibrated=an_order([0.2, 0.4, 1.0], ratings),
        calibration=Calibration((0.0, 1.0), (0.0, 1.0), {"scorer": "a-scorer"}),
        error=0.125,
    )


def test_a_summary_by_hand(by_hand):
    summary = by_hand.summary()
    unknown = {"value": None, "low": None, "high": None}
    assert summary["scorer"] == "a-scorer"
    assert summary["settings"] == {"scorer": "a-scorer"}
    assert (summary["fitted_on"], summary["pairs"], summary["comparisons"]) == ("these captions", 3, "all")
    assert summary["correlation"] == {
        "pairs": 3,
        "spearman": {"value": 1.0, "low": 0.5, "high": 1.0},
        "kendall": {"value": 1.0, "low": None, "high": None},
    }
    assert summary["bands"] == {"0-1": {"pairs": 0, "spearman": unknown, "kendall": unknown}}
    assert summary["groups"] == {"near": summary["bands"]["0-1"]}
    right = {"gap": 0.0, "agreement": 1.0, "share": 1.0}
    assert summary["order"]["comparisons"] == 3
    assert summary["order"]["reaching"] == {"0.8": right, "0.9": right, "0.95": right}
    assert summary["order"]["recommended"] == right
    assert summary["order"]["curve"][0] == right
    assert summary["order"]["curve"][-1]["gap"] == pytest.approx(0.78)
    assert [round(point["share"], 3) for point in summary["order"]["curve"][4:7]] == [1.0, 0.667, 0.667]
    sharing = summary["sharing_a_caption"]
    assert (sharing["comparisons"], sharing["recommended"]) == (1, None)
    assert sharing["reaching"] == {"0.8": None, "0.9": None, "0.95": None}
    assert sharing["curve"][0] == {"gap": 0.0, "agreement": 0.0, "share": 1.0}
    assert summary["group_orders"]["near"] == {
        "comparisons": 0,
        "reaching": {"0.8": None, "0.9": None, "0.95": None},
        "recommended": None,
        "curve": [],
    }
    assert summary["calibrated_order"]["comparisons"] == 3
    assert summary["calibration"] == {"hash": by_hand.calibration.hash, "error": 0.125}
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_a_sample_of_comparisons_is_called_so(by_hand):
    assert replace(by_hand, every_comparison=False).summary()["comparisons"] == "sampled"


def test_the_recommended_gap_of_an_audit_is_that_of_its_order(by_hand):
    assert by_hand.recommended == GapPoint(0.0, 1.0, 1.0)
    assert replace(by_hand, order=by_hand.sharing).recommended is None


def test_the_summary_of_a_real_audit_is_json_without_nan(make_ratings):
    audit = audit_scorer(CiderScorer(), make_ratings(), resamples=20)
    summary = json.loads(json.dumps(audit.summary(), allow_nan=False))
    assert summary["scorer"] == "cider-d"
    assert summary["comparisons"] == "all"
    assert summary["correlation"]["spearman"]["low"] <= summary["correlation"]["spearman"]["value"]
    assert summary["order"]["curve"][0]["gap"] == 0
    assert summary["order"]["recommended"] == audit.recommended._asdict()
    assert summary["fitted_on"] == "the rated captions"
