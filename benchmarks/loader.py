"""How long a training step waits for its batch, on Flickr8k with the default config.

python benchmarks/loader.py
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from measure import in_own_process, load
from report import print_rows, write_rows

from bcls.training import load_config
from bcls.training.inputs import open_data, prepare_inputs
from bcls.training.optimizer import adamw

ROOT = Path(__file__).resolve().parent.parent
EPOCHS = 2


def one_run() -> dict[str, float]:
    """Seconds of two epochs after a warm one: in all, and of them waiting for a batch."""
    config, _ = load_config(["--config", str(ROOT / "configs" / "flickr8k" / "bcls.yaml")])
    inputs = prepare_inputs(config, open_data(config.data), ROOT / "runs" / "flickr8k" / "losses" / "labels")
    optimizer = adamw([inputs.model, config.loss], learning_rate=1e-3, weight_decay=0.01)
    waited = whole = 0.0
    for epoch in range(EPOCHS + 1):
        start, blocked = time.perf_counter(), 0.0
        batches = iter(inputs.loader)
        while True:
            asked = time.perf_counter()
            batch = next(batches, None)
            blocked += time.perf_counter() - asked
            if batch is None:
                break
            similarity = inputs.model(batch.images, batch.captions)
            total = config.loss.combine(config.loss.terms(similarity, batch.relevance, batch.positives))
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
        if epoch > 0:
            waited += blocked
            whole += time.perf_counter() - start
    return {"seconds": waited, "whole": whole, "extra_mb": 0.0, "threads": float(torch.get_num_threads())}


def rows() -> list[dict[str, Any]]:
    """The share of an epoch that is spent waiting for the loader."""
    run = in_own_process(__file__, "run")
    if "error" in run:
        return []
    share = run["seconds"] / run["whole"]
    return [
        {
            "name": "waiting for the loader, two epochs of Flickr8k",
            "baseline": "the whole two epochs",
            "ours_seconds": run["seconds"],
            "baseline_seconds": run["whole"],
            "ratio": share,
            "ours_extra_mb": 0.0,
            "baseline_extra_mb": None,
            "target": "<= 0.05",
            "met": share <= 0.05,
        }
    ]


def main() -> None:
    if len(sys.argv) == 2:
        print(json.dumps(one_run()))
        return
    table = rows()
    print_rows(table)
    print(load() if table else "no Flickr8k data, or the extra `text` is missing: nothing measured")
    write_rows("loader", table)


if __name__ == "__main__":
    main()
