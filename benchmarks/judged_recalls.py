"""ECCV Caption's and CxC's metrics of a 5,000 x 25,000 matrix, beside the package `eccv_caption`.

    python benchmarks/judged_recalls.py     # some two minutes on two cores

The package takes dictionaries of ranked lists; making them is counted in, by the quickest way at hand: torch.topk of
50, which is all that its metrics look at. COCO 1K, for which it needs whole lists, is left out on its side and done on
ours in the second row. Both sides read their judgements anew each time. Times are medians of 5 with both sides taking
turns in one process; memory is that of one call in a process of its own, over what its input holds.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from measure import extra_megabytes_of, in_own_process
from report import print_rows, write_rows

from bcls.evaluation.judged import Task
from bcls.evaluation.judged.best_ranks import best_ranks
from bcls.evaluation.judged.eccv import judge_eccv, recalls
from bcls.evaluation.judged.eccv_package import eccv_package

REPEATS, LENGTH, LEAST = 5, 50, 5.0
SHORT = {"image_to_text": "i2t", "text_to_image": "t2i"}
Metrics = dict[str, float]


def task() -> Task:
    """A model that is right a third of the time, its rows in the order of COCO's test split."""
    judged = eccv_package()
    similarity = np.random.default_rng(0).standard_normal((5000, 25_000), dtype=np.float32)
    similarity[judged.caption_image, np.arange(25_000)] += np.float32(2.5)
    ids = ([str(number) for number in numbers] for numbers in (judged.image_numbers, judged.caption_numbers))
    return Task(similarity, judged.truth(*ids))


def our_recalls(given: Task) -> Metrics:
    judged = eccv_package()
    gallery, _ = judged.gallery(given)
    ranks = best_ranks(given.scores(), gallery, [judged.positives("eccv"), judged.positives("cxc")])
    return recalls(ranks[0]) | recalls(ranks[1], "cxc_")


def our_whole(given: Task) -> Metrics:
    return judge_eccv(given)


def lists_of(given: Task) -> dict[str, dict[int, list[int]]]:
    """The package's dictionaries."""
    judged = eccv_package()
    images, captions = judged.image_numbers, judged.caption_numbers
    matrix = torch.from_numpy(given.similarity)
    of_images = captions[torch.topk(matrix, LENGTH, dim=1).indices.numpy()].tolist()
    of_captions = images[torch.topk(matrix, LENGTH, dim=0).indices.numpy().T].tolist()
    return {
        "i2t": dict(zip(images.tolist(), of_images, strict=True)),
        "t2i": dict(zip(captions.tolist(), of_captions, strict=True)),
    }


def package() -> Any:
    warnings.filterwarnings("ignore", message=".*ujson.*")
    from eccv_caption import Metrics as Package

    return Package()


def their_recalls(given: Task) -> Metrics:
    lists, judged = lists_of(given), package()
    metrics: Metrics = {}
    for prefix, ask in (("", judged.eccv_recalls), ("cxc_", judged.cxc_recalls)):
        for cutoff in (1, 5, 10):
            found = ask(lists, "all", K=cutoff)
            metrics |= {f"{side}/{prefix}recall@{cutoff}": 100 * found[short] for side, short in SHORT.items()}
    return metrics


def their_whole(given: Task) -> Metrics:
    lists, judged = lists_of(given), package()
    metrics = their_recalls(given)
    for cutoff in (1, 5, 10):
        found = judged.coco_5k_recalls(lists, "all", K=cutoff)
        metrics |= {f"{side}/coco_5k_recall@{cutoff}": 100 * found[short] for side, short in SHORT.items()}
    found = judged.eccv_metrics(lists, "all")
    for ours, theirs in (("map@r", "eccv_map_at_r"), ("r_precision", "eccv_rprecision")):
        metrics |= {f"{side}/{ours}": 100 * found[theirs][short] for side, short in SHORT.items()}
    return metrics


ROWS: dict[str, tuple[str, str, Callable[[Task], Metrics], Callable[[Task], Metrics]]] = {
    "recalls": ("ECCV and CxC recalls", "eccv_caption on lists of 50", our_recalls, their_recalls),
    "whole": ("all of --protocol eccv", "eccv_caption without COCO 1K", our_whole, their_whole),
}


def timed(call: Callable[[Task], Metrics], given: Task) -> tuple[float, Metrics]:
    begin = time.perf_counter()
    metrics = call(given)
    return time.perf_counter() - begin, metrics


def times(key: str) -> dict[str, Any]:
    given = task()
    _, _, ours, theirs = ROWS[key]
    mine, loads, seconds = ours(given), [], ([], [])
    for _ in range(REPEATS):
        for side, call in enumerate((theirs, ours)):
            spent, metrics = timed(call, given)
            seconds[side].append(spent)
            if side == 0:
                same = all(abs(mine[name] - value) <= 1e-10 for name, value in metrics.items())
        loads.append(os.getloadavg()[0])
    baseline_seconds, ours_seconds = map(statistics.median, seconds)
    return {
        "ours_seconds": ours_seconds,
        "baseline_seconds": baseline_seconds,
        "same_numbers": same,
        "load": statistics.median(loads),
    }


def memory(key: str, side: str) -> dict[str, float]:
    given = task()
    call = ROWS[key][2 if side == "ours" else 3]
    return {"extra_mb": extra_megabytes_of(lambda: call(given))}


def rows() -> list[dict[str, Any]]:
    found = []
    for key, (name, baseline, _, _) in ROWS.items():
        measured = in_own_process(__file__, key, "times")
        extra = {side: in_own_process(__file__, key, side) for side in ("ours", "baseline")}
        for part in (measured, *extra.values()):
            if "error" in part:
                raise SystemExit(f"{name}: {part['error']}")
        ratio = measured["ours_seconds"] / measured["baseline_seconds"]
        found.append(
            {
                "name": name,
                "baseline": baseline,
                **measured,
                "ratio": ratio,
                "ours_extra_mb": extra["ours"]["extra_mb"],
                "baseline_extra_mb": extra["baseline"]["extra_mb"],
                "target": f"<= 1/{LEAST:.0f} time, same numbers",
                "met": ratio <= 1 / LEAST and measured["same_numbers"],
            }
        )
    return found


def main() -> None:
    if len(sys.argv) == 3:
        key, what = sys.argv[1:]
        print(json.dumps(times(key) if what == "times" else memory(key, what)))
        return
    table = rows()
    print_rows(table)
    write_rows("judged_recalls", table)


if __name__ == "__main__":
    main()
