"""Every public entry that takes arrays, with every kind of array: the result of the plain array, or InputError."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import bcls
from array_kinds import MISSING, ROWS_ONLY, SAME, UNUSABLE, WHOLE
from bcls import CaptionRelevance, RetrievalTruth, evaluate
from bcls.data import UniqueImageBatchSampler
from bcls.data.features import FeatureStore, half_precision
from bcls.errors import InputError
from bcls.evaluation import (
    CosineSimilarity,
    KeptSimilarity,
    MeanSimilarity,
    agreement,
    evaluate_similarity,
    holm,
    kendall_tau_b,
    ndcg,
    per_query_reranked,
    per_query_similarity,
    positive_ranks,
    rank_summary,
    recall_at,
    top_candidates,
)
from bcls.evaluation.query_metrics import query_values
from bcls.evaluation.similarity import MatrixSource
from bcls.integrations.sentence_transformers import GradedRetrievalLoss
from bcls.integrations.torchmetrics import RetrievalMetrics
from bcls.relevance import Calibration, CiderScorer, DenseEncodings, NoisyRelevance, TableRelevance
from bcls.search.records import Record, check_records, check_vectors

Entry = Callable[[Any], Any]

TRUTH = RetrievalTruth.from_counts([1, 1, 1, 1])
EMBEDDINGS = np.array([[0.5, 1.0, 0.25], [1.0, 0.5, 0.0], [0.25, 0.0, 1.0], [0.75, 0.5, 0.5]])
SCORES = np.array([[1.0, 0.5, 0.25, 0.0], [0.0, 0.5, 0.75, 0.25], [0.5, 0.0, 1.0, 0.75], [0.25, 0.75, 0.5, 1.0]])
LABELS = np.array([[1.0, 0.25, 0.5, 0.0], [0.5, 1.0, 0.0, 0.75], [0.25, 0.5, 1.0, 0.0], [0.75, 0.0, 0.25, 1.0]])
COUNTS = np.array([1.0, 2.0, 4.0, 3.0])
SHARES = np.array([0.5, 0.25, 1.0, 0.75])
ROWS = np.arange(4)


class Held:
    """Somebody else's relevance, or similarity, that gives out whatever it holds."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def matrix(self, images: Any, captions: Any) -> Any:
        return self.values

    def __call__(self, images: Any, captions: Any) -> Any:
        return self.values


def graded_loss(values: Any) -> Any:
    loss = GradedRetrievalLoss(torch.nn.Identity(), Held(values), ROWS)
    return loss.compute_loss_from_embeddings([torch.from_numpy(EMBEDDINGS).float()] * 2, torch.arange(4))


MATRICES: dict[str, tuple[np.ndarray, Entry]] = {
    "evaluate: images": (EMBEDDINGS, lambda x: evaluate(x, EMBEDDINGS[::-1], TRUTH)),
    "evaluate: captions": (EMBEDDINGS, lambda x: evaluate(EMBEDDINGS[::-1], x, TRUTH)),
    "evaluate: relevance": (LABELS, lambda x: evaluate(EMBEDDINGS, EMBEDDINGS, TRUTH, relevance=x)),
    "CosineSimilarity": (EMBEDDINGS, lambda x: CosineSimilarity(x, EMBEDDINGS)(ROWS, ROWS)),
    "evaluate_similarity": (SCORES, lambda x: evaluate_similarity(x, TRUTH, relevance=LABELS)),
    "evaluate_similarity: relevance": (LABELS, lambda x: evaluate_similarity(SCORES, TRUTH, relevance=x)),
    "evaluate_similarity: a function": (SCORES, lambda x: evaluate_similarity(Held(x), TRUTH, block=4)),
    "evaluate_similarity: a source": (LABELS, lambda x: evaluate_similarity(SCORES, TRUTH, relevance=Held(x))),
    "per_query": (SCORES, lambda x: per_query_similarity(x, TRUTH, relevance=LABELS)),
    "per_query: relevance": (LABELS, lambda x: per_query_similarity(SCORES, TRUTH, relevance=x)),
    "per_query_reranked": (
        LABELS,
        lambda x: per_query_reranked(SCORES, MatrixSource(SCORES.T.copy()), TRUTH, top=2, relevance=x),
    ),
    "top_candidates": (SCORES, lambda x: top_candidates(x, TRUTH, "image_to_text", 2)),
    "KeptSimilarity": (SCORES, lambda x: KeptSimilarity(Held(x), 4, 4)(ROWS, ROWS)),
    "MeanSimilarity": (SCORES, lambda x: MeanSimilarity([Held(x), MatrixSource(SCORES)])(ROWS, ROWS)),
    "kendall_tau_b: scores": (SCORES, lambda x: kendall_tau_b(x, LABELS)),
    "kendall_tau_b: relevance": (LABELS, lambda x: kendall_tau_b(SCORES, x)),
    "ndcg: scores": (SCORES, lambda x: ndcg(x, LABELS)),
    "ndcg: relevance": (LABELS, lambda x: ndcg(SCORES, x)),
    "positive_ranks": (SCORES, lambda x: positive_ranks(x, ROWS, ROWS).rank),
    "DenseEncodings": (LABELS, lambda x: DenseEncodings(x).similarity(ROWS, ROWS)),
    "Calibration": (LABELS, Calibration((0.0, 1.0), (0.0, 0.5), {}, "here", 2)),
    "loss for sentence-transformers": (LABELS, graded_loss),
    "index: queries": (EMBEDDINGS, lambda x: check_vectors(x, 3, "queries")),
    "features": (EMBEDDINGS, half_precision),
}
LISTS: dict[str, tuple[np.ndarray, Entry]] = {
    "recall_at": (COUNTS, lambda x: recall_at(x, 2)),
    "rank_summary": (COUNTS, rank_summary),
    "holm": (SHARES, holm),
    "agreement: similarity": (SHARES, lambda x: agreement(x, COUNTS)),
    "agreement: grades": (COUNTS, lambda x: agreement(SHARES, x)),
    "Calibration.fit: values": (SHARES, lambda x: Calibration.fit(x, SHARES, CiderScorer())),
    "Calibration.fit: ratings": (SHARES, lambda x: Calibration.fit(COUNTS, x, CiderScorer())),
    "query_values": (COUNTS, lambda x: query_values({"image_to_text/ndcg": x}, "image_to_text/ndcg", TRUTH, "a")),
    "index: a record": (SHARES, lambda x: check_records([Record("a", x, {})], {}, 4)),
}
INTEGERS: dict[str, Entry] = {
    "RetrievalTruth": lambda x: RetrievalTruth(x, 4).caption_image,
    "RetrievalTruth.from_counts": lambda x: RetrievalTruth.from_counts(x).caption_image,
    "positive_ranks: query": lambda x: positive_ranks(SCORES, x, ROWS).rank,
    "positive_ranks: candidate": lambda x: positive_ranks(SCORES, ROWS, x).rank,
    "CaptionRelevance": lambda x: CaptionRelevance(DenseEncodings(LABELS), x).matrix(ROWS, ROWS),
    "CaptionRelevance.matrix: images": lambda x: CaptionRelevance(DenseEncodings(LABELS), ROWS).matrix(x, ROWS),
    "CaptionRelevance.matrix: captions": lambda x: CaptionRelevance(DenseEncodings(LABELS), ROWS).matrix(ROWS, x),
    "TableRelevance": lambda x: TableRelevance({(0, 1): 0.5}, 4, x).matrix(ROWS, ROWS),
    "TableRelevance.matrix": lambda x: TableRelevance({(0, 1): 0.5}, 4, ROWS).matrix(x, ROWS),
    "NoisyRelevance": lambda x: NoisyRelevance(Held(LABELS.copy()), x, share=0.0, seed=0).matrix(ROWS, ROWS),
    "NoisyRelevance.matrix": lambda x: NoisyRelevance(Held(LABELS.copy()), ROWS, share=0.0, seed=0).matrix(x, ROWS),
    "sampler": lambda x: list(UniqueImageBatchSampler(x, 2)),
    "features": lambda x: FeatureStore([EMBEDDINGS], list("abcd"), "here").gather(x),
    "torchmetrics": lambda x: RetrievalMetrics(TRUTH).update(torch.eye(4), torch.eye(4), caption_rows=x),
    "loss for sentence-transformers": lambda x: GradedRetrievalLoss(torch.nn.Identity(), Held(1), x).caption_image,
}
WHOLE_ROWS = np.array([3, 1, 0, 2])


def outcome(entry: Entry, values: Any) -> Any:
    """The result as nested lists, or that it was refused. Nothing else may come out."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=UserWarning, message=".*MaskedTensor.*")
        try:
            found = entry(values)
        except InputError:
            return "refused"
    return _plain(found)


def _plain(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _plain(value) for name, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [_plain(value) for value in found]
    if isinstance(found, torch.Tensor):
        return repr(found.detach().tolist())
    return repr(found.tolist()) if isinstance(found, np.ndarray) else repr(found)  # NaN is NaN


def with_holes(values: np.ndarray) -> np.ndarray:
    holes = values.copy()
    holes[tuple(size // 2 for size in values.shape)] = np.nan
    return holes


def keys(*tables: dict[str, Any]) -> list[tuple[str, str]]:
    entries, kinds = tables
    return [(entry, kind) for entry in entries for kind in kinds]


FLOATS = MATRICES | LISTS
TAKEN = {entry: {"None"} for entry in FLOATS if entry.endswith(": relevance") and not entry.startswith(("k", "n"))}
TAKEN |= {"per_query_reranked": {"None"}, "Calibration": {"one more axis", "one number"}, "features": {"one more axis"}}
"""What is of use to an entry: None for no relevance, features and similarities of any number of axes."""


@pytest.mark.parametrize("entry", FLOATS)
def test_numbers_of_every_kind_give_the_result_of_the_plain_array(entry):
    values, call = FLOATS[entry]
    expected = outcome(call, values.astype(np.float32))
    doubles = outcome(call, values)
    assert "refused" not in {expected, doubles} if isinstance(expected, str) else expected != "refused"
    for kind, make in (SAME | (ROWS_ONLY if values.ndim == 2 else {})).items():
        found = outcome(call, make(values))
        assert found in (expected, doubles), kind  # an entry may keep double precision


@pytest.mark.parametrize("entry", FLOATS)
def test_whole_numbers_of_every_kind_are_not_wrapped(entry):
    values, call = FLOATS[entry]
    ones = (values >= np.median(values)).astype(np.float64)
    expected = outcome(call, ones)
    for kind, make in WHOLE.items():
        found = outcome(call, make(ones))
        assert found in (expected, "refused"), kind


@pytest.mark.parametrize("entry", FLOATS)
def test_what_is_missing_is_unknown_or_refused_as_nan_is(entry):
    values, call = FLOATS[entry]
    holes = with_holes(values)
    expected = outcome(call, holes), outcome(call, holes.astype(np.float32))
    for kind, make in MISSING.items():
        assert outcome(call, make(holes)) in expected, kind


@pytest.mark.parametrize("entry", FLOATS)
def test_what_is_no_array_of_real_numbers_is_refused(entry):
    values, call = FLOATS[entry]
    for kind, make in UNUSABLE.items():
        if kind == "ragged lists" and values.ndim == 1:
            continue
        given = make(values)
        if kind in TAKEN.get(entry, ()):
            continue
        assert outcome(call, given) == "refused", kind


@pytest.mark.parametrize("entry", INTEGERS)
def test_row_numbers_of_every_kind_give_the_result_of_the_plain_array(entry):
    call = INTEGERS[entry]
    expected = outcome(call, WHOLE_ROWS)
    assert expected != "refused"
    kinds: dict[str, Any] = {
        "list": WHOLE_ROWS.tolist(),
        "tuple": tuple(WHOLE_ROWS),
        "masked without a mask": np.ma.array(WHOLE_ROWS),
        "read-only": SAME["read-only"](WHOLE_ROWS),
        "negative strides": SAME["negative strides"](WHOLE_ROWS),
        "tensor": torch.from_numpy(WHOLE_ROWS),
        "uint8 tensor": torch.from_numpy(WHOLE_ROWS).to(torch.uint8),
        "object": WHOLE_ROWS.astype(object),
        "data frame": SAME["data frame"](WHOLE_ROWS),
        "nullable integers": WHOLE["nullable integers"](WHOLE_ROWS),
        "Arrow": SAME["Arrow"](WHOLE_ROWS),
        **{name: WHOLE_ROWS.astype(name) for name in ("uint8", "int16", ">i4", "uint64")},
    }
    for kind, given in kinds.items():
        assert outcome(call, given) == expected, kind


@pytest.mark.parametrize("entry", INTEGERS)
def test_row_numbers_that_are_none_are_refused(entry):
    call = INTEGERS[entry]
    kinds: dict[str, Any] = {
        "masked": np.ma.array(WHOLE_ROWS, mask=[False, True, False, False]),
        "None": [3, None, 0, 2],
        "nullable integers": WHOLE["nullable integers"](WHOLE_ROWS).shift(1),
        "floats": WHOLE_ROWS.astype(float),
        "fractions": WHOLE_ROWS + 0.5,
        "bool": WHOLE_ROWS > 0,
        "too large": np.array([3, 1, 0, 2**64 - 1], np.uint64),
        "matrix": np.matrix(WHOLE_ROWS),
        **{kind: make(WHOLE_ROWS.astype(float)) for kind, make in UNUSABLE.items()},
    }
    for kind, given in kinds.items():
        assert outcome(call, given) == "refused", kind


TENSORS: dict[str, Any] = {
    name: loss
    for name in bcls.losses.__all__
    if isinstance(loss := getattr(bcls.losses, name), type) and issubclass(loss, bcls.losses.RetrievalLoss)
    if name != "RetrievalLoss"
}


@pytest.mark.parametrize("name", TENSORS)
def test_every_loss_refuses_what_is_no_matrix_of_numbers(name):
    loss = TENSORS[name]()
    scores, labels = torch.from_numpy(SCORES), torch.from_numpy(LABELS)

    def call(similarity: Any, relevance: Any = labels, positives: Any = None) -> Any:
        return loss.combine(loss.terms(similarity, relevance, positives))

    assert outcome(call, scores) != "refused"
    wrong = {
        "NaN": with_holes(SCORES),
        "infinite": np.where(with_holes(SCORES) == SCORES, SCORES, np.inf),
    }
    for kind, given in wrong.items():
        assert outcome(call, torch.from_numpy(given)) == "refused", kind
    for kind, make in (SAME | ROWS_ONLY | WHOLE | MISSING | UNUSABLE).items():
        given = make(SCORES) if kind not in MISSING else make(with_holes(SCORES))
        plain = isinstance(given, torch.Tensor) and given.is_floating_point() and kind in SAME
        assert (outcome(call, given) == "refused") is not plain, kind
    if loss.uses_relevance:
        wrong = {"below": LABELS - 0.5, "above": LABELS + 0.5, "infinite": np.where(LABELS == 1, np.inf, LABELS)}
        for kind, given in wrong.items():
            assert outcome(lambda x: call(scores, x), torch.from_numpy(given)) == "refused", kind
        for kind, make in (WHOLE | MISSING | UNUSABLE).items():
            given = make(LABELS) if kind not in MISSING else make(with_holes(LABELS))
            if kind != "tensor of NaN":
                assert outcome(lambda x: call(scores, x), given) == "refused", kind
    if name not in {"KendallLoss", "CoSENTLoss", "LogRatioLoss"}:
        for kind, make in WHOLE.items():
            given = make(np.eye(4))
            assert (outcome(lambda x: call(scores, positives=x), given) == "refused") is (kind != "bool tensor"), kind


def test_a_table_in_another_order_is_refused():
    import pandas as pd

    ids, names = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"], ["a0", "b0", "c0", "d0"]
    truth = RetrievalTruth(ROWS, 4, image_ids=ids, caption_ids=names)
    frame = pd.DataFrame(LABELS, index=ids, columns=names)
    expected = evaluate_similarity(SCORES, truth, relevance=LABELS)
    assert evaluate_similarity(SCORES, truth, relevance=frame) == expected
    for other in (frame.iloc[::-1], frame.iloc[:, [1, 0, 2, 3]]):
        with pytest.raises(InputError, match=r"relevance: (row|column) 0 has the label '[bd]"):
            evaluate_similarity(SCORES, truth, relevance=other)
    with pytest.raises(InputError, match=r"similarity: row 0 has the label 3, but position 0 is that of 0"):
        evaluate_similarity(pd.DataFrame(SCORES).iloc[::-1], TRUTH)
    images = pd.DataFrame(EMBEDDINGS, index=ids)
    assert evaluate(images, EMBEDDINGS, truth) == evaluate(EMBEDDINGS, EMBEDDINGS, truth)
    with pytest.raises(InputError, match=r"image_embeddings: row 0 has the label 'd.jpg', but position 0 is that of"):
        evaluate(images.iloc[::-1], EMBEDDINGS, truth)
