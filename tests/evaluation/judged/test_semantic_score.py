"""NCS and semantic recall against loops over their definitions."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, judge
from bcls.evaluation.judged.semantic_relevant import relevant_sets
from bcls.evaluation.judged.semantic_score import judge_semantic_score
from bcls.evaluation.judged.task import Task
from bcls.evaluation.similarity import relevance_blocks

IMAGES = 15


@pytest.fixture
def case():
    random = np.random.default_rng(7)
    truth = RetrievalTruth(random.permutation(np.repeat(np.arange(IMAGES), 3)), IMAGES)
    relevance = random.random((IMAGES, 3 * IMAGES))
    return truth, random.normal(size=relevance.shape), relevance


def published_relevant(truth, phi, image, size):
    """The images that the captions of an image describe best, by the sum over their ten best; the image left out."""
    votes: Counter[int] = Counter()
    for caption in np.flatnonzero(truth.caption_image == image):
        for other in np.argsort(-phi[caption])[:10]:
            votes[int(other)] += phi[caption, other]
    del votes[image]
    return [other for other, _ in votes.most_common(size)]


def published(truth, similarity, relevance, size):
    """The published evaluation, query by query: ratio of means, own pairs left out of every list."""
    phi = relevance.T
    totals = {}
    for direction in ("image_to_text", "text_to_image"):
        scores, worth = (similarity, relevance) if direction == "image_to_text" else (similarity.T, phi)
        retrieved, ideal, plain, soft = [], [], [], []
        for query in range(len(scores)):
            image = query if direction == "image_to_text" else truth.caption_image[query]
            own = truth.caption_image == query if direction == "image_to_text" else np.arange(IMAGES) == image
            order = [c for c in np.argsort(-scores[query]) if not own[c]]
            best = [c for c in np.argsort(-worth[query]) if not own[c]]
            retrieved.append(worth[query, order[:10]])
            ideal.append(worth[query, best[:10]])
            images = published_relevant(truth, phi, image, size)
            wanted = images if direction == "text_to_image" else np.flatnonzero(np.isin(truth.caption_image, images))
            hit = np.isin(order[:10], wanted)
            plain.append(np.cumsum(hit) / len(wanted))
            soft.append(np.cumsum(hit * worth[query, order[:10]]) / worth[query, wanted].sum())
        for cutoff in (1, 5, 10):
            ratio = np.mean(np.array(retrieved)[:, :cutoff]) / np.mean(np.array(ideal)[:, :cutoff])
            totals[f"{direction}/ncs@{cutoff}"] = 100 * ratio
            totals[f"{direction}/semantic_recall@{cutoff}"] = 100 * np.mean(np.array(plain)[:, cutoff - 1])
            totals[f"{direction}/semantic_soft_recall@{cutoff}"] = 100 * np.mean(np.array(soft)[:, cutoff - 1])
    return totals


@pytest.mark.parametrize("size", [1, 3])
def test_is_the_published_evaluation(case, size):
    truth, similarity, relevance = case
    metrics = judge_semantic_score(Task(similarity, truth, relevance), relevant=size)
    for name, value in published(truth, similarity, relevance, size).items():
        assert metrics[name] == pytest.approx(value, rel=1e-5), name  # relevance is ranked in single precision


def test_relevance_itself_is_perfect_and_stays_as_it_is(case):
    truth, _, relevance = case
    before = relevance.copy()
    metrics = judge("ncs", relevance, truth, relevance=relevance)
    assert metrics["ncs@10"] == pytest.approx(100)
    assert np.array_equal(relevance, before)


def test_the_scale_of_relevance_does_not_matter(case):
    truth, similarity, relevance = case
    full, half = (judge("ncs", similarity, truth, relevance=values) for values in (relevance, relevance / 2))
    assert full == pytest.approx(half, rel=1e-6)


def test_ties_count_against_the_model(case):
    truth, _, relevance = case
    alike = judge("ncs", np.zeros(relevance.shape), truth, relevance=relevance)
    worst = judge("ncs", -relevance, truth, relevance=relevance)
    assert alike["ncs@5"] == pytest.approx(worst["ncs@5"])
    assert alike["semantic_recall@5"] == 0


def test_nothing_to_find_is_refused(case):
    truth, similarity, _ = case
    own = (truth.caption_image == np.arange(IMAGES)[:, None]).astype(float)
    with pytest.raises(InputError, match="no candidate but the queries' own has any relevance"):
        judge("ncs", similarity, truth, relevance=own)
    with pytest.raises(InputError, match="relevant=0"):
        judge_semantic_score(Task(similarity, truth, own), relevant=0)


def test_what_is_not_relevant_at_all_is_in_no_relevant_set():
    truth = RetrievalTruth.from_counts([1] * 4)
    relevance = np.eye(4)
    relevance[1, 0] = relevance[0, 1] = 0.5  # the first two speak for each other, and nothing else for another
    sets = relevant_sets(relevance_blocks(relevance, truth), truth, 3)
    for judged in sets.values():
        assert (judged.query.tolist(), judged.candidate.tolist()) == ([0, 1], [1, 0])
    perfect = judge_semantic_score(Task(relevance, truth, relevance), relevant=3)
    assert perfect["semantic_recall@1"] == perfect["semantic_soft_recall@1"] == perfect["ncs@1"] == 100


def test_unknown_relevance_is_no_candidate(case):
    truth, similarity, relevance = case
    relevance = relevance.copy()
    relevance[:, 4] = np.nan
    assert 0 < judge("ncs", similarity, truth, relevance=relevance)["ncs@10"] < 100
