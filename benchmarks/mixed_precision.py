"""What mixed precision does to the gradient of every loss, and what a float32 similarity costs beside a bfloat16 one.

    python benchmarks/mixed_precision.py            # both tables, into benchmarks/results; two minutes
    python benchmarks/mixed_precision.py --errors   # the table of gradients alone; writes nothing

Gradients: of the output of both towers, batch 128, 512 dimensions, relative to the gradient in float32 throughout.
"rounded" computes in float32 from embeddings that were rounded once to bfloat16, as a tower's last layer rounds them
under autocast; "mixed" is the model's own way under `bf16-mixed`; "bf16 product" is what autocast makes of a product.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from measure import load
from report import print_rows, write_rows
from torch import Tensor

from bcls import losses
from bcls.losses import RetrievalLoss
from bcls.models import AttentionFiltration, CrossAttention, GraphReasoning
from bcls.models.similarity import Cosine
from bcls.precision import unit_rows

BATCH, DIM, SEEDS = 128, 512, 3
REGIONS, WORDS, SETS = 36, 12, 32
SPREADS = {"narrow cone": 1.0, "early training": 0.3}
Embed = Callable[[Tensor], Tensor]


def every_loss() -> list[tuple[str, RetrievalLoss]]:
    """One instance of every loss class of the package, and of each form that has another gradient."""
    classes = [getattr(losses, name) for name in losses.__all__]
    plain = [one for one in classes if isinstance(one, type) and issubclass(one, RetrievalLoss)]
    found = [(one.__name__, one()) for one in plain if one is not RetrievalLoss]
    found += [(f"TripletLoss {form}", losses.TripletLoss(negatives=form)) for form in ("hard", "semi-hard", "all")]
    found += [(f"KendallLoss {form}", losses.KendallLoss(pairs=form)) for form in ("all", "window", "stride", "first")]
    return [*found, ("CoSENTLoss batch", losses.CoSENTLoss(within="batch"))]


def batches(spread: float, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs of towers that lie in a cone, as in training, and relevance."""
    torch.manual_seed(seed)
    base = torch.randn(DIM)
    images = unit_rows(base + spread * torch.randn(BATCH, DIM))
    captions = unit_rows(unit_rows(base + spread * torch.randn(BATCH, DIM)) + 0.2 * spread * images)
    relevance = torch.rand(BATCH, BATCH)
    relevance.fill_diagonal_(1.0)
    return 3 * images, 3 * captions, relevance


def gradient(loss: RetrievalLoss, batch: tuple[Tensor, Tensor, Tensor], way: str) -> Tensor:
    """The gradient of the loss by both towers' outputs."""
    images, captions = (part.clone().requires_grad_() for part in batch[:2])
    round_once: Embed = lambda rows: rows if way == "float32" else rows.bfloat16()  # noqa: E731
    units = [unit_rows(round_once(rows)) for rows in (images, captions)]
    with torch.autocast("cpu", torch.bfloat16, enabled=way in {"mixed", "bf16 product"}):
        similarity = units[0] @ units[1].T if way == "bf16 product" else Cosine()(*units)
        total = loss.combine(loss.terms(similarity, batch[2]))
    total.backward()
    assert images.grad is not None
    assert captions.grad is not None
    return torch.cat([images.grad.ravel(), captions.grad.ravel()])


def errors() -> Iterator[dict[str, Any]]:
    """The relative error of each loss's gradient by each way, the mean over seeds."""
    for cone, spread in SPREADS.items():
        for name, loss in every_loss():
            found = {"cone": cone, "loss": name}
            for way in ("rounded", "mixed", "bf16 product"):
                wrong = []
                for seed in range(SEEDS):
                    batch = batches(spread, seed)
                    exact = gradient(loss, batch, "float32")
                    wrong.append(((gradient(loss, batch, way) - exact).norm() / exact.norm()).item())
                found[way] = sum(wrong) / SEEDS
            yield found


def print_errors(rows: list[dict[str, Any]]) -> None:
    """A Markdown table."""
    print("| embeddings | loss | rounded once | bf16-mixed | bf16 product |\n|---|---|--:|--:|--:|")
    for row in rows:
        values = " | ".join(f"{row[way]:.3f}" for way in ("rounded", "mixed", "bf16 product"))
        print(f"| {row['cone']} | {row['loss']} | {values} |")


def _cpu_seconds(jobs: list[Callable[[], None]], repeats: int) -> list[float]:
    """The least processor time of each job, taken in turns on one thread: what else the machine does counts little."""
    best = [float("inf")] * len(jobs)
    for _ in range(repeats):
        for number, job in enumerate(jobs):
            start = time.process_time()
            job()
            best[number] = min(best[number], time.process_time() - start)
    return best


def _sets(count: int, members: int) -> Tensor:
    return F.normalize(torch.randn(count, members, DIM), dim=2)


def cost_of(name: str) -> dict[str, Any]:
    """Forward and backward of a similarity in float32 beside the same arithmetic under autocast to bfloat16."""
    torch.manual_seed(0)
    if name.startswith("Cosine"):
        size = int(name.split("=")[1])
        module: Any = Cosine()
        left, right = F.normalize(torch.randn(size, DIM), dim=1), F.normalize(torch.randn(size, DIM), dim=1)
    else:
        module = {
            "CrossAttention": CrossAttention,
            "GraphReasoning": lambda: GraphReasoning(dim=DIM),
            "AttentionFiltration": lambda: AttentionFiltration(dim=DIM),
        }[name]()
        left, right = _sets(SETS, REGIONS), _sets(SETS, WORDS)
    images, captions = left.requires_grad_(), right.requires_grad_()

    def bare(images: Tensor, captions: Tensor) -> Tensor:
        """The same arithmetic without what keeps autocast away from it."""
        return images @ captions.T if isinstance(module, Cosine) else module.forward(images, captions)

    def job(similarity: Callable[[Tensor, Tensor], Tensor]) -> Callable[[], None]:
        def run() -> None:
            with torch.autocast("cpu", torch.bfloat16):
                total = similarity(images, captions).sum()
            total.backward()

        return run

    ours, baseline = _cpu_seconds([job(module), job(bare)], 15)
    return {
        "name": f"{name} in float32, forward and backward",
        "baseline": "the same by autocast in bfloat16",
        "ours_seconds": ours,
        "baseline_seconds": baseline,
        "ratio": ours / baseline,
        "ours_extra_mb": 0.0,
        "baseline_extra_mb": None,
        "target": "-",
        "met": True,
        "load": load(),
    }


def main() -> None:
    rows = list(errors())
    print_errors(rows)
    if "--errors" in sys.argv:
        return
    torch.set_num_threads(1)
    names = ("Cosine B=128", "Cosine B=512", "Cosine B=2048", "CrossAttention", "GraphReasoning", "AttentionFiltration")
    costs = [cost_of(name) for name in names]
    print_rows(costs)
    print(json.dumps({"results": str(write_rows("mixed_precision", costs, {"gradients": rows}))}))


if __name__ == "__main__":
    main()
