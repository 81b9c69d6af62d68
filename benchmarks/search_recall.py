"""Recall of a run's index, exact, approximate and served, beside `bcls evaluate` on the same split.

python benchmarks/search_recall.py runs/flickr8k/bcls              # writes benchmarks/results/search_recall.json

Served: every caption of the split is sent to `bcls serve` as a text, every image as its id, and answers are counted.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from measure import RESULTS, load
from serving import started

from bcls.cli import main as bcls
from bcls.embedding import Embeddings, fill_index, index_recall
from bcls.embedding.recall import enough_hits, hits_recall
from bcls.files import write_json
from bcls.search import Hit
from bcls.search.lance import LanceIndex

SPLIT = "val"


def main() -> None:
    run = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="search_recall.") as name:
        rows, about = measure(run, Path(name))
    for name, row in rows.items():
        print(f"{name:<32}", *(f"{key.replace('recall', 'r')} {value:.2f}" for key, value in sorted(row.items())))
    write_json(RESULTS / "search_recall.json", {"about": about, "rows": rows})


def measure(run: str, folder: Path) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
    """The recalls by each way of searching, and what they were measured on."""
    start = time.perf_counter()
    assert bcls(["embed", run, _data_of(run), str(folder / "embeddings"), "--split", SPLIT]) == 0
    seconds = time.perf_counter() - start
    assert bcls(["evaluate", run, "--split", SPLIT, "--scorer", "none", "--output", str(folder / "e.json")]) == 0
    judged = json.loads((folder / "e.json").read_text())["metrics"]
    embeddings = Embeddings.open(folder / "embeddings")
    rows = {"bcls evaluate": {key: judged[key] for key in judged if "recall@" in key}}
    with fill_index(embeddings, f"memory:{folder / 'exact'}") as index:
        rows["memory"] = index_recall(index, embeddings.read_all(), SPLIT)
    rows["memory, served"] = served_recall(run, f"memory:{folder / 'exact'}", embeddings)
    with fill_index(embeddings, str(folder / "index")) as index:
        assert isinstance(index, LanceIndex)
        rows["lancedb, every record compared"] = index_recall(index, embeddings.read_all(), SPLIT)
        index.build_vector_index()
        rows["lancedb, vector index"] = index_recall(index, embeddings.read_all(), SPLIT)
        about = {"records": index.count(), "dim": index.dim, "embed_seconds": seconds, "load": load()}
    rows["lancedb, vector index, served"] = served_recall(run, str(folder / "index"), embeddings)
    return rows, about


def served_recall(run: str, index: str, embeddings: Embeddings) -> dict[str, float]:
    """Recall of what `bcls serve` answers."""
    fields = [of for shard in embeddings.read_all() for _, of in shard.rows]
    by_id = [(str(of["image"]), {"like": of["image"]}) for of in fields if of["kind"] == "image"]
    by_text = [(str(of["image"]), {"text": of["text"]}) for of in fields if of["kind"] == "caption"]
    recalls = {}
    with started([sys.executable, "-m", "bcls", "serve", run, index, "--port", "0"]) as (_, port):
        for direction, kind, queries in (
            ("image_to_text", "caption", by_id),
            ("text_to_image", "image", by_text),
        ):
            k = enough_hits(Counter(str(of["image"]) for of in fields if of["kind"] == kind))
            found = [_ask(port, query | {"kind": kind, "k": k}) for _, query in queries]
            own = hits_recall([image for image, _ in queries], found)
            recalls |= {f"{direction}/{key}": value for key, value in own.items()}
    return recalls


def _ask(port: int, query: dict[str, Any]) -> list[Hit]:
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/search", json.dumps(query).encode(), head)
    with urllib.request.urlopen(request) as answer:
        return [Hit(hit["id"], hit["score"], hit["fields"]) for hit in json.load(answer)["results"]]


def _data_of(run: str) -> str:
    import yaml

    return str(yaml.safe_load((Path(run) / "config.yaml").read_text())["data"]["path"])


if __name__ == "__main__":
    main()
