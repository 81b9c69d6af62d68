"""LanceDB on disk from 10 thousand to 1 million vectors of 256: build time, memory, disk, recall@10, time of a search.

python benchmarks/search_scale.py                 # sizes 10,000 to 1,000,000; about half an hour on two cores
python benchmarks/search_scale.py 10000 100000    # only these
python benchmarks/search_scale.py unclustered     # the worst case: 1,000,000 directions without any structure

Vectors have the structure of embeddings: a point is a fine cluster's centre and noise, a fine cluster's centre a coarse
one's and noise; 1 coarse cluster for 2,000 points and 1 fine one for 40. Queries are fresh points of the same clusters,
so that none is in the index. Recall is against the exact ten nearest.
"""

from __future__ import annotations

import json
import math
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from measure import RESULTS, in_own_process, load

from bcls.search import Record, create_index, lance

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
UNCLUSTERED = 1_000_000
DIM = 256
QUERIES = 200
TIMED = 300
TIMED_FLAT = 50
FIELDS = {"kind": "str", "split": "str", "text": "str"}
BLOCK = 20_000


class Points:
    """Clustered points of length 1, made block by block, the same every time."""

    def __init__(self, count: int) -> None:
        self.count = count
        random = np.random.default_rng(0)
        coarse = random.normal(size=(max(1, count // 2000), DIM)).astype(np.float32)
        near = random.integers(0, len(coarse), max(1, count // 40))
        self._fine = coarse[near] + 0.7 * random.normal(size=(len(near), DIM)).astype(np.float32)

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """First row and points of each block."""
        for start in range(0, self.count, BLOCK):
            yield start, self._points(min(BLOCK, self.count - start), seed=1 + start)

    def queries(self) -> np.ndarray:
        return self._points(QUERIES, seed=2**31)

    def exact(self) -> np.ndarray:
        """(queries, 10) rows of the nearest."""
        queries = self.queries()
        scores, rows = np.zeros((QUERIES, 0), np.float32), np.zeros((QUERIES, 0), np.int64)
        for start, points in self.blocks():
            scores = np.concatenate([scores, queries @ points.T], axis=1)
            here = np.broadcast_to(np.arange(start, start + len(points)), (QUERIES, len(points)))
            rows = np.concatenate([rows, here], axis=1)
            best = np.argsort(-scores, axis=1, kind="stable")[:, :10]
            scores, rows = np.take_along_axis(scores, best, 1), np.take_along_axis(rows, best, 1)
        return rows

    def records(self) -> Iterator[Record]:
        for start, points in self.blocks():
            for row, point in enumerate(points, start=start):
                fields = {
                    "kind": "image",
                    "split": f"s{row % 10}",
                    "text": f"a caption of record {row} with a few words",
                }
                yield Record(f"record-{row:08d}", point, fields)

    def _points(self, count: int, seed: int) -> np.ndarray:
        random = np.random.default_rng(seed)
        points = self._fine[random.integers(0, len(self._fine), count)]
        points = points + 0.5 * random.standard_normal((count, DIM), dtype=np.float32)
        return points / np.linalg.norm(points, axis=1, keepdims=True)


class Unclustered(Points):
    """Points in all directions alike: no part of an index is nearer to a query than another."""

    def _points(self, count: int, seed: int) -> np.ndarray:
        points = np.random.default_rng(seed).standard_normal((count, DIM), dtype=np.float32)
        return points / np.linalg.norm(points, axis=1, keepdims=True)


def one_size(points: Points, folder: Path) -> dict[str, Any]:
    """Build and search an index of these vectors."""
    exact = points.exact()
    lance.VECTOR_INDEX_FROM = math.inf  # the vector index is built below, where its time can be told
    index = create_index(folder / "index", dim=DIM, model="made", fields=FIELDS)
    before = _peak_mb()
    start, cpu = time.perf_counter(), time.process_time()
    index.add(points.records())
    index.optimize()
    result: dict[str, Any] = {"count": points.count, "add_seconds": time.perf_counter() - start}
    result["add_cpu_seconds"] = time.process_time() - cpu
    queries = points.queries()
    result["flat"] = _timed(index, queries, TIMED_FLAT, "")
    start, cpu = time.perf_counter(), time.process_time()
    index.build_vector_index()
    result["vector_index_seconds"] = time.perf_counter() - start
    result["vector_index_cpu_seconds"] = time.process_time() - cpu
    result["indexed"] = {"recall@10": _recall(index, queries, exact)} | _timed(index, queries, TIMED, "")
    result["indexed_tenth"] = _timed(index, queries, TIMED, "split=s3")
    result |= {"peak_mb": _peak_mb(), "peak_before_mb": before, "disk_mb": _disk_mb(folder), "load": load()}
    return result


def _recall(index: Any, queries: np.ndarray, exact: np.ndarray) -> float:
    found = index.search(queries, 10)
    hits = [
        len({int(hit.id[7:]) for hit in of_query} & set(rows))
        for of_query, rows in zip(found, exact.tolist(), strict=True)
    ]
    return float(np.mean(hits)) / 10


def _timed(index: Any, queries: np.ndarray, timed: int, where: str) -> dict[str, float]:
    """Milliseconds of one search after another, and of the processor (all threads), which other work delays less."""
    from bcls.search import Filter

    allowed, times = Filter.parse(where), []
    cpu = time.process_time()
    for number in range(timed):
        query = queries[number % QUERIES][None]
        start = time.perf_counter()
        index.search(query, 10, where=allowed)
        times.append(1000 * (time.perf_counter() - start))
    cpu_ms = 1000 * (time.process_time() - cpu) / timed
    return {"p50_ms": float(np.percentile(times, 50)), "p99_ms": float(np.percentile(times, 99)), "cpu_ms": cpu_ms}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _disk_mb(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20


def plot(rows: list[dict[str, Any]], file: Path) -> None:
    """Time of a search and of building, against the number of vectors."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
    counts = [row["count"] for row in rows]
    for name, shown in (("flat", "every vector compared"), ("indexed", "vector index")):
        for quantile, style in (("p50_ms", "-o"), ("p99_ms", ":o")):
            left.plot(counts, [row[name][quantile] for row in rows], style, label=f"{shown}, {quantile[:3]}")
    right.plot(counts, [row["add_seconds"] for row in rows], "-o", label="adding, s")
    right.plot(counts, [row["vector_index_seconds"] for row in rows], "-o", label="vector index, s")
    right.plot(counts, [row["disk_mb"] for row in rows], "-s", label="disk, MB")
    right.plot(counts, [row["peak_mb"] for row in rows], "-s", label="peak memory, MB")
    for axes, title in ((left, "one search, ms"), (right, "building")):
        axes.set(xscale="log", yscale="log", xlabel="vectors", title=title)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    plt.close(figure)


KINDS = {"one": Points, "one-unclustered": Unclustered}


def main() -> None:
    words = sys.argv[1:]
    if words and words[0] in KINDS:
        folder = Path(tempfile.mkdtemp(prefix="search_scale."))
        try:
            print(json.dumps(one_size(KINDS[words[0]](int(words[1])), folder)))
        finally:
            shutil.rmtree(folder)
        return
    file = RESULTS / "search_scale.json"
    before = json.loads(file.read_text()) if file.exists() and words else {}
    known = {row["count"]: row for row in before.get("rows", [])}
    about = {"dim": DIM, "queries": QUERIES, "lancedb": lance.lancedb.__version__}
    result = {"about": about, "rows": [], "unclustered": before.get("unclustered")}
    for word in words or [*map(str, SIZES), "unclustered"]:
        if word == "unclustered":
            result["unclustered"] = in_own_process(__file__, "one-unclustered", str(UNCLUSTERED))
        else:
            known[int(word)] = in_own_process(__file__, "one", word)
        print(json.dumps(known[int(word)] if word.isdecimal() else result["unclustered"]), flush=True)
        rows = result["rows"] = [known[size] for size in sorted(known) if "error" not in known[size]]
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        if rows:
            plot(rows, RESULTS / "search_scale.png")


if __name__ == "__main__":
    main()
