"""The Kendall loss, SW-HS and BCLS of docs/method.md, computed from the words of that page by loops."""

from __future__ import annotations

import math

import pytest
import torch

from bcls.compiled.kernel import find_numba
from bcls.losses import BCLSLoss, KendallLoss

WINDOWS = (0.9, 0.35, 0.05, 1, 2, 3, 4, 5, 7, 20)


def width(window, n, form):
    least = 2 if form == "window" else 1
    w = max(least, math.floor(window * n)) if isinstance(window, float) else window
    if form in ("boundary", "stride"):
        return min(w, n - 1)
    return min(w, n) if form == "window" else w


def sides(form, p, w, n, labels, gap):
    """Positions of the more and the less relevant side of position p."""
    if form == "boundary":
        return range(p + 1), range(p + w, n)
    if form == "window":
        h = w // 2
        return range(p, p + h), range(p + w - h, p + w)
    if form == "stride":
        return [p], [p + w]
    return [p], [q for q in range(p + 1, min(p + w, n - 1) + 1) if labels[p] - labels[q] > gap]


def places(form, w, n):
    if form in ("boundary", "stride"):
        return range(n - w)
    return range(n - w + 1) if form == "window" else range(n)


def pairs_of_query(s, r, *, gap, form, window):
    """(similarity of the more relevant, of the less relevant) of every pair that counts."""
    known = [j for j in range(len(r)) if not math.isnan(r[j])]
    if form == "all":
        return [(s[a], s[b]) for a in known for b in known if r[a] - r[b] > gap]
    order = sorted(known, key=lambda j: (-r[j], j))
    scores, labels, n = [s[j] for j in order], [r[j] for j in order], len(order)
    if n < 2:
        return []
    w = width(window, n, form)
    found = []
    for p in places(form, w, n):
        more, less = sides(form, p, w, n, labels, gap)
        if not more or not less:
            continue
        least, most = min(scores[q] for q in more), max(scores[q] for q in less)
        a = [q for q in more if scores[q] == least][-1 if form == "boundary" else 0]
        b = next(q for q in less if scores[q] == most)
        if labels[a] - labels[b] > gap:
            found.append((scores[a], scores[b]))
    return found


def kendall(case, *, gap=0.15, margin=0.0, form="boundary", window=0.9):
    value = 0.0
    for similarity, relevance in ((case.similarity, case.relevance), (case.similarity.T, case.relevance.T)):
        found = []
        for s, r in zip(similarity.tolist(), relevance.tolist(), strict=True):
            found += pairs_of_query(s, r, gap=gap, form=form, window=window)
        value += sum(max(0.0, margin + b - a) for a, b in found) / len(found) / 2 if found else 0.0
    return value


def triplet_sn(case, m=0.2, t=0.05):
    value = 0.0
    for similarity, positives in ((case.similarity, case.positives), (case.similarity.T, case.positives.T)):
        terms = []
        for s, labels in zip(similarity.tolist(), positives.tolist(), strict=True):
            negatives = [one for one, own in zip(s, labels, strict=True) if not own]
            for score, own in zip(s, labels, strict=True):
                if own:
                    terms.append(t * math.log(1 + sum(math.exp((n - score + m) / t) for n in negatives)))
        value += sum(terms) / len(terms) / 2
    return value


def tensors(case):
    return tuple(map(torch.from_numpy, case))


ENGINES = ["torch", *["compiled"] * (find_numba() is not None)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("form", ["boundary", "window", "stride", "first", "all"])
def test_kendall(form, engine, cases):
    windows = {"all": WINDOWS[:1], "window": [one for one in WINDOWS if one != 1]}.get(form, WINDOWS)
    for seed, case in enumerate(cases):
        similarity, relevance, _ = tensors(case)
        for window in windows:
            for gap, margin in ((0.15, 0.05), (0.0, 0.0)):
                loss = KendallLoss(gap=gap, margin=margin, pairs=form, window=window, engine=engine)
                expected = kendall(case, gap=gap, margin=margin, form=form, window=window)
                found = loss(similarity, relevance).item()
                assert found == pytest.approx(expected, rel=1e-10, abs=1e-12), (seed, window, gap)


def test_the_defaults_are_those_of_the_page(cases):
    for case in cases:
        similarity, relevance, positives = tensors(case)
        assert KendallLoss()(similarity, relevance).item() == pytest.approx(kendall(case), rel=1e-10, abs=1e-12)
        expected = triplet_sn(case) + 0.5 * kendall(case)
        assert BCLSLoss()(similarity, relevance, positives).item() == pytest.approx(expected, rel=1e-10, abs=1e-12)
