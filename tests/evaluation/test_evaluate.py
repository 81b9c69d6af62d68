"""The flat dict of metrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bcls.errors import InputError
from bcls.evaluation import CosineSimilarity, RetrievalTruth, evaluate, evaluate_similarity, per_query_similarity
from rank_bounds import rank_bounds


def field_recalls(similarity, captions_per_image):
    """Recalls, median and mean rank as the field's scripts have them: captions in the order of their images."""
    images, captions = similarity.shape
    best = []
    for image in range(images):
        order = np.argsort(similarity[image])[::-1]
        own = range(captions_per_image * image, captions_per_image * (image + 1))
        best.append(min(int(np.where(order == caption)[0][0]) for caption in own))
    found = [
        int(np.where(np.argsort(similarity[:, c])[::-1] == c // captions_per_image)[0][0]) for c in range(captions)
    ]
    metrics = {}
    for direction, ranks in (("image_to_text", np.array(best)), ("text_to_image", np.array(found))):
        for k in (1, 5, 10):
            metrics[f"{direction}/recall@{k}"] = 100.0 * np.sum(ranks < k) / len(ranks)
        metrics[f"{direction}/median_rank"] = np.median(ranks) + 1
        metrics[f"{direction}/mean_rank"] = ranks.mean() + 1
    metrics["rsum"] = sum(value for key, value in metrics.items() if "recall" in key)
    return metrics


@pytest.fixture(scope="module")
def embeddings():
    random = np.random.default_rng(12)
    images = random.standard_normal((60, 16)).astype(np.float32)
    captions = np.repeat(images, 5, axis=0) + 1.5 * random.standard_normal((300, 16)).astype(np.float32)
    return images, captions


def test_recalls_are_those_of_the_field(embeddings):
    images, captions = embeddings
    metrics = evaluate(images, captions, RetrievalTruth.from_counts([5] * 60))
    cosine = CosineSimilarity(images, captions)(np.arange(60), np.arange(300))
    expected = field_recalls(cosine, 5)
    assert {key: metrics[key] for key in expected} == pytest.approx(expected)
    assert 0 < metrics["text_to_image/recall@1"] < 100
    assert metrics["image_to_text/queries"] == 60
    assert metrics["text_to_image/queries"] == 300


def test_a_matrix_a_function_and_embeddings_agree(embeddings):
    images, captions = embeddings
    truth = RetrievalTruth.from_counts([5] * 60)
    relevance = np.clip(images @ captions.T / 10, 0, 1)
    cosine = CosineSimilarity(images, captions)
    from_embeddings = evaluate(images, 7 * captions, truth, relevance=relevance)
    assert evaluate_similarity(cosine, truth, relevance=relevance) == pytest.approx(from_embeddings, abs=1e-6)
    matrix = cosine(np.arange(60), np.arange(300))
    assert evaluate_similarity(matrix, truth, relevance=relevance) == pytest.approx(from_embeddings, abs=1e-6)
    assert evaluate_similarity(torch.tensor(matrix), truth, relevance=torch.tensor(relevance)) == pytest.approx(
        from_embeddings, abs=1e-6
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_low_precision_costs_what_rounding_the_embeddings_costs(embeddings, dtype):
    """Embeddings are rounded once and then compared as if they were exact; no rank moves further than that explains."""
    truth = RetrievalTruth.from_counts([5] * 60)
    images, captions = (torch.tensor(values) for values in embeddings)
    rounded = [values.to(dtype) for values in (images, captions)]
    assert evaluate(*rounded, truth) == evaluate(*(values.double() for values in rounded), truth)
    found = per_query_similarity(CosineSimilarity(*rounded), truth)
    units = [F.normalize(values.double(), dim=1).numpy() for values in (images, captions)]
    # rounding moves either vector by at most half an eps of its length; the cosine is then rounded to float32
    error = 1.01 * torch.finfo(dtype).eps + 2.0**-24
    own = truth.caption_image == np.arange(60)[:, None]
    cosine = units[0] @ units[1].T
    for direction, scores, right in (("image_to_text", cosine, own), ("text_to_image", cosine.T, own.T)):
        lowest, highest = rank_bounds(scores, right, error)
        ranks = found[f"{direction}/rank"]
        assert (lowest <= ranks).all()
        assert (ranks <= highest).all()
        assert (highest - lowest).mean() < 0.5, "bounds that say nothing"


def test_means_are_over_the_queries_that_have_a_value():
    truth = RetrievalTruth.from_counts([1, 1, 1])
    similarity = np.array([[3.0, 2.0, 1.0], [1.0, 3.0, 2.0], [3.0, 1.0, 2.0]])
    relevance = np.array([[1.0, 0.5, 0.0], [np.nan, np.nan, np.nan], [0.0, 0.0, 0.0]])
    metrics = evaluate_similarity(similarity, truth, relevance=relevance, tau_at=2)
    assert metrics["image_to_text/tau_b"] == pytest.approx(1)
    assert metrics["image_to_text/tau_b_queries"] == 1
    assert metrics["image_to_text/ndcg_queries"] == 1
    assert metrics["image_to_text/recall@1"] == pytest.approx(200 / 3)
    results = per_query_similarity(similarity, truth, relevance=relevance, tau_at=2)
    for name in ("ndcg", "ndcg@10", "tau_b", "tau_b@2"):
        means = [np.nanmean(results[f"{d}/{name}"]) for d in ("image_to_text", "text_to_image")]
        assert metrics[name] == pytest.approx(np.mean(means), nan_ok=True)


def test_a_mean_over_nothing_is_nan():
    metrics = evaluate_similarity(np.eye(2), RetrievalTruth.from_counts([1, 1]), relevance=np.full((2, 2), np.nan))
    assert np.isnan(metrics["tau_b"])
    assert np.isnan(metrics["image_to_text/ndcg"])
    assert metrics["text_to_image/tau_b_queries"] == 0


def test_coco_1k_is_the_mean_of_five_folds():
    random = np.random.default_rng(13)
    images = random.standard_normal((5000, 6))
    noise = np.repeat([0.1, 0.4, 0.7, 1.0, 2.0], 1000)[:, None]  # each fold harder than the last
    captions = images + noise * random.standard_normal((5000, 6))
    metrics = evaluate(images, captions, RetrievalTruth.from_counts([1] * 5000), protocol="coco-1k")
    truth = RetrievalTruth.from_counts([1] * 1000)
    parts = [evaluate(images[k : k + 1000], captions[k : k + 1000], truth) for k in range(0, 5000, 1000)]
    for name in ("rsum", "image_to_text/recall@1", "text_to_image/median_rank", "image_to_text/mrr", "map@r"):
        assert metrics[name] == pytest.approx(np.mean([part[name] for part in parts]))
    assert metrics["image_to_text/queries"] == 5000
    assert len({part["rsum"] for part in parts}) == 5


def test_only_the_first_fold_is_graded():
    relevance = np.full((5000, 5000), np.nan, dtype=np.float32)
    relevance[:2, :3] = [[1, 0, 0.5], [0.25, 1, 0]]
    identity = np.random.default_rng(14).standard_normal((5000, 4))
    metrics = evaluate(
        identity, identity, RetrievalTruth.from_counts([1] * 5000), protocol="coco-1k", relevance=relevance
    )
    assert metrics["image_to_text/ndcg_queries"] == 2
    assert 0.5 < metrics["image_to_text/ndcg"] <= 1


def test_names_without_and_with_relevance():
    truth = RetrievalTruth.from_counts([1] * 3)
    plain = evaluate_similarity(np.eye(3), truth)
    graded = evaluate_similarity(np.eye(3), truth, relevance=np.eye(3), ndcg_at=5, tau_at=2)
    added = {"ndcg@5", "ndcg", "tau_b", "tau_b@2"}
    assert {name for name in graded if "/" not in name} == {"rsum", "map@r", "r_precision"} | added
    assert {name for name in plain if "/" not in name} == {"rsum", "map@r", "r_precision"}
    assert not any("ndcg" in name or "tau" in name for name in plain)
    assert all(type(value) is float for value in graded.values())


def test_wrong_numbers_of_rows_are_refused():
    with pytest.raises(InputError, match="caption_embeddings has 3 rows; the truth has 2 captions"):
        evaluate(np.eye(3), np.eye(3), RetrievalTruth(np.array([0, 1]), images=3))
