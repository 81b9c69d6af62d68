"""Recall of a run's index, exact and approximate, beside `bcls evaluate` on the same split.

python benchmarks/search_recall.py runs/flickr8k/search            # writes benchmarks/results/search_recall.json
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from measure import RESULTS, load

from bcls.cli import main as bcls
from bcls.embedding import Embeddings, fill_index, index_recall
from bcls.search.lance import LanceIndex

SPLIT = "val"


def main() -> None:
    run = sys.argv[1]
    folder = Path(tempfile.mkdtemp(prefix="search_recall."))
    try:
        start = time.perf_counter()
        assert bcls(["embed", run, _data_of(run), str(folder / "embeddings"), "--split", SPLIT]) == 0
        seconds = time.perf_counter() - start
        assert bcls(["evaluate", run, "--split", SPLIT, "--scorer", "none", "--output", str(folder / "e.json")]) == 0
        judged = json.loads((folder / "e.json").read_text())["metrics"]
        embeddings = Embeddings.open(folder / "embeddings")
        rows = {"bcls evaluate": {key: judged[key] for key in judged if "recall@" in key}}
        with fill_index(embeddings, "memory:") as index:
            rows["memory"] = index_recall(index, embeddings.read_all(), SPLIT)
        print(json.dumps(rows), flush=True)
        with fill_index(embeddings, str(folder / "index")) as index:
            assert isinstance(index, LanceIndex)
            rows["lancedb, every record compared"] = index_recall(index, embeddings.read_all(), SPLIT)
            print(json.dumps(rows), flush=True)
            index.build_vector_index()
            rows["lancedb, vector index"] = index_recall(index, embeddings.read_all(), SPLIT)
            about = {"records": index.count(), "dim": index.dim, "embed_seconds": seconds, "load": load()}
    finally:
        shutil.rmtree(folder)
    for name, row in rows.items():
        print(f"{name:<32}", *(f"{key.replace('recall', 'r')} {value:.2f}" for key, value in sorted(row.items())))
    (RESULTS / "search_recall.json").write_text(json.dumps({"about": about, "rows": rows}, indent=2) + "\n")


def _data_of(run: str) -> str:
    import yaml

    return str(yaml.safe_load((Path(run) / "config.yaml").read_text())["data"]["path"])


if __name__ == "__main__":
    main()
