"""Every loss of docs/losses.md, computed from the words of that page by loops."""

from __future__ import annotations

import inspect
import math
import re
from pathlib import Path

import pytest
import torch

from bcls.losses import (
    CoSENTLoss,
    InfoNCELoss,
    LadderLoss,
    LanguageMarginLoss,
    LogRatioLoss,
    SelectivelyHardLoss,
    SemanticMarginLoss,
    SigmoidLoss,
    SmoothNDCGLoss,
    SoftContrastLoss,
    TripletLoss,
)


def mean(terms) -> float:
    """The sum of the terms divided by their number, 0 where there is none."""
    terms = list(terms)
    return sum(terms) / len(terms) if terms else 0.0


def plus(x: float) -> float:
    return max(0.0, x)


def both(direction, similarity, relevance, positives) -> float:
    rows = direction(similarity.tolist(), relevance.tolist(), positives.tolist())
    columns = direction(similarity.T.tolist(), relevance.T.tolist(), positives.T.tolist())
    return (rows + columns) / 2


def per_pair(term):
    """The mean over all positive pairs of a direction of `term(s, r, p, N)`, lists of the query and indices.

    A term of None is no term.
    """

    def direction(similarity, relevance, positives):
        terms = []
        for s, r, labels in zip(similarity, relevance, positives, strict=True):
            negatives = [n for n, own in enumerate(labels) if not own]
            terms += [term(s, r, p, negatives) for p, own in enumerate(labels) if own]
        return mean(one for one in terms if one is not None)

    return direction


def per_query(term):
    """The mean over the queries of `term(s, r)`, lists of the candidates of known relevance; None is no term."""

    def direction(similarity, relevance, positives):
        terms = []
        for s, r in zip(similarity, relevance, strict=True):
            known = [a for a in range(len(r)) if not math.isnan(r[a])]
            terms.append(term([s[a] for a in known], [r[a] for a in known]))
        return mean(one for one in terms if one is not None)

    return direction


def soft(m=0.2, t=0.05):
    return per_pair(
        lambda s, r, p, negatives: t * math.log(1 + sum(math.exp((s[n] - s[p] + m) / t) for n in negatives))
    )


def hard(m=0.2):
    return per_pair(lambda s, r, p, negatives: plus(m + max(s[n] for n in negatives) - s[p]) if negatives else 0.0)


def semi_hard(m=0.2):
    def term(s, r, p, negatives):
        below = [s[n] for n in negatives if s[n] < s[p]]
        return plus(m + max(below) - s[p]) if below else 0.0

    return per_pair(term)


def every(m=0.2):
    return per_pair(lambda s, r, p, negatives: sum(plus(m + s[n] - s[p]) for n in negatives))


def selectively_hard(m=0.2, tolerance=0.01):
    def term(s, r, p, negatives):
        if not negatives:
            return 0.0
        h = max(s[n] for n in negatives)
        if abs(s[p] - h) < tolerance:
            return mean(plus(m + s[n] - s[p]) for n in negatives)
        return plus(m + h - s[p])

    return per_pair(term)


def infonce(t=0.05):
    return per_pair(lambda s, r, p, negatives: math.log(1 + sum(math.exp((s[n] - s[p]) / t) for n in negatives)))


def language_margin(m=0.2, h=0.2, t=0.02):
    def margin(r):
        return m * (1 - r) / (1 - h) if r >= h else m  # unknown: no comparison is true

    return per_pair(
        lambda s, r, p, negatives: math.log(1 + sum(math.exp((s[n] + margin(r[n]) - s[p]) / t) for n in negatives))
    )


def semantic_margin(divisor=4.0, sampling="all"):
    def term(s, r, p, negatives):
        if math.isnan(r[p]):
            return None
        known = [n for n in negatives if not math.isnan(r[n])]
        if sampling == "hard" and known:
            known = [max(known, key=lambda n: s[n])]
        return mean(plus(s[n] - s[p] + (r[p] - r[n]) / divisor) for n in known)

    return per_pair(term)


def cosent_term(scale):
    def term(s, r):
        ordered = [(a, b) for a in range(len(r)) for b in range(len(r)) if r[a] < r[b]]
        return math.log(1 + sum(math.exp(scale * (s[a] - s[b])) for a, b in ordered)) if ordered else None

    return term


def log_ratio(e=0.1):
    def term(s, r):
        far = [max(e, math.sqrt(max(0.0, 2 - 2 * one))) + e for one in s]
        labels = [1 - one + e for one in r]
        pairs = [(a, b) for a in range(len(s)) for b in range(len(s)) if a != b]
        squares = [(math.log(far[a] / far[b]) - math.log(labels[a] / labels[b])) ** 2 for a, b in pairs]
        return mean(squares) if pairs else None

    return per_query(term)


def smooth_ndcg(t=0.01):
    def term(s, r):
        ideal = sum((2**one - 1) / math.log2(1 + rank) for rank, one in enumerate(sorted(r, reverse=True), start=1))
        if ideal == 0:
            return None
        dcg = 0.0
        for a in range(len(s)):
            rank = 1 + sum(1 / (1 + math.exp((s[a] - s[b]) / t)) for b in range(len(s)) if b != a)
            dcg += (2 ** r[a] - 1) / math.log2(1 + rank)
        return 1 - dcg / ideal

    return per_query(term)


def rung(h, a):
    def term(s, r):
        near = [one for one, label in zip(s, r, strict=True) if label >= h]
        far = [one for one, label in zip(s, r, strict=True) if label < h]
        return plus(a + max(far) - min(near)) if near and far else None

    return per_query(term)


def soft_contrast(t=0.05, t_label=0.1):
    def softmax(logits):
        shares = [math.exp(one) for one in logits]
        return [one / sum(shares) for one in shares]

    def term(s, r):
        if not s:
            return None
        q, z = softmax([one / t_label for one in r]), softmax([one / t for one in s])
        return sum(a * math.log(a / b) for a, b in zip(q, z, strict=True))

    return per_query(term)


def section_of(page, heading):
    text = (Path(__file__).resolve().parents[2] / "docs" / page).read_text(encoding="utf-8")
    return text.split(f"## {heading}\n")[1].split("\n## ")[0]


LOSSES = (
    CoSENTLoss,
    InfoNCELoss,
    LadderLoss,
    LanguageMarginLoss,
    LogRatioLoss,
    SelectivelyHardLoss,
    SemanticMarginLoss,
    SigmoidLoss,
    SmoothNDCGLoss,
    SoftContrastLoss,
    TripletLoss,
)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_the_page_tells_every_default(loss):
    items = re.split(r"\n- ", section_of("losses.md", "The formulas in full"))
    (told,) = (item for item in items if re.match(rf"(?:The (?:graded term|rungs) of )?`{loss.__name__}`", item))
    defaults = {name: one.default for name, one in inspect.signature(loss).parameters.items()}
    assert defaults.pop("learnable_temperature", False) is False
    assert defaults.pop("validate") is True  # of every loss, in "The call"
    for name, value in defaults.items():
        shown = f"{value:g}".replace("-", "−") if isinstance(value, float) else str(value)
        assert shown in " ".join(told.split()), f"{name}={value}"


def none(similarity, relevance, positives):
    return 0.0


def check(loss, value, cases, *, relevance, positives):
    """The loss of every case is `value(case)`."""
    for seed, case in enumerate(cases):
        given = {}
        if relevance:
            given["relevance"] = torch.from_numpy(case.relevance)
        if positives:
            given["positives"] = torch.from_numpy(case.positives)
        with torch.no_grad():
            found = loss(torch.from_numpy(case.similarity), **given).item()
        assert found == pytest.approx(value(case), rel=1e-10, abs=1e-12), f"case {seed}"


@pytest.mark.parametrize(
    ("loss", "direction"),
    [
        (TripletLoss(), soft()),
        (TripletLoss(margin=0.0, temperature=0.3), soft(0.0, 0.3)),
        (TripletLoss(negatives="hard"), hard()),
        (TripletLoss(negatives="semi-hard"), semi_hard()),
        (TripletLoss(negatives="all", margin=0.4), every(0.4)),
        (SelectivelyHardLoss(), selectively_hard()),
        (SelectivelyHardLoss(tolerance=0.5, margin=0.1), selectively_hard(0.1, 0.5)),
        (InfoNCELoss(), infonce()),
        (InfoNCELoss(temperature=0.5), infonce(0.5)),
    ],
    ids=lambda value: repr(value) if isinstance(value, torch.nn.Module) else "",
)
def test_binary_losses(loss, direction, cases):
    check(loss, lambda case: both(direction, *case), cases, relevance=False, positives=True)


@pytest.mark.parametrize(
    ("loss", "direction"),
    [
        (CoSENTLoss(), per_query(cosent_term(20.0))),
        (CoSENTLoss(scale=10.0), per_query(cosent_term(10.0))),
        (LogRatioLoss(), log_ratio()),
        (LogRatioLoss(epsilon=0.7), log_ratio(0.7)),
    ],
    ids=lambda value: repr(value) if isinstance(value, torch.nn.Module) else "",
)
def test_graded_losses(loss, direction, cases):
    check(loss, lambda case: both(direction, *case), cases, relevance=True, positives=False)


def test_cosent_within_the_batch(cases):
    def one_query(case):
        rows = (case.similarity.reshape(1, -1).tolist(), case.relevance.reshape(1, -1).tolist())
        return per_query(cosent_term(20.0))(*rows, None)

    check(CoSENTLoss(within="batch"), one_query, cases, relevance=True, positives=False)


@pytest.mark.parametrize(
    ("loss", "binary", "graded", "weights"),
    [
        (SmoothNDCGLoss(), hard(), smooth_ndcg(), (0.5, 0.5)),
        (SmoothNDCGLoss(temperature=0.2, weight=0.9, negatives="soft"), soft(), smooth_ndcg(0.2), (0.1, 0.9)),
        (LadderLoss(), hard(), rung(0.4, 0.01), (1, 0.25)),
        (SemanticMarginLoss(), hard(), semantic_margin(), (1, 5)),
        (SemanticMarginLoss(sampling="hard", divisor=2.0, weight=1.0), hard(), semantic_margin(2.0, "hard"), (1, 1)),
        (SoftContrastLoss(), infonce(), soft_contrast(), (1, 0.5)),
        (
            SoftContrastLoss(temperature=0.2, label_temperature=0.5, weight=2.0),
            infonce(0.2),
            soft_contrast(0.2, 0.5),
            (1, 2),
        ),
        (LanguageMarginLoss(), language_margin(), none, (1, 0)),
        (LanguageMarginLoss(margin=0.4, threshold=0.6, temperature=0.1), language_margin(0.4, 0.6, 0.1), none, (1, 0)),
    ],
    ids=lambda value: repr(value) if isinstance(value, torch.nn.Module) else "",
)
def test_losses_of_both_kinds_of_labels(loss, binary, graded, weights, cases):
    def value(case):
        return weights[0] * both(binary, *case) + weights[1] * both(graded, *case)

    check(loss, value, cases, relevance=True, positives=True)


def test_every_rung_has_its_own_settings(cases):
    loss = LadderLoss(thresholds=(0.7, 0.3), margins=(0.1, 0.05), weights=(0.5, 2.0), margin=0.3)

    def value(case):
        rungs = 0.5 * both(rung(0.7, 0.1), *case) + 2.0 * both(rung(0.3, 0.05), *case)
        return both(hard(0.3), *case) + rungs

    check(loss, value, cases, relevance=True, positives=True)


@pytest.mark.parametrize(("scale", "bias"), [(10.0, -10.0), (3.0, 0.5)])
def test_sigmoid(scale, bias, cases):
    loss = SigmoidLoss() if scale == 10.0 else SigmoidLoss(initial_scale=scale, initial_bias=bias)
    for case in cases:
        total = 0.0
        for s, z in zip(case.similarity.ravel().tolist(), case.positives.ravel().tolist(), strict=True):
            total += math.log(1 + math.exp(-(1 if z else -1) * (scale * s + bias)))
        with torch.no_grad():
            found = loss(torch.from_numpy(case.similarity), positives=torch.from_numpy(case.positives)).item()
        # the learnt scale and bias are float32
        assert found == pytest.approx(total / len(case.similarity), rel=1e-6)
