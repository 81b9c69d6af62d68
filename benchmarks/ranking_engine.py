"""The evaluation's speed and memory at COCO size, each row beside a named baseline measured in the same run.

    python benchmarks/ranking_engine.py                  # full size, some ten minutes on two cores
    python benchmarks/ranking_engine.py --images 500     # a look, no claim
    python benchmarks/ranking_engine.py --only tau   # that row of the result anew

Times are medians of 5 with both sides taking turns in one process; peak extra memory is that of one call in a process
of its own, over what its input holds. Baselines that would take minutes run on a sample and are extrapolated linearly,
which their names say. Writes benchmarks/results/ranking_engine.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bcls.evaluation import RetrievalTruth, evaluate, evaluate_similarity, kendall_tau_b, ndcg

RESULT = Path(__file__).resolve().parent / "results" / "ranking_engine.json"
REPEATS, CAPTIONS, DIMENSIONS, FULL = 5, 5, 1024, 5000
SAMPLE = 250
"""Queries of a sampled baseline."""


@dataclass
class Sides:
    """What a row compares: two calls, and by how much the baseline's time is to be multiplied."""

    ours: Callable[[], Any]
    baseline: Callable[[], Any]
    same: Callable[[Any, Any], bool | None]
    scale: float = 1.0


@dataclass
class Row:
    """One row of the table: `target` is the least ratio of the baseline's time to ours, `most_mb` the most memory."""

    name: str
    baseline: str
    make: Callable[[int], Sides]
    target: float | None
    most_mb: float | None = None


def embeddings(images: int, latent: int, noise: float) -> tuple[np.ndarray, np.ndarray, RetrievalTruth]:
    """Made-up embeddings of 1,024 dimensions: captions are their image and noise in `latent` directions."""
    random = np.random.default_rng(0)
    mixing = random.standard_normal((latent, DIMENSIONS), dtype=np.float32)
    found = random.standard_normal((images, latent), dtype=np.float32)
    told = np.repeat(found, CAPTIONS, axis=0)
    told += np.float32(noise) * random.standard_normal(told.shape, dtype=np.float32)
    return found @ mixing, told @ mixing, RetrievalTruth.from_counts([CAPTIONS] * images)


def unit(rows: np.ndarray) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.from_numpy(rows), dim=1)


def fold_size(images: int, protocol: str) -> int:
    return images // 5 if protocol == "coco-1k" else images


def usual_loop(similarity: np.ndarray, fold: int) -> dict[str, float]:
    """The field's way: argsort of every row, then of every column; the mean over the folds."""
    parts = []
    for begin in range(0, similarity.shape[0], fold):
        part = similarity[begin : begin + fold, begin * CAPTIONS : (begin + fold) * CAPTIONS]
        best, precision, found = np.empty(fold), np.empty(fold), np.empty(fold * CAPTIONS)
        for image in range(fold):
            order = np.argsort(part[image])[::-1]
            own = range(image * CAPTIONS, (image + 1) * CAPTIONS)
            ranks = np.sort([np.where(order == caption)[0][0] + 1 for caption in own])
            best[image] = ranks[0]
            precision[image] = 100 * np.sum((np.arange(1, CAPTIONS + 1) / ranks)[ranks <= CAPTIONS]) / CAPTIONS
        for caption in range(fold * CAPTIONS):
            order = np.argsort(part[:, caption])[::-1]
            found[caption] = np.where(order == caption // CAPTIONS)[0][0] + 1
        parts.append({"image_to_text/map@r": precision.mean(), "text_to_image/map@r": np.mean(100.0 * (found == 1))})
        for direction, ranks in (("image_to_text", best), ("text_to_image", found)):
            parts[-1] |= {f"{direction}/recall@{k}": 100 * np.mean(ranks <= k) for k in (1, 5, 10)}
            parts[-1] |= {f"{direction}/median_rank": np.median(ranks), f"{direction}/mean_rank": ranks.mean()}
    return {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}


def nothing_to_compare(_ours: Any, _theirs: Any) -> None:
    """The baseline does another job, so that there is nothing to say about its numbers."""


def same_numbers(ours: dict[str, float], theirs: dict[str, float]) -> bool:
    return all(ours[name] == value for name, value in theirs.items())


def from_matrix(protocol: str) -> Callable[[int], Sides]:
    def make(images: int) -> Sides:
        found, told, truth = embeddings(images, 64, 2.2)
        similarity = (unit(found) @ unit(told).T).numpy()
        name = protocol if images == FULL else "whole"
        fold = fold_size(images, name)
        return Sides(
            lambda: evaluate_similarity(similarity, truth, protocol=name),
            lambda: usual_loop(similarity, fold),
            same_numbers,
        )

    return make


def hit_rates(images: int) -> Sides:
    from torchmetrics.functional.retrieval import retrieval_hit_rate

    found, told, truth = embeddings(images, 64, 2.2)
    similarity = unit(found) @ unit(told).T
    owner = torch.from_numpy(truth.caption_image)
    sample = min(SAMPLE, images)

    def loop() -> list[float]:
        hits = [
            [float(retrieval_hit_rate(1 + similarity[i], owner == i, top_k=k)) for k in (1, 5, 10)]
            for i in range(sample)
        ]
        columns = range(0, sample * CAPTIONS, CAPTIONS)
        hits += [
            [
                float(retrieval_hit_rate(1 + similarity[:, c], torch.arange(images) == owner[c], top_k=k))
                for k in (1, 5, 10)
            ]
            for c in columns
        ]
        return [float(np.mean(hits[sample:], axis=0)[0])]

    scale = (images + images * CAPTIONS) / (2 * sample)
    matrix = similarity.numpy()
    return Sides(lambda: evaluate_similarity(matrix, truth), loop, nothing_to_compare, scale)


def from_embeddings(protocol: str, latent: int, noise: float) -> Callable[[int], Sides]:
    def make(images: int) -> Sides:
        found, told, truth = embeddings(images, latent, noise)
        name = protocol if images == FULL else "whole"
        fold = fold_size(images, name)
        left, right = torch.from_numpy(found), torch.from_numpy(told)

        def product() -> None:
            for begin in range(0, images, fold):
                left[begin : begin + fold] @ right[begin * CAPTIONS : (begin + fold) * CAPTIONS].T

        return Sides(lambda: evaluate(found, told, truth, protocol=name), product, nothing_to_compare)

    return make


def graded_lists(images: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores and relevance of five captions an image against all images, with ties in both."""
    random = np.random.default_rng(1)
    shape = (images * CAPTIONS, images)
    scores, relevance = (random.random(shape, dtype=np.float32) for _ in range(2))
    relevance += scores
    relevance *= np.float32(0.5)
    for values, levels in ((scores, 100_000), (relevance, 1000)):
        np.multiply(values, np.float32(levels), out=values)
        np.rint(values, out=values)
        np.divide(values, np.float32(levels), out=values)
    return scores, relevance, min(SAMPLE, shape[0])


def tau(images: int) -> Sides:
    from scipy.stats import kendalltau

    scores, relevance, sample = graded_lists(images)
    return Sides(
        lambda: kendall_tau_b(scores, relevance),
        lambda: [kendalltau(scores[query], relevance[query]).statistic for query in range(sample)],
        lambda ours, theirs: bool(np.allclose(ours[:sample], theirs, rtol=0, atol=1e-12)),
        len(scores) / sample,
    )


def graded_gain(images: int) -> Sides:
    from sklearn.metrics import ndcg_score

    scores, relevance, sample = graded_lists(images)
    return Sides(
        lambda: ndcg(scores, relevance, ties="expected"),
        lambda: [
            ndcg_score(np.exp2(relevance[[query]], dtype=np.float64) - 1, scores[[query]]) for query in range(sample)
        ],
        lambda ours, theirs: bool(np.allclose(ours[:sample], theirs, rtol=0, atol=1e-9)),
        len(scores) / sample,
    )


PRODUCT = "bare float32 product (torch)"
ROWS = {
    "matrix-5k": Row("coco-5k from a similarity matrix", "argsort loop", from_matrix("coco-5k"), 15),
    "matrix-1k": Row("coco-1k from a similarity matrix", "argsort loop", from_matrix("coco-1k"), 15),
    "hits": Row("coco-5k from a similarity matrix", "torchmetrics hit rates, sampled", hit_rates, None),
    "embeddings-5k": Row("coco-5k from embeddings", PRODUCT, from_embeddings("coco-5k", 64, 2.2), 1 / 1.5, 1500),
    "embeddings-1k": Row("coco-1k from embeddings", PRODUCT, from_embeddings("coco-1k", 64, 2.2), 1 / 1.5, 1500),
    "weak": Row("coco-5k from embeddings, weak model", PRODUCT, from_embeddings("coco-5k", 1024, 16), None, 1500),
    "tau": Row("tau-b of whole lists, text to image", "SciPy loop, sampled", tau, 10),
    "ndcg": Row("NDCG of whole lists, text to image", "scikit-learn loop, sampled", graded_gain, None),
}


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    value = call()
    return time.perf_counter() - begin, value


def measure_times(key: str, images: int) -> dict[str, Any]:
    sides = ROWS[key].make(images)
    first, ours = timed(sides.ours)
    ours_seconds, baseline_seconds, loads = [], [], []
    for _ in range(REPEATS):
        seconds, theirs = timed(sides.baseline)
        baseline_seconds.append(seconds * sides.scale)
        ours_seconds.append(timed(sides.ours)[0])
        loads.append(os.getloadavg()[0])
    return {
        "ours_seconds": statistics.median(ours_seconds),
        "baseline_seconds": statistics.median(baseline_seconds),
        "ours_first_seconds": first,
        "same_numbers": sides.same(ours, theirs),
        "load": statistics.median(loads),
    }


def measure_memory(key: str, images: int, side: str) -> dict[str, float]:
    """Peak memory of one call over what was held before it; where Linux lets the peak be reset, exactly that."""
    sides = ROWS[key].make(images)
    call = sides.ours if side == "ours" else sides.baseline
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        call()
        return {"extra_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}
    before = status("VmRSS")
    call()
    return {"extra_mb": (status("VmHWM") - before) / 1024}


def status(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1])


def in_own_process(*words: str) -> dict[str, Any]:
    command = [sys.executable, __file__, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def rows(images: int = FULL, only: list[str] | None = None) -> list[dict[str, Any]]:
    """All measurements, one dict for each row; `ratio` is the baseline's time over ours, `target` the least of it."""
    results = []
    for key in only or ROWS:
        row, size = ROWS[key], ["--images", str(images), "--child", key]
        result = in_own_process(*size, "times")
        ratio = result["baseline_seconds"] / result["ours_seconds"]
        memory = {side: in_own_process(*size, side)["extra_mb"] for side in ("ours", "baseline")}
        met = None if row.target is None else ratio >= row.target
        if met is not None and row.most_mb is not None:
            met = met and memory["ours"] <= row.most_mb
        results.append(
            {
                "name": row.name,
                "baseline": row.baseline,
                **result,
                "ratio": ratio,
                "ours_extra_mb": memory["ours"],
                "baseline_extra_mb": memory["baseline"],
                "target": row.target,
                "most_extra_mb": row.most_mb,
                "met": met,
            }
        )
        print(line(results[-1]), flush=True)
    return results


def line(row: dict[str, Any]) -> str:
    verdict = {None: "-", True: "met", False: "MISSED"}[row["met"]]
    target = "-" if row["target"] is None else f"{row['target']:.2f}"
    return (
        f"{row['name']:<36} {row['baseline']:<32} {row['ours_seconds']:8.3f} {row['baseline_seconds']:9.3f} "
        f"{row['ratio']:7.2f} {target:>6} {row['ours_extra_mb']:7.0f} {row['baseline_extra_mb']:7.0f} "
        f"{row['load']:5.1f} {verdict:>6}{'  NUMBERS DIFFER' if row['same_numbers'] is False else ''}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=FULL)
    parser.add_argument("--only", nargs="+", choices=ROWS)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        key, what = given.child
        child = measure_times(key, given.images) if what == "times" else measure_memory(key, given.images, what)
        print(json.dumps(child))
        return
    head = ("what", "baseline", "ours s", "theirs s", "ratio", "target", "ours MB", "base MB", "load", "")
    print("{:<36} {:<32} {:>8} {:>9} {:>7} {:>6} {:>7} {:>7} {:>5} {:>6}".format(*head))
    results = rows(given.images, given.only)
    if given.images == FULL:
        write(results)


def write(results: list[dict[str, Any]]) -> None:
    """Write the rows, and keep those that an earlier run measured and this one did not."""
    measured = {(row["name"], row["baseline"]): row for row in results}
    if RESULT.exists():
        before = json.loads(RESULT.read_text(encoding="utf-8"))["rows"]
        measured = {(row["name"], row["baseline"]): row for row in before} | measured
    machine = {"processors": os.cpu_count(), "threads": torch.get_num_threads(), "torch": torch.__version__}
    RESULT.parent.mkdir(exist_ok=True)
    document = {"machine": machine, "rows": list(measured.values())}
    RESULT.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
