"""Every public function with nasty numbers and texts: the result of the clean equivalent, or InputError."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import bcls
from bcls import CaptionRelevance, CiderScorer, RetrievalTruth, TfidfScorer, evaluate
from bcls.errors import BCLSError
from bcls.evaluation import (
    CosineSimilarity,
    agreement,
    evaluate_similarity,
    holm,
    kendall_tau_b,
    ndcg,
    per_query_similarity,
    positive_ranks,
    recall_at,
    top_candidates,
)
from bcls.relevance import DenseEncodings
from bcls.search import Filter, MemoryIndex, Record
from nasty import LEAVES, MORE

LOSSES = sorted(name for name in bcls.__all__ if name.endswith("Loss"))
NUMBERS = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, 5e-324, 1e-40, 1e30, 1e38, 1e300, -1e300]),
    st.sampled_from([float("nan"), float("inf"), -float("inf")]),
    st.floats(-1, 1),
)
TAME = st.floats(-1, 1, width=32)
QUICK = settings(deadline=None, max_examples=60 * MORE, suppress_health_check=list(HealthCheck))


def outcome(call: Any) -> Any:
    """What a call returns, or None where it refuses; any other exception and any warning fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return call()
        except BCLSError:
            return None


def matrices(rows: int, columns: int, numbers: st.SearchStrategy[float] = NUMBERS) -> st.SearchStrategy[Any]:
    return arrays.arrays(np.float64, (rows, columns), elements=numbers)


@given(similarity=matrices(4, 5), relevance=matrices(4, 5), single=st.booleans())
@QUICK
def test_metrics_are_in_their_range_or_the_numbers_refused(similarity, relevance, single):
    truth = RetrievalTruth(np.array([0, 0, 1, 3, -1]), 4)
    if single:
        with np.errstate(all="ignore"):
            similarity, relevance = similarity.astype(np.float32), relevance.astype(np.float32)
    before = similarity.copy(), relevance.copy()
    metrics = outcome(lambda: evaluate_similarity(similarity, truth, relevance=relevance))
    asked = np.ones((4, 5), bool)
    asked[2, 4] = False  # an image without caption and a caption without image: neither is a query
    with np.errstate(all="ignore"):
        used = relevance.astype(np.float32)[asked]  # relevance is used in single precision
    if not np.isfinite(similarity[asked]).all() or (used < 0).any() or (used > 1).any():
        assert metrics is None
    if metrics is not None:
        for name, value in metrics.items():
            lowest, highest = _range(name)
            assert np.isnan(value) or lowest <= value <= highest, name
    np.testing.assert_array_equal(similarity, before[0])
    np.testing.assert_array_equal(relevance, before[1])


def _range(name: str) -> tuple[float, float]:
    if "tau" in name and "queries" not in name:
        return -1, 1
    if name == "rsum":
        return 0, 600
    return 0, 1 if "ndcg" in name and "queries" not in name else 100


@given(similarity=matrices(4, 4, st.floats(-1, 1)), scale=st.sampled_from([1e-300, 1e-30, 1.0, 1e30, 1e290]))
@QUICK
def test_a_scale_changes_no_rank(similarity, scale):
    truth = RetrievalTruth.from_counts([1] * 4)
    similarity = np.round(similarity, 3)
    clean = per_query_similarity(similarity, truth)
    found = outcome(lambda: per_query_similarity(similarity * scale, truth))
    assert found is not None
    for name, values in clean.items():
        np.testing.assert_array_equal(found[name], values)


@given(images=matrices(3, 2), captions=matrices(4, 2))
@QUICK
def test_embeddings_of_any_length_have_a_direction_or_are_refused(images, captions):
    truth = RetrievalTruth(np.array([0, 0, 1, 2]), 3)
    metrics = outcome(lambda: evaluate(images, captions, truth))
    every = np.concatenate([images, captions])
    if not np.isfinite(every).all() or not every.any(axis=1).all():
        assert metrics is None
    elif metrics is not None:
        scaled = [part / abs(part).max(axis=1, keepdims=True) for part in (images, captions)]
        assert metrics == evaluate(*scaled, truth)


@given(vectors=matrices(4, 3), query=matrices(1, 3))
@QUICK
def test_searches_find_the_nearest_or_refuse(vectors, query):
    index = MemoryIndex(None, dim=3, model="m", fields={})
    records = [Record(str(row), vector, {}) for row, vector in enumerate(vectors)]
    if outcome(lambda: index.add(records)) is None:
        assert index.count() == 0
        return
    hits = outcome(lambda: index.search(query, 4))
    if hits is None:
        assert not np.isfinite(query).all() or not query.any()
        return
    assert sorted(hit.id for hit in hits[0]) == ["0", "1", "2", "3"]
    scores = [hit.score for hit in hits[0]]
    assert scores == sorted(scores, reverse=True)
    assert all(abs(score) <= 1 + 1e-6 for score in scores)


FUNCTIONS: dict[str, Any] = {
    "kendall_tau_b": kendall_tau_b,
    "ndcg": ndcg,
    "recall_at": lambda a, _: recall_at(a[0], 2),
    "holm": lambda a, _: holm(a[0]),
    "agreement": lambda a, b: agreement(a[0], b[0]),
    "top_candidates": lambda a, _: top_candidates(a, RetrievalTruth.from_counts([1, 1, 1]), "image_to_text", 2),
    "positive_ranks": lambda a, _: positive_ranks(a, np.arange(3), np.arange(3)),
    "CosineSimilarity": lambda a, b: CosineSimilarity(a, b)(np.arange(3), np.arange(3)),
    "CaptionRelevance": lambda a, _: CaptionRelevance(DenseEncodings(a), np.arange(3)).matrix(
        np.arange(3), np.arange(3)
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(first=matrices(3, 3), second=matrices(3, 3))
@QUICK
def test_functions_of_numbers_raise_nothing_else(name, first, second):
    outcome(lambda: FUNCTIONS[name](first, second))


@pytest.mark.parametrize("name", FUNCTIONS)
@given(first=st.sampled_from(LEAVES), second=st.sampled_from(LEAVES))
@QUICK
def test_functions_of_numbers_refuse_what_is_none(name, first, second):
    outcome(lambda: FUNCTIONS[name]([first] * 3, [second] * 3))
    outcome(lambda: FUNCTIONS[name]([[first] * 3] * 3, [[second] * 3] * 3))


@pytest.mark.parametrize("name", LOSSES)
@given(similarity=matrices(4, 4), relevance=matrices(4, 4), single=st.sampled_from([torch.float16, torch.float32]))
@settings(QUICK, max_examples=40 * MORE)
def test_losses_refuse_or_give_one_number_and_change_nothing(name, similarity, relevance, single):
    loss = getattr(bcls, name)()
    with np.errstate(all="ignore"):
        scores = torch.from_numpy(similarity).to(single).requires_grad_()
        labels = torch.from_numpy(np.clip(relevance, 0, 1)).float()
    before = scores.detach().clone(), labels.clone()
    graded = "relevance" in inspect.signature(loss.forward).parameters
    value = outcome(lambda: loss(scores, labels) if graded else loss(scores))
    assert torch.equal(torch.nan_to_num(scores.detach()), torch.nan_to_num(before[0]))
    assert torch.equal(torch.nan_to_num(labels), torch.nan_to_num(before[1]))
    if value is not None:
        assert value.shape == ()
        if bool((scores.detach().abs() <= 1).all()):
            value.backward()
            assert bool(torch.isfinite(value))
            assert bool(torch.isfinite(scores.grad).all())


TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "\0",
            "a\nb",
            "a dog",
            "A DOG",
            "\u0430 dog",
            "狗",
            "🐶",
            "e\u0301",
            "ﬁ",
            "x" * 3000,
            "a " * 400,
            "\ufeff",
            "\u202e",
        ]
    ),
    st.text(max_size=12),
)


@pytest.mark.parametrize("make", [CiderScorer, TfidfScorer])
@given(fitted=st.lists(TEXTS, max_size=5), captions=st.lists(TEXTS, max_size=4))
@QUICK
def test_scorers_give_a_similarity_of_every_text(make, fitted, captions):
    scorer = outcome(lambda: make().fit(fitted))
    if scorer is None:
        return
    found = outcome(lambda: scorer.similarity(captions, captions))
    assert found is not None
    assert found.shape == (len(captions), len(captions))
    assert bool(((found >= 0) & (found <= 1 + 1e-6)).all())


@pytest.mark.parametrize("make", [CiderScorer, TfidfScorer])
@given(captions=st.lists(st.sampled_from([*LEAVES, "a dog"]), max_size=3) | st.sampled_from(LEAVES))
@QUICK
def test_scorers_refuse_what_is_no_list_of_texts(make, captions):
    scorer = make().fit(["a dog", "a cat"])
    texts = isinstance(captions, list) and all(isinstance(text, str) for text in captions)
    for call in (lambda: make().fit(captions), lambda: scorer.similarity(captions, ["a dog"])):
        found = outcome(call)
        assert texts or found is None
    if texts:
        assert outcome(lambda: len(scorer.encode(captions))) == len(captions)


@given(values=st.lists(st.sampled_from(LEAVES), max_size=4), count=st.sampled_from(LEAVES))
@QUICK
def test_truths_refuse_what_is_no_row(values, count):
    rows = outcome(lambda: RetrievalTruth(values, 4))
    whole = [value for value in values if type(value) is int and -1 <= value < 4]
    if rows is not None:
        assert rows.caption_image.tolist() == whole == values
    outcome(lambda: RetrievalTruth(np.array([0]), count))
    outcome(lambda: RetrievalTruth.from_counts([value for value in values if value != 2**31]))  # 16 GB
    outcome(lambda: RetrievalTruth.from_ids(values, values[:1]))


@given(text=st.one_of(st.sampled_from([leaf for leaf in LEAVES if isinstance(leaf, str)]), st.text(max_size=12)))
@QUICK
def test_filters_of_any_text_are_parsed_or_refused(text):
    for words in (text, f"kind={text}", f"{text}=a", f"kind~{text}", f"size>{text}"):
        where = outcome(lambda words=words: Filter.parse(words))
        if where is not None:
            index = MemoryIndex(None, dim=1, model="m", fields={"kind": "str", "size": "int"})
            outcome(lambda where=where, index=index: index.count(where))
