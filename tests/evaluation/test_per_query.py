"""Every query's result, against loops in the field's way, and what must not change it."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau
from sklearn.metrics import ndcg_score

from bcls.errors import InputError
from bcls.evaluation import (
    CosineSimilarity,
    RetrievalTruth,
    evaluate,
    per_query,
    per_query_similarity,
    summarise,
)
from bcls.evaluation import similarity as similarity_module


def naive(similarity, caption_image, relevance):
    """One query after the other: sort its candidates and look."""
    images = similarity.shape[0]
    own = np.asarray(caption_image) == np.arange(images)[:, None]
    results = {}
    for direction, scores, positives, labels in (
        ("image_to_text", similarity, own, relevance),
        ("text_to_image", similarity.T, own.T, relevance.T),
    ):
        for query, (row, match, label) in enumerate(zip(scores, positives, labels, strict=True)):
            if not match.any():
                continue
            found = match[np.argsort(-row)]
            count, order = int(match.sum()), np.argsort(-row)
            values = {
                "rank": 1 + int(np.flatnonzero(found)[0]),
                "map@r": 100 * sum(found[: r + 1].mean() * found[r] for r in range(count)) / count,
                "r_precision": 100 * found[:count].mean(),
                "ndcg@10": ndcg_score([2**label - 1], [row], k=10),
                "ndcg": ndcg_score([2**label - 1], [row]),
                "tau_b": kendalltau(row, label).statistic,
                "tau_b@7": kendalltau(row[order[:7]], label[order[:7]]).statistic,
            }
            for name, value in values.items():
                results.setdefault(f"{direction}/{name}", np.full(len(scores), np.nan))[query] = value
    return results


@pytest.fixture(scope="module")
def ragged():
    """Images with no, one and many captions, in no order; two captions without image; no ties."""
    random = np.random.default_rng(10)
    caption_image = random.permutation([0] * 7 + [1, 2, 2, 2, 5, 5, 6, 8, 9, 9, 9, 9, 10, -1, -1])
    similarity = random.permutation(12 * caption_image.size).reshape(12, -1) / 100
    similarity = similarity + 0.9 * (caption_image == np.arange(12)[:, None])
    relevance = np.round(random.random(similarity.shape) * 32) / 32
    return similarity, caption_image, relevance


def test_it_is_what_the_field_computes(ragged):
    similarity, caption_image, relevance = ragged
    expected = naive(similarity, caption_image, relevance)
    results = per_query_similarity(similarity, RetrievalTruth(caption_image, 12), relevance=relevance, tau_at=7)
    assert results.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(results[key], values, atol=1e-10, err_msg=key)
    assert np.isnan(results["image_to_text/rank"][[3, 4, 7, 11]]).all()


@pytest.mark.parametrize("ties", ["worst", "expected"])
@pytest.mark.parametrize("block", [1, 2, 5, 100])
def test_the_size_of_a_block_changes_nothing(block, ties):
    random = np.random.default_rng(11)
    truth = RetrievalTruth(random.integers(-1, 9, 37), images=9)
    images, captions = random.standard_normal((9, 33)), random.standard_normal((37, 33))
    captions[20:30] = captions[3]
    images[4] = images[5]
    relevance = np.where(random.random((9, 37)) < 0.2, np.nan, random.random((9, 37)))
    settings_ = {"relevance": relevance, "ties": ties, "tau_at": 8}
    whole = per_query_similarity(CosineSimilarity(images, captions), truth, **settings_)
    cut = per_query_similarity(CosineSimilarity(images, captions), truth, block=block, **settings_)
    for key, values in whole.items():
        np.testing.assert_array_equal(cut[key], values, err_msg=key)


@given(st.integers(0, 10_000), st.sampled_from(["worst", "expected"]))
@settings(deadline=None, max_examples=30)
def test_the_order_of_rows_and_a_rising_transform_change_nothing(seed, ties):
    random = np.random.default_rng(seed)
    caption_image = np.append(random.integers(-1, 6, 13), 0)
    similarity = random.integers(-4, 5, (6, 14)) / 2
    relevance = np.where(random.random((6, 14)) < 0.1, np.nan, random.integers(0, 5, (6, 14)) / 4)
    results = per_query_similarity(
        similarity, RetrievalTruth(caption_image, 6), relevance=relevance, ties=ties, tau_at=50
    )
    # tau of the whole list only: which of tied candidates make the top is a matter of relevance, not of the order
    images, captions = random.permutation(6), random.permutation(14)
    moved = per_query_similarity(
        np.exp(similarity)[np.ix_(images, captions)] + 3,
        RetrievalTruth(np.append(np.argsort(images), -1)[caption_image[captions]], 6),
        relevance=relevance[np.ix_(images, captions)],
        ties=ties,
        tau_at=50,
    )
    for key, values in results.items():
        order = images if key.startswith("image") else captions
        np.testing.assert_allclose(moved[key], values[order], atol=1e-12, err_msg=key)


def test_no_block_holds_more_scores_than_allowed(monkeypatch):
    monkeypatch.setattr(similarity_module, "BLOCK_SCORES", 60)
    asked = []

    def ask(images, captions):
        asked.append(images.size * captions.size)
        return np.equal.outer(images, captions) * 1.0

    truth = RetrievalTruth.from_counts([1] * 20)
    per_query_similarity(ask, truth)
    assert max(asked) == 60
    assert sum(asked) == 20 * 20 + (6 * 3 * 3 + 2 * 2)  # every pair once, and the positives of each block beforehand
    asked.clear()
    per_query_similarity(ask, truth, relevance=np.eye(20))
    assert max(asked) == 60
    assert sum(asked) == 2 * 20 * 20


def test_one_image_and_one_caption():
    results = per_query_similarity([[0.3]], RetrievalTruth.from_counts([1]), relevance=[[1.0]])
    for direction in ("image_to_text", "text_to_image"):
        assert results[f"{direction}/rank"] == [1]
        assert results[f"{direction}/map@r"] == [100]
        assert results[f"{direction}/ndcg"] == [1]
        assert np.isnan(results[f"{direction}/tau_b"])


def test_a_fold_has_its_own_candidates():
    truth = RetrievalTruth.from_counts([1] * 5000)
    angle = np.tile(np.arange(1000), 5) * 1e-3  # every fold looks alike
    embeddings = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    within = per_query_similarity(CosineSimilarity(embeddings, embeddings), truth, protocol="coco-1k")
    whole = per_query_similarity(CosineSimilarity(embeddings, embeddings), truth, protocol="coco-5k")
    assert (within["image_to_text/rank"] == 1).all()
    assert (whole["image_to_text/rank"] == 5).all()  # the other folds' twins tie, and come first


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"ties": "luck"}, "ties='luck'"),
        ({"block": 0}, "block=0"),
        ({"ndcg_at": 0}, "ndcg_at=0"),
        ({"tau_at": -1}, "tau_at=-1"),
        ({"protocol": "imagenet"}, "there is no protocol 'imagenet'"),
    ],
)
def test_a_wrong_setting_is_refused(settings_, message):
    with pytest.raises(InputError, match=message):
        per_query_similarity(np.eye(2), RetrievalTruth.from_counts([1, 1]), **settings_)


EMBEDDINGS = ([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]], [[1.0, 0.2], [0.9, 3.0], [0.5, 0.4], [-1.0, 0.3]])


@pytest.mark.parametrize("function", ["cosine", "dot"])
def test_it_takes_what_evaluate_takes(function):
    truth = RetrievalTruth.from_counts([1, 2, 1])
    options = {
        "similarity_function": function,
        "relevance": np.arange(12).reshape(3, 4) / 12,
        "ties": "expected",
        "tau_at": 7,
    }
    results = per_query(*EMBEDDINGS, truth, **options)
    assert summarise(results, truth) == evaluate(*EMBEDDINGS, truth, **options)
    mine, theirs = inspect.signature(per_query).parameters, inspect.signature(evaluate).parameters
    assert [(one.name, one.default, one.kind) for one in mine.values()] == [
        (one.name, one.default, one.kind) for one in theirs.values()
    ]


def test_the_call_of_release_0_1_works_and_warns():
    truth = RetrievalTruth.from_counts([1, 2, 1])
    similarity = CosineSimilarity(*EMBEDDINGS)
    expected = per_query(*EMBEDDINGS, truth, tau_at=7)
    for words, named in [
        ((similarity, truth), {}),
        ((similarity,), {"truth": truth}),
        ((), {"similarity": similarity, "truth": truth}),
    ]:
        with pytest.warns(DeprecationWarning, match="call per_query_similarity"):
            results = per_query(*words, **named, tau_at=7)
        for name, values in expected.items():
            np.testing.assert_array_equal(results[name], values)
