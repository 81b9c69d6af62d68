"""The benchmarks on COCO of docs/metrics (CxC, ECCV Caption, PMRP), from the words of those pages by loops."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from bcls.evaluation import CosineSimilarity, RetrievalTruth, judge
from bcls.evaluation.judged.cxc import judge_cxc
from bcls.evaluation.judged.eccv import judge_eccv
from bcls.evaluation.judged.eccv_package import CocoJudgements
from bcls.evaluation.judged.pmrp_eccv import judge_pmrp_eccv
from bcls.evaluation.judged.sampled_spearman import sampled_spearman
from bcls.evaluation.judged.task import Task

SIDES = ("image_to_text", "text_to_image")


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else math.nan


def ranked(scores, right):
    """Candidates by falling score, of equal scores the wrong ones first."""
    return sorted(range(len(scores)), key=lambda j: (-scores[j], j in right))


def r_precision(scores, right, beyond=0):
    total = len(right) + beyond
    return sum(j in right for j in ranked(scores, right)[:total]) / total


def best_rank(scores, right):
    best = max(scores[j] for j in right)
    return 1 + sum(scores[j] >= best for j in range(len(scores)) if j not in right)


# CxC: ratings, and recall within one side


def mean_ranks(values):
    return [1 + sum(other < one for other in values) + (values.count(one) - 1) / 2 for one in values]


def spearman(one, other):
    one, other = mean_ranks(one), mean_ranks(other)
    middle = mean(one)
    products = sum((a - middle) * (b - middle) for a, b in zip(one, other, strict=True))
    squares = [sum((a - middle) ** 2 for a in part) for part in (one, other)]
    return products / math.sqrt(math.prod(squares)) if all(squares) else None


def resampled(scores, ratings, numbers, samples):
    random, queries, found = np.random.default_rng(0), sorted(set(numbers)), []
    pairs_of = {query: [p for p, number in enumerate(numbers) if number == query] for query in queries}
    for _ in range(samples):
        drawn = random.choice(len(queries), len(queries) // 2, replace=False)
        chosen = []
        for query, u in zip(drawn.tolist(), random.random(len(queries) // 2).tolist(), strict=True):
            pairs = pairs_of[queries[query]]
            chosen.append(pairs[math.floor(u * len(pairs))])
        found.append(spearman([scores[p] for p in chosen], [ratings[p] for p in chosen]))
    found = [value for value in found if value is not None]
    return mean(found), math.sqrt(mean((value - mean(found)) ** 2 for value in found))


@pytest.mark.parametrize("queries", [4, 5, 12])
def test_resampled_spearman(queries):
    random = np.random.default_rng(queries)
    numbers = [*range(100, 100 + queries), *(100 + random.integers(0, queries, 20)).tolist()]
    scores, ratings = random.random(len(numbers)).round(1).tolist(), random.integers(0, 6, len(numbers)).tolist()
    found = sampled_spearman(scores, ratings, numbers, samples=60)
    assert found[:2] == pytest.approx(resampled(scores, ratings, numbers, 60), rel=1e-9, abs=1e-12)
    assert found[2:] == (queries, len(numbers))


def cosine(one, other):
    norms = [math.sqrt(sum(x * x for x in part)) for part in (one, other)]
    return sum(x * y for x, y in zip(one, other, strict=True)) / math.prod(norms)


@pytest.fixture
def rated(tmp_path):
    """Eight images and 20 captions in space, the ratings of 60 pairs of each task, and their files."""
    random = np.random.default_rng(2)
    image_of = np.concatenate([np.arange(8), random.integers(0, 8, 12)])
    images, captions = random.normal(size=(8, 4)).round(1), random.normal(size=(20, 4)).round(1)
    captions[7] = 2 * captions[5]  # equal cosines
    names = {"image": [f"COCO_val2014_{n:012d}.jpg" for n in range(8)], "caption": [str(300 + n) for n in range(20)]}
    headers = {"sts": "caption1,caption2", "sis": "image1,image2", "sits": "caption,image"}
    sides = {"sts": ("caption", "caption"), "sis": ("image", "image"), "sits": ("caption", "image")}
    pairs, files = {}, {}
    for task, (left, right) in sides.items():
        drawn = [(int(random.integers(len(names[left]))), int(random.integers(len(names[right])))) for _ in range(60)]
        pairs[task] = [(a, b, float(random.integers(0, 11)) / 2) for a, b in drawn]
        rows = [f"{names[left][a]},{names[right][b]},{rating},x" for a, b, rating in pairs[task]]
        files[task] = tmp_path / f"{task}_val.csv"
        files[task].write_text("\n".join([f"{headers[task]},agg_score,sampling_method", *rows]) + "\n")
    truth = RetrievalTruth(image_of, 8, names["image"], names["caption"])
    return truth, {"image": images.tolist(), "caption": captions.tolist()}, sides, pairs, files


def test_cxc_ratings(rated):
    truth, units, sides, pairs, files = rated
    given = CosineSimilarity(np.array(units["image"]), np.array(units["caption"]))
    found = judge("cxc-ratings", given, truth, files=list(files.values()))
    expected = {}
    for task, (left, right) in sides.items():
        scores = [float(np.float32(cosine(units[left][a], units[right][b]))) for a, b, _ in pairs[task]]
        value, deviation = resampled(scores, [r for *_, r in pairs[task]], [a for a, *_ in pairs[task]], 1000)
        expected |= {f"{task}_spearman": 100 * value, f"{task}_spearman_deviation": 100 * deviation}
        expected |= {f"{task}_queries": len({a for a, *_ in pairs[task]}), f"{task}_pairs": 60}
    assert found == pytest.approx(expected, rel=1e-9)


def test_cxc_within(rated):
    truth, units, _, pairs, files = rated
    given = CosineSimilarity(np.array(units["image"]), np.array(units["caption"]))
    found = judge("cxc-within", given, truth, files=[files["sts"], files["sis"]])
    expected = {}
    for task, side, least, direction in (
        ("sts", "caption", 3, "text_to_text"),
        ("sis", "image", 2.5, "image_to_image"),
    ):
        items = units[side]
        right = {(a, b) for one, other, r in pairs[task] if r >= least for a, b in ((one, other), (other, one))}
        if task == "sts":
            own = truth.caption_image
            right |= {(a, b) for a in range(20) for b in range(20) if own[a] == own[b]}
        right = {(a, b) for a, b in right if a != b}
        ranks = []
        for query in sorted({a for a, _ in right}):
            others = [j for j in range(len(items)) if j != query]
            scores = [float(np.float32(cosine(items[query], items[j]))) for j in others]
            ranks.append(best_rank(scores, {others.index(j) for j in others if (query, j) in right}))
        expected |= {f"{direction}/recall@{k}": 100 * mean(rank <= k for rank in ranks) for k in (1, 5, 10)}
        expected |= {f"{direction}/queries": len(ranks), f"{direction}/positives": len(right)}
    assert found == pytest.approx(expected, rel=1e-12)


# ECCV Caption, CxC, PMRP

FOLDS = 5


@pytest.fixture(params=range(4))
def gallery(request, tmp_path):
    """Ten images with two captions each in the form of the package's files, positives at random, some elsewhere."""
    random = np.random.default_rng(request.param)
    images = (random.permutation(10) + 40).tolist()
    captions = [10 * image + more for image in images for more in (0, 1)]

    def some(ids, elsewhere):
        chosen = random.choice(ids, random.integers(1, 5), replace=False).tolist()
        return chosen + ([9999] if elsewhere and random.random() < 0.3 else [])

    judged = {
        "original": ({i: [10 * i, 10 * i + 1] for i in images}, {c: [c // 10] for c in captions}),
        "cxc": ({i: some(captions, False) for i in images[:7]}, {c: some(images, False) for c in captions[3:]}),
        "eccv": ({i: some(captions, True) for i in images[1:8]}, {c: some(images, True) for c in captions[::2]}),
    }
    for name, both in judged.items():
        for side, found in zip(("image_to_caption", "caption_to_image"), both, strict=True):
            (tmp_path / f"{name}_{side}.json").write_text(json.dumps(found))
    np.save(tmp_path / "coco_test_ids.npy", np.array(captions))
    similarity = random.uniform(-1, 1, (10, 20)).round(1)
    return CocoJudgements(tmp_path), images, captions, judged, similarity


def queries_of(both, images, captions, similarity):
    """For both directions, the scores, the places of the right answers and how many lie elsewhere, of each query."""
    for direction, found, asking, candidates, scores in (
        (SIDES[0], both[0], images, captions, similarity),
        (SIDES[1], both[1], captions, images, similarity.T),
    ):
        queries = []
        for query, ids in found.items():
            here = {candidates.index(one) for one in ids if one in candidates}
            queries.append((scores[asking.index(query)].tolist(), here, len(ids) - len(here)))
        yield direction, queries


def recalls(both, images, captions, similarity, prefix=""):
    metrics = {}
    for direction, queries in queries_of(both, images, captions, similarity):
        ranks = [best_rank(scores, right) for scores, right, _ in queries if right]
        metrics |= {f"{direction}/{prefix}recall@{k}": 100 * mean(rank <= k for rank in ranks) for k in (1, 5, 10)}
    return metrics


def precision_at_r(scores, right, beyond):
    total, order = len(right) + beyond, ranked(scores, right)
    found = [j in right for j in order[:total]]
    return sum(sum(found[: r + 1]) / (r + 1) for r in range(len(found)) if found[r]) / total


def rsum(metrics, prefix):
    return sum(metrics[f"{direction}/{prefix}recall@{k}"] for direction in SIDES for k in (1, 5, 10))


def test_eccv_caption_and_cxc(gallery):
    judgements, images, captions, judged, similarity = gallery
    given = Task(similarity, judgements.truth(list(map(str, images)), list(map(str, captions))))
    expected = recalls(judged["eccv"], images, captions, similarity)
    for direction, queries in queries_of(judged["eccv"], images, captions, similarity):
        expected[f"{direction}/map@r"] = 100 * mean(precision_at_r(*query) for query in queries)
        expected[f"{direction}/r_precision"] = 100 * mean(r_precision(*query) for query in queries)
        expected[f"{direction}/queries"] = len(queries)
    for name in ("map@r", "r_precision", "recall@1", "recall@5", "recall@10"):
        expected[name] = (expected[f"{SIDES[0]}/{name}"] + expected[f"{SIDES[1]}/{name}"]) / 2
    cxc = recalls(judged["cxc"], images, captions, similarity)
    expected |= {name.replace("/", "/cxc_"): value for name, value in cxc.items()}
    expected |= recalls(judged["original"], images, captions, similarity, "coco_5k_")
    folds = []
    for first in range(0, 20, 20 // FOLDS):
        part = slice(first, first + 20 // FOLDS)
        own = [images.index(c // 10) for c in captions[part]]
        here = sorted(set(own))
        both = ({images[i]: [10 * images[i], 10 * images[i] + 1] for i in here}, {c: [c // 10] for c in captions[part]})
        folds.append(recalls(both, [images[i] for i in here], captions[part], similarity[here][:, part], "coco_1k_"))
    expected |= {name: mean(fold[name] for fold in folds) for name in folds[0]}
    for prefix in ("coco_1k_", "coco_5k_", "cxc_"):
        expected[f"{prefix}rsum"] = rsum(expected, prefix)
    assert judge_eccv(given, judgements) == pytest.approx(expected | {"left_out_captions": 0}, rel=1e-12)
    alone = cxc | {"rsum": rsum(cxc, ""), "left_out_captions": 0}
    assert judge_cxc(given, judgements) == pytest.approx(alone, rel=1e-12)


def test_pmrp_of_eccv_caption(gallery, tmp_path):
    judgements, images, captions, judged, similarity = gallery
    files = (tmp_path / "pm_image_to_caption.json", tmp_path / "pm_caption_to_image.json")
    for file, found in zip(files, judged["eccv"], strict=True):
        file.write_text(json.dumps(found))
    given = Task(similarity, judgements.truth(list(map(str, images)), list(map(str, captions))), files=files)
    expected = {"left_out_captions": 0}
    for direction, queries in queries_of(judged["eccv"], images, captions, similarity):
        expected[f"{direction}/pmrp_eccv"] = 100 * mean(r_precision(*query) for query in queries)
    expected["pmrp_eccv"] = mean(expected[f"{direction}/pmrp_eccv"] for direction in SIDES)
    assert judge_pmrp_eccv(given, judgements) == pytest.approx(expected, rel=1e-12)


def pmrp(similarity, image_of, kinds, rows):
    rows = [row for row in rows if kinds[row]]
    columns = [c for c, own in enumerate(image_of) if own in rows]
    values = {direction: [] for direction in SIDES}
    for zeta in (0, 1, 2):
        for row in rows:
            right = {place for place, c in enumerate(columns) if len(kinds[row] ^ kinds[image_of[c]]) <= zeta}
            values[SIDES[0]].append(r_precision(similarity[row, columns].tolist(), right))
        for column in columns:
            right = {place for place, row in enumerate(rows) if len(kinds[row] ^ kinds[image_of[column]]) <= zeta}
            values[SIDES[1]].append(r_precision(similarity[rows, column].tolist(), right))
    return {direction: 100 * mean(found) for direction, found in values.items()}


@pytest.mark.parametrize("seed", range(3))
def test_pmrp(seed, tmp_path, monkeypatch):
    """With folds of five images: the published ones have a thousand."""
    monkeypatch.setattr("bcls.evaluation.judged.pmrp.COCO_5K", 25)
    random = np.random.default_rng(seed)
    kinds = [set(random.integers(1, 6, random.integers(0 if row % 4 == 0 else 1, 4)).tolist()) for row in range(25)]
    image_of = random.permutation(np.repeat(np.arange(25), 2))
    entries = [{"image_id": row, "category_id": kind} for row in range(25) for kind in kinds[row] for _ in range(2)]
    file = tmp_path / "instances_val2014.json"
    file.write_text(json.dumps({"annotations": entries}))
    similarity = random.uniform(-1, 1, (25, 50)).round(1)
    found = judge("pmrp", similarity, RetrievalTruth(image_of, 25, list(map(str, range(25)))), files=[file])
    whole = pmrp(similarity, image_of.tolist(), kinds, range(25))
    folds = [pmrp(similarity, image_of.tolist(), kinds, range(first, first + 5)) for first in range(0, 25, 5)]
    expected = {"unlabelled_images": sum(not shown for shown in kinds)}
    for direction in SIDES:
        expected[f"{direction}/pmrp"] = whole[direction]
        expected[f"{direction}/pmrp_1k"] = mean(fold[direction] for fold in folds)
    for name in ("pmrp", "pmrp_1k"):
        expected[name] = mean(expected[f"{direction}/{name}"] for direction in SIDES)
    assert found == pytest.approx(expected, rel=1e-12)
