"""Every metric of docs/metrics that needs no human annotations, from the words of those pages by loops."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest

from bcls.evaluation import RetrievalTruth, compiled, evaluate_similarity, positive_ranks

RECALLS = (1, 5, 10)


def mean(values):
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else math.nan


def ranks_of(scores, right, ties="worst"):
    """The rank of the k-th best right answer, k = 1, 2, ... (docs/metrics/ranks.md)."""
    answers = sorted((s for s, own in zip(scores, right, strict=True) if own), reverse=True)
    wrong = [s for s, own in zip(scores, right, strict=True) if not own]
    if ties == "worst":
        return [k + sum(one >= score for one in wrong) for k, score in enumerate(answers, start=1)]
    ranks = []
    for place, score in enumerate(answers):
        a, g = sum(one > score for one in scores), sum(one == score for one in scores)
        m, k = answers.count(score), place - sum(one > score for one in answers) + 1
        ranks.append(a + k * (g + 1) / (m + 1))
    return ranks


def known(scores, relevance):
    kept = [j for j in range(len(scores)) if not math.isnan(relevance[j])]
    return [scores[j] for j in kept], [float(np.float32(relevance[j])) for j in kept]


def ranked(scores, relevance):
    """Places by falling score, of equal scores the least relevant first."""
    return sorted(range(len(scores)), key=lambda j: (-scores[j], relevance[j]))


def ndcg(scores, relevance, length, ties):
    scores, relevance = known(scores, relevance)
    gains = [2**r - 1 for r in relevance]
    if ties == "expected":
        gains = [mean(gain for gain, other in zip(gains, scores, strict=True) if other == score) for score in scores]
    places = slice(None, length)
    dcg = sum(gains[j] / math.log2(1 + k) for k, j in enumerate(ranked(scores, relevance)[places], start=1))
    best = sorted(relevance, reverse=True)[places]
    ideal = sum((2**r - 1) / math.log2(1 + k) for k, r in enumerate(best, start=1))
    return dcg / ideal if ideal > 0 else None


def tau_b(scores, relevance, length=None):
    scores, relevance = known(scores, relevance)
    taken = ranked(scores, relevance)[:length]
    n, c, d, tied_scores, tied_relevance = len(taken), 0, 0, 0, 0
    for place, i in enumerate(taken):
        for j in taken[:place]:
            by_score, by_relevance = scores[i] - scores[j], relevance[i] - relevance[j]
            c += by_score * by_relevance > 0
            d += by_score * by_relevance < 0
            tied_scores += by_score == 0
            tied_relevance += by_relevance == 0
    pairs = n * (n - 1) / 2
    divisor = math.sqrt((pairs - tied_scores) * (pairs - tied_relevance))
    return (c - d) / divisor if divisor else None


def of_direction(scores, right, relevance, *, ties, ndcg_at, tau_at):
    queries = [q for q in range(len(scores)) if any(right[q])]
    ranks = [ranks_of(scores[q], right[q], ties) for q in queries]
    best = sorted(one[0] for one in ranks)
    middle = (best[(len(best) - 1) // 2] + best[len(best) // 2]) / 2
    found = {
        "queries": len(queries),
        "median_rank": middle,
        "mean_rank": mean(best),
        "mrr": mean(1 / one for one in best),
    }
    for k in RECALLS:
        found[f"recall@{k}"] = 100 / len(best) * sum(one <= k for one in best)
    found["map@r"] = mean(
        100 / len(one) * sum(k / rank for k, rank in enumerate(one, start=1) if rank <= len(one)) for one in ranks
    )
    found["r_precision"] = mean(100 / len(one) * sum(rank <= len(one) for rank in one) for one in ranks)
    if relevance is None:
        return found
    values = {
        f"ndcg@{ndcg_at}": [ndcg(scores[q], relevance[q], ndcg_at, ties) for q in queries],
        "ndcg": [ndcg(scores[q], relevance[q], None, ties) for q in queries],
        "tau_b": [tau_b(scores[q], relevance[q]) for q in queries],
        f"tau_b@{tau_at}": [tau_b(scores[q], relevance[q], tau_at) for q in queries],
    }
    for name, parts in values.items():
        found[name] = mean(parts)
        found[f"{name}_queries"] = sum(part is not None for part in parts)
    return found


def of_gallery(similarity, relevance, image_of, **settings):
    right = [[own == image for own in image_of] for image in range(len(similarity))]
    sides = {
        "image_to_text": (similarity.tolist(), right, None if relevance is None else relevance.tolist()),
        "text_to_image": (
            similarity.T.tolist(),
            [list(column) for column in zip(*right, strict=True)],
            None if relevance is None else relevance.T.tolist(),
        ),
    }
    return {
        f"{direction}/{name}": value
        for direction, side in sides.items()
        for name, value in of_direction(*side, **settings).items()
    }


def with_means(found, graded):
    found["rsum"] = sum(
        found[f"{direction}/recall@{k}"] for direction in ("image_to_text", "text_to_image") for k in RECALLS
    )
    for name in ("map@r", "r_precision", *graded):
        found[name] = (found[f"image_to_text/{name}"] + found[f"text_to_image/{name}"]) / 2
    return found


def draw(seed):
    """A similarity, relevance with NaN or None, and the image of every caption: ties, orphans, images without any."""
    random = np.random.default_rng(seed)
    images, captions = int(random.integers(1, 9)), int(random.integers(1, 25))
    image_of = random.integers(-1 if seed % 4 == 3 else 0, images, captions)
    if not (image_of >= 0).any():
        image_of[0] = 0
    similarity = random.uniform(-1, 1, (images, captions)).round((1, 0, 9)[seed % 3])
    if seed % 6 == 5:
        return similarity, None, image_of
    relevance = random.uniform(0, 1, similarity.shape).round(1 if seed % 2 else 4)
    if seed % 5 < 3:
        relevance[random.random(similarity.shape) < 0.2 + 0.3 * (seed % 5)] = np.nan
    if seed % 7 == 0:
        relevance[0] = 0.0
        relevance[:, -1] = np.nan
    return similarity, relevance, image_of


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("ties", ["worst", "expected"])
def test_every_metric(ties, engine, monkeypatch):
    if engine == "compiled":
        pytest.importorskip("numba")
        monkeypatch.setattr(compiled, "COMPILED_FROM", 0)
    for seed in range(48):
        similarity, relevance, image_of = draw(seed)
        settings = {"ndcg_at": (10, 3)[seed % 2], "tau_at": (100, 6)[seed % 2]}
        found = evaluate_similarity(
            similarity, RetrievalTruth(image_of, len(similarity)), relevance=relevance, ties=ties, **settings
        )
        expected = of_gallery(similarity, relevance, image_of.tolist(), ties=ties, **settings)
        graded = (f"ndcg@{settings['ndcg_at']}", "ndcg", "tau_b", f"tau_b@{settings['tau_at']}")
        with_means(expected, () if relevance is None else graded)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-7, nan_ok=True), f"case {seed}"


def test_the_defaults_are_those_of_the_pages():
    similarity, relevance, image_of = draw(1)
    found = evaluate_similarity(similarity, RetrievalTruth(image_of, len(similarity)), relevance=relevance)
    expected = of_gallery(similarity, relevance, image_of.tolist(), ties="worst", ndcg_at=10, tau_at=100)
    with_means(expected, ("ndcg@10", "ndcg", "tau_b", "tau_b@100"))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-7, nan_ok=True)


def test_expected_ranks_are_the_mean_over_all_orders_of_equal_scores():
    scores, right = [0.5, 0.7, 0.5, 0.1, 0.5, 0.7], [True, False, False, True, True, True]
    ranks = []
    for order in permutations(range(6)):
        placed = sorted(order, key=lambda j: -scores[j])  # a stable sort: equal scores in the order drawn
        ranks.append([place for place, j in enumerate(placed, start=1) if right[j]])
    expected = np.mean(ranks, axis=0)
    assert ranks_of(scores, right, "expected") == pytest.approx(expected)
    positives = np.flatnonzero(right)
    found = positive_ranks(np.array([scores]), np.zeros_like(positives), positives, ties="expected")
    assert found.rank == pytest.approx(expected)


def test_coco_1k_is_the_mean_over_five_folds(monkeypatch):
    """Of a protocol cut down to folds of four images: the published one has folds of a thousand."""
    from bcls.evaluation.protocols import PROTOCOLS, RetrievalProtocol

    monkeypatch.setitem(PROTOCOLS, "coco-1k", RetrievalProtocol("cut down", (20,), 4))
    random = np.random.default_rng(0)
    image_of = random.permutation(np.repeat(np.arange(20), 3))
    similarity, relevance = random.random((20, 60)).round(2), random.random((20, 60)).round(2)
    relevance[:4] = np.nan  # the first fold has no graded metric
    found = evaluate_similarity(similarity, RetrievalTruth(image_of, 20), relevance=relevance, protocol="coco-1k")
    folds = []
    for first in range(0, 20, 4):
        captions = np.flatnonzero((image_of >= first) & (image_of < first + 4))
        part = np.s_[first : first + 4], captions
        settings = {"ties": "worst", "ndcg_at": 10, "tau_at": 100}
        folds.append(of_gallery(similarity[part], relevance[part], (image_of[captions] - first).tolist(), **settings))
    expected = {}
    for name in folds[0]:
        values = [fold[name] for fold in folds if not math.isnan(fold[name])]
        expected[name] = sum(values) if name.endswith("queries") else mean(values)
    with_means(expected, ("ndcg@10", "ndcg", "tau_b", "tau_b@100"))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-7)
