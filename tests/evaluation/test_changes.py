"""Which queries changed, and what stands first."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.evaluation import CosineSimilarity, RetrievalTruth, per_query_similarity
from bcls.evaluation.changes import largest_changes, query_gains, query_rankings


@pytest.fixture(scope="module")
def case():
    random = np.random.default_rng(0)
    truth = RetrievalTruth.from_counts([2, 1, 0, 3] * 5)
    relevance = np.where(random.random((20, 30)) < 0.2, np.nan, random.random((20, 30)))
    scores = [random.random((20, 30)), np.round(random.random((20, 30)), 1)]
    results = [per_query_similarity(one, truth, relevance=relevance) for one in scores]
    return truth, relevance, scores, results


def test_gains_are_positive_where_the_second_is_better(case):
    _, _, _, (first, second) = case
    for direction in ("image_to_text", "text_to_image"):
        gains = query_gains(first, second, direction)
        asking = ~np.isnan(first[f"{direction}/rank"])
        better = first[f"{direction}/rank"] > second[f"{direction}/rank"]
        np.testing.assert_array_equal(gains["rank"][asking] > 0, better[asking])
        np.testing.assert_array_equal(gains["ndcg"], second[f"{direction}/ndcg@10"] - first[f"{direction}/ndcg@10"])
    assert "ndcg" not in query_gains({"d/rank": np.ones(1)}, {"d/rank": np.ones(1)}, "d")


def test_the_largest_changes_are_chosen_on_both_sides(case):
    _, _, _, (first, second) = case
    chosen = largest_changes(first, second, 16)
    for direction, rows in chosen.items():
        for gain in query_gains(first, second, direction).values():
            known = np.flatnonzero(~np.isnan(gain))
            assert known[np.argsort(gain[known])[-1]] in rows
            assert known[np.argsort(gain[known])[0]] in rows
        assert len(rows) <= 8


def test_what_did_not_change_is_not_chosen(case):
    _, _, _, (first, _) = case
    assert all(rows.size == 0 for rows in largest_changes(first, first, 16).values())


@pytest.mark.parametrize("direction", ["image_to_text", "text_to_image"])
def test_rankings_are_those_of_a_sort(case, direction):
    truth, relevance, scores, results = case
    queries = truth.queries(direction)
    found = query_rankings(scores, truth, direction, queries, relevance=relevance, length=30, near_miss=0.7)
    assert list(found) == queries.tolist()
    own = truth.caption_image == np.arange(20)[:, None]
    for query, rankings in found.items():
        forward = direction == "image_to_text"
        graded, positive = (one[query] if forward else one[:, query] for one in (relevance, own))
        assert rankings.near_misses == (graded[~positive] >= 0.7).sum()
        for one, result, top in zip(scores, results, rankings.top, strict=True):
            line = one[query] if forward else one[:, query]
            assert [c.similarity for c in top] == sorted(line.tolist(), reverse=True)
            assert all(line[c.row] == c.similarity and positive[c.row] == c.positive for c in top)
            assert all(c.relevance == graded[c.row] or (c.relevance is None) == np.isnan(graded[c.row]) for c in top)
            first_right = next(place for place, c in enumerate(top, start=1) if c.positive)
            assert first_right == result[f"{direction}/rank"][query]


def test_without_relevance_nothing_is_known_of_it(case):
    truth, _, scores, _ = case
    rankings = query_rankings(scores, truth, "image_to_text", np.array([3]), length=2)[3]
    assert rankings.near_misses is None
    assert {candidate.relevance for top in rankings.top for candidate in top} == {None}


def test_a_fold_has_its_own_candidates():
    truth = RetrievalTruth.from_counts([1] * 5000)
    angle = np.tile(np.arange(1000), 5) * 1e-3
    embeddings = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    cosine = CosineSimilarity(embeddings, embeddings)
    found = query_rankings([cosine], truth, "image_to_text", np.array([3007]), protocol="coco-1k", length=1)
    assert found[3007].top[0][0].row == 3007
