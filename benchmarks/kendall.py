"""The Kendall loss and its sampled forms, forward and backward, against the formula and the triplet loss.

python benchmarks/kendall.py            # into benchmarks/results
python benchmarks/kendall.py --small    # a trial of a minute at small sizes; writes nothing
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from measure import RESULTS, in_own_process, load, measured, seconds_in_turns
from report import plot_growth, print_rows, write_rows
from torch import Tensor

from bcls.losses import BCLSLoss, TripletLoss, kendall_loss, triplet_loss
from bcls.relevance import CaptionRelevance, DenseEncodings

GAP = 0.1
FORMS = ("boundary", "window", "stride", "first")


def matrices(size: int) -> tuple[Tensor, Tensor]:
    """Similarity around 0 and relevance as a scorer spreads it, both random."""
    torch.manual_seed(0)
    return torch.randn(size, size) * 0.1, torch.rand(size, size).pow(2)


def cubic(similarity: Tensor, relevance: Tensor) -> Tensor:
    """The formula as it is usually written: five arrays of (queries, candidates, candidates)."""
    total = similarity.new_zeros(())
    for s, r in ((similarity, relevance), (similarity.T, relevance.T)):
        ordered = (r[:, :, None] - r[:, None, :]) > GAP
        hinge = torch.relu(s[:, None, :] - s[:, :, None])
        total = total + (hinge * ordered).sum() / ordered.sum().clamp(min=1) / 2
    return total


def job_of(name: str, size: int) -> Callable[[], None]:
    """Forward and backward of one loss on fresh gradients."""
    similarity, relevance = matrices(size)
    losses: dict[str, Callable[[Tensor], Tensor]] = {
        "cubic": lambda s: cubic(s, relevance),
        "all": lambda s: kendall_loss(s, relevance, pairs="all", gap=GAP),
        "all-torch": lambda s: kendall_loss(s, relevance, pairs="all", gap=GAP, engine="torch"),
        "triplet-hn": lambda s: triplet_loss(s, negatives="hard", margin=0.2),
        "triplet-sn": lambda s: triplet_loss(s, negatives="soft", margin=0.2),
        **{form: _form(form, relevance) for form in FORMS},
    }

    def job() -> None:
        leaf = similarity.clone().requires_grad_()
        losses[name](leaf).backward()

    return job


def _form(form: Any, relevance: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda similarity: kendall_loss(similarity, relevance, pairs=form, gap=GAP)


def training_step(loss_name: str) -> Callable[[], None]:
    """One step of the plain Flickr8k model: batch 128, 2,304 features, 512 dims, AdamW included."""
    from bcls.models import BagOfWordsTower, PooledFeatureTower, RetrievalModel
    from bcls.training.optimizer import adamw

    torch.manual_seed(0)
    words = [f"word{number}" for number in range(3000)]
    texts = [" ".join(words[(7 * row + 13 * place * place) % 3000] for place in range(11)) for row in range(3000)]
    model = RetrievalModel(PooledFeatureTower(dim=512), BagOfWordsTower(dim=512, minimum_count=1))
    model.image_tower.fit(torch.randn(200, 2304).numpy())
    model.caption_tower.fit(texts)
    images, captions = torch.randn(128, 2304), model.caption_tower.tokenize(texts[:128])
    rows = np.arange(128)
    source = _label_source()
    relevance = torch.from_numpy(source.matrix(rows, rows * 5))
    loss = TripletLoss(negatives="hard") if loss_name == "triplet-hn" else BCLSLoss()
    optimizer = adamw([model, loss], learning_rate=1e-3, weight_decay=0.01)
    model.train()

    def job() -> None:
        for _ in range(20):
            labels = relevance
            if loss_name == "bcls-and-labels":
                labels = torch.from_numpy(source.matrix(rows, rows * 5))
            total = loss.combine(loss.terms(model(images, captions), labels))
            optimizer.zero_grad()
            total.backward()
            optimizer.step()

    return job


def _label_source() -> CaptionRelevance:
    """Five captions an image, encoded as MiniLM encodes them."""
    vectors = np.random.default_rng(0).normal(size=(30_000, 384)) + 1
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return CaptionRelevance(DenseEncodings(vectors.astype(np.float16)), np.repeat(np.arange(6000), 5))


def _row(
    name: str, ours: dict[str, Any], baseline_name: str, baseline: dict[str, Any], target: str, met: bool
) -> dict[str, Any]:
    ratio = ours["seconds"] / baseline["seconds"] if "seconds" in baseline else math.nan
    return {
        "name": name,
        "baseline": baseline_name,
        "ours_seconds": ours["seconds"],
        "baseline_seconds": baseline.get("seconds"),
        "ratio": ratio,
        "ours_extra_mb": ours["extra_mb"],
        "baseline_extra_mb": baseline.get("extra_mb"),
        "target": target,
        "met": met,
    }


def rows(small: bool) -> list[dict[str, Any]]:
    """All claims about the Kendall loss."""

    def own(name: str, size: int) -> dict[str, Any]:
        return in_own_process(__file__, name, str(size))

    result = []
    middle, large = (128, 512) if small else (512, 4096)
    formula, exact = own("cubic", middle), own("all", middle)
    met = exact["seconds"] * 60 <= formula["seconds"] and exact["extra_mb"] * 20 <= formula["extra_mb"]
    target = "<= 1/60 time, <= 1/20 memory"
    result.append(_row(f"Kendall, all pairs, B={middle}", exact, "the (B, B, B) formula", formula, target, met))
    big, half = own("all", large), own("triplet-hn", large)
    met = big["seconds"] < 4 and big["extra_mb"] < 1024
    baseline = f"Triplet-HN, B={large}"
    result.append(_row(f"Kendall, all pairs, B={large}", big, baseline, half, "< 4 s, < 1,024 MB", met))
    for size in (128,) if small else (128, 512, 2048):
        times = in_own_process(__file__, "turns", str(size))["seconds"]
        hardest = own("triplet-hn", size) | {"seconds": times[0]}
        for form, seconds in zip(FORMS, times[1:], strict=True):
            ours = own(form, size) | {"seconds": seconds}
            met = seconds <= 3 * times[0]
            result.append(_row(f"SW-HS {form}, B={size}", ours, f"Triplet-HN, B={size}", hardest, "<= 3", met))
    steps = in_own_process(__file__, "steps", "128")["seconds"]
    for name, seconds in (("BCLS", steps[1]), ("BCLS and its labels", steps[2])):
        ours, other = {"seconds": seconds, "extra_mb": 0.0}, {"seconds": steps[0]}
        met = seconds <= 1.1 * steps[0]
        baseline = "training step, Triplet-HN (20 steps)"
        result.append(_row(f"training step, {name} (20 steps)", ours, baseline, other, "<= 1.1", met))
    return result


def growth() -> dict[str, list[tuple[int, float, float]]]:
    """(B, seconds, extra MB) of each loss, for the plot; the formula as far as its memory allows."""
    sizes = {"cubic": (128, 256, 512), "all": (128, 512, 1024, 2048, 4096, 8192), "all-torch": (128, 512, 1024)}
    sizes |= dict.fromkeys(("boundary", "first", "triplet-hn", "triplet-sn"), (128, 512, 2048, 4096))
    curves = {}
    for name, each in sizes.items():
        runs = [(size, in_own_process(__file__, name, str(size))) for size in each]
        curves[name] = [(size, run["seconds"], run["extra_mb"]) for size, run in runs if "error" not in run]
    return curves


def exponent(curve: list[tuple[int, float, float]], low: int, high: int) -> float:
    """Growth of the time between two sizes, as a power of B."""
    seconds = {size: time for size, time, _ in curve}
    return math.log(seconds[high] / seconds[low]) / math.log(high / low)


def main() -> None:
    small = "--small" in sys.argv
    if len(sys.argv) == 3:
        print(json.dumps(one(sys.argv[1], int(sys.argv[2]))))
        return
    table = rows(small)
    print_rows(table)
    if small:
        return
    curves = growth()
    grows = exponent(curves["all"], 1024, 8192)
    print(f"Kendall, all pairs: time grows as B^{grows:.2f} from 1,024 to 8,192 (target <= 2.25); {load()}")
    write_rows("kendall", table, {"growth": curves, "exponent": grows})
    plot_growth(curves, RESULTS / "kendall_growth.png")


def one(name: str, size: int) -> dict[str, Any]:
    """What a process of its own measures: a job, the forms in turns with Triplet-HN, or training steps in turns."""
    if name == "steps":
        steps = [training_step(loss) for loss in ("triplet-hn", "bcls", "bcls-and-labels")]
        return {"seconds": seconds_in_turns(steps, 9)}
    if name == "turns":
        return {"seconds": seconds_in_turns([job_of(each, size) for each in ("triplet-hn", *FORMS)], 15)}
    job_of(name, 64)()  # libraries loaded, kernels compiled: neither is the loss's own cost
    return measured(job_of(name, size), repeats=5 if size < 8192 else 3)


if __name__ == "__main__":
    main()
