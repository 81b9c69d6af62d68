"""NCS, CS@K and Flickr8k's grades of docs/metrics, from the words of those pages by loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bcls.evaluation import RetrievalTruth, agreement, judge

SIDES = ("image_to_text", "text_to_image")


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else math.nan


# NCS, semantic recall


def removed(scores, own):
    return [j for j in range(len(scores)) if j not in own]


def relevant_image(phi, image_of, image):
    """The image that the captions of an image describe best, or None."""
    given = {}
    for caption in (c for c, own in enumerate(image_of) if own == image):
        worth = [0.0 if math.isnan(row[caption]) else row[caption] for row in phi]
        for other in sorted(range(len(phi)), key=lambda i: (-worth[i], i))[:10]:
            given[other] = given.get(other, 0.0) + worth[other]
    given = {other: worth for other, worth in given.items() if other != image and worth > 0}
    return min(given, key=lambda other: (-given[other], other)) if given else None


def semantic(similarity, phi, image_of):
    captions_of = [[c for c, own in enumerate(image_of) if own == i] for i in range(len(phi))]
    best = [relevant_image(phi, image_of, i) for i in range(len(phi))]
    of_images = [[] if best[i] is None else captions_of[best[i]] for i in range(len(phi))]
    of_captions = [[] if i < 0 or best[i] is None else [best[i]] for i in image_of]
    metrics = {}
    for direction, scores, worth, own, sets in (
        (SIDES[0], similarity, phi, captions_of, of_images),
        (
            SIDES[1],
            list(zip(*similarity, strict=True)),
            list(zip(*phi, strict=True)),
            [[i] for i in image_of],
            of_captions,
        ),
    ):
        queries = [q for q in range(len(scores)) if own[q] and own[q] != [-1]]
        for k in (1, 5, 10):
            gained, ideal, plain, soft = 0.0, 0.0, [], []
            for q in queries:
                left = removed(scores[q], own[q])
                judged = [j for j in left if not math.isnan(worth[q][j])]
                gained += sum(worth[q][j] for j in sorted(judged, key=lambda j: (-scores[q][j], worth[q][j]))[:k])
                ideal += sum(sorted((worth[q][j] for j in judged), reverse=True)[:k])
                if sets[q]:
                    hits = [j for j in sorted(left, key=lambda j: (-scores[q][j], j in sets[q]))[:k] if j in sets[q]]
                    weight = {j: 0.0 if math.isnan(worth[q][j]) else worth[q][j] for j in sets[q]}
                    plain.append(len(hits) / len(sets[q]))
                    soft.append(sum(weight[j] for j in hits) / sum(weight.values()) if sum(weight.values()) else 0.0)
            metrics[f"{direction}/ncs@{k}"] = 100 * gained / ideal
            metrics[f"{direction}/semantic_recall@{k}"] = 100 * mean(plain)
            metrics[f"{direction}/semantic_soft_recall@{k}"] = 100 * mean(soft)
    for name in [name.partition("/")[2] for name in metrics if name.startswith(SIDES[0])]:
        metrics[name] = (metrics[f"{SIDES[0]}/{name}"] + metrics[f"{SIDES[1]}/{name}"]) / 2
    return metrics


@pytest.mark.parametrize("seed", range(6))
def test_ncs_and_semantic_recall(seed):
    random = np.random.default_rng(seed)
    images, captions = (14, 30) if seed % 2 else (6, 9)
    image_of = random.integers(0, images - 1, captions)  # the last image has no caption
    similarity = random.uniform(-1, 1, (images, captions)).round(1)
    relevance = random.random((images, captions)).astype(np.float32).round(1 if seed % 3 else 5)
    if seed > 2:
        relevance[random.random(relevance.shape) < 0.3] = np.nan
    found = judge("ncs", similarity, RetrievalTruth(image_of, images), relevance=relevance)
    expected = semantic(similarity.tolist(), relevance.astype(float).tolist(), image_of.tolist())
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


# CS@K


def tau_b(scores, relevance):
    c = d = tied_scores = tied_relevance = 0
    for i in range(len(scores)):
        for j in range(i):
            product = (scores[i] - scores[j]) * (relevance[i] - relevance[j])
            c, d = c + (product > 0), d + (product < 0)
            tied_scores += scores[i] == scores[j]
            tied_relevance += relevance[i] == relevance[j]
    pairs = len(scores) * (len(scores) - 1) / 2
    divisor = math.sqrt((pairs - tied_scores) * (pairs - tied_relevance))
    return (c - d) / divisor if divisor else None


@pytest.mark.parametrize("unknown", [0.0, 0.3])
def test_coherent_score(unknown):
    random = np.random.default_rng(1)
    images = 104
    image_of = np.concatenate([random.integers(3, images, 40), random.permutation(images - 1)])  # the last has none
    similarity = random.uniform(-1, 1, (images, image_of.size)).round(1)
    relevance = random.random(similarity.shape).astype(np.float32).round(1)
    relevance[random.random(relevance.shape) < unknown] = np.nan
    relevance[3] = 0.5  # no tau-b
    found = judge("cs@k", similarity, RetrievalTruth(image_of, images), relevance=relevance)
    captioned = list(range(images - 1))
    first = [next(c for c, own in enumerate(image_of) if own == i) for i in captioned]
    scores, labels = similarity[np.ix_(captioned, first)], relevance[np.ix_(captioned, first)].astype(float)
    expected = {"gallery_images": images - 1}
    for direction, rows, labels_of_rows in ((SIDES[0], scores, labels), (SIDES[1], scores.T, labels.T)):
        values = []
        for s, r in zip(rows.tolist(), labels_of_rows.tolist(), strict=True):
            known = [j for j in range(len(s)) if not math.isnan(r[j])]
            taken = sorted(known, key=lambda j: (-s[j], r[j]))[:100]
            values.append(tau_b([s[j] for j in taken], [r[j] for j in taken]))
        values = [value for value in values if value is not None]
        expected |= {f"{direction}/cs@100": mean(values), f"{direction}/cs@100_queries": len(values)}
    expected["cs@100"] = (expected[f"{SIDES[0]}/cs@100"] + expected[f"{SIDES[1]}/cs@100"]) / 2
    assert found == pytest.approx(expected, rel=1e-9)


# Flickr8k's grades


def taus(scores, grades):
    n = len(scores)
    c = sum((scores[i] - scores[j]) * (grades[i] - grades[j]) > 0 for i in range(n) for j in range(i))
    d = sum((scores[i] - scores[j]) * (grades[i] - grades[j]) < 0 for i in range(n) for j in range(i))
    m = min(len(set(scores)), len(set(grades)))
    return tau_b(scores, grades), 2 * m * (c - d) / (n**2 * (m - 1)) if m > 1 else None


@pytest.mark.parametrize("protocol", ["flickr8k-expert", "flickr8k-cf"])
@pytest.mark.parametrize("seed", range(3))
def test_flickr8k_grades(protocol, seed, tmp_path):
    random = np.random.default_rng(seed)
    images = [f"{number}.jpg" for number in range(5)]
    captions = [f"{name}#{number}" for name in images for number in range(5)]
    similarity = random.random((5, 25)).round(1)
    lines, scores, grades = [], [], []
    for _ in range(40):
        i, j = random.integers(5), random.integers(25)
        if protocol == "flickr8k-expert":
            given = random.integers(1, 5, 3).tolist()
            lines.append("\t".join([images[i], captions[j], *map(str, given)]))
        else:
            yes = int(random.integers(0, 4))
            given = [round(yes / 3, 3)]
            lines.append(f"{images[i]}\t{captions[j]}\t{given[0]}\t{yes}\t{3 - yes}")
        if captions[j].split("#")[0] != images[i]:
            scores += [similarity[i, j]] * len(given)
            grades += given
    file = tmp_path / "annotations.txt"
    file.write_text("\n".join(lines) + "\n")
    truth = RetrievalTruth(np.repeat(np.arange(5), 5), 5, images, captions)
    b, c = taus(scores, grades)
    expected = {"human_tau_b": b, "human_tau_c": c, "graded_pairs": len(scores)}
    assert judge(protocol, similarity, truth, files=[file]) == pytest.approx(expected, rel=1e-12)


def test_grades_that_are_all_equal_have_no_tau():
    assert all(map(math.isnan, agreement([0.1, 0.5, 0.3], [2, 2, 2])[:2]))
