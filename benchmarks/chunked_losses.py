"""Chunked losses against the whole matrix where it fits, and against the bare matrix products where it does not.

    python benchmarks/chunked_losses.py     # median of 5 at B=4,096; one run each at B=32,768, some minutes

Forward and backward, 512 dimensions, float32. "products" are the three that any dense loss needs (scores, gradient of
the images, gradient of the captions), in the same square blocks and with nothing in between.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from measure import extra_megabytes_of, in_own_process, load, measured
from report import print_rows, write_rows
from torch import Tensor

from bcls.losses import BCLSLoss, ChunkedLoss, InfoNCELoss, KendallLoss, RetrievalLoss, TripletLoss, triplet_loss

DIMENSIONS, LABEL_DIMENSIONS, BLOCK = 512, 32, 2048
FITS, LARGE = 4096, 32_768
LOSSES: dict[str, Callable[[], RetrievalLoss]] = {
    "Triplet-SN": TripletLoss,
    "InfoNCE, learnable temperature": lambda: InfoNCELoss(learnable_temperature=True),
    "SW-HS boundary": KendallLoss,
    "SW-HS first": lambda: KendallLoss(pairs="first"),
    "BCLS": BCLSLoss,
}


def embeddings(size: int) -> tuple[Tensor, Tensor]:
    """Captions that resemble their images, as leaves."""
    torch.manual_seed(0)
    images = F.normalize(torch.randn(size, DIMENSIONS), dim=1)
    captions = F.normalize(images + 0.1 * torch.randn(size, DIMENSIONS), dim=1)
    return images.requires_grad_(), captions.requires_grad_()


def label_maker(size: int) -> Callable[[slice, slice], Tensor]:
    """Relevance by the block, as a scorer with short encodings makes it."""
    torch.manual_seed(1)
    codes = F.normalize(torch.randn(size, LABEL_DIMENSIONS), dim=1)
    return lambda images, captions: (codes[images] @ codes[captions].T).add_(1).div_(2).clamp_(0, 1)


def products(images: Tensor, captions: Tensor) -> None:
    """The three matrix products, a block at a time."""
    with torch.no_grad():
        of_images, of_captions = torch.zeros_like(images), torch.zeros_like(captions)
        scores = images.new_empty(min(BLOCK, len(images)), min(BLOCK, len(captions)))
        for i in range(0, len(images), BLOCK):
            rows = slice(i, i + BLOCK)
            for j in range(0, len(captions), BLOCK):
                columns = slice(j, j + BLOCK)
                torch.mm(images[rows], captions[columns].T, out=scores)
                of_images[rows].addmm_(scores, captions[columns])
                of_captions[columns].addmm_(scores.T, images[rows])


def by_autograd(similarity: Tensor) -> Tensor:
    """Triplet-SN as it is usually written, for one direction and then the other."""
    positives = torch.eye(len(similarity), dtype=torch.bool)
    total = similarity.new_zeros(())
    for scores in (similarity, similarity.T):
        pull = torch.logsumexp((scores / 0.05).masked_fill(positives, -torch.inf), dim=1)
        total = total + 0.05 * F.softplus(pull + (0.2 - scores.diagonal()) / 0.05).mean() / 2
    return total


def job_of(name: str, way: str, size: int) -> Callable[[], None]:
    """Forward and backward."""
    images, captions = embeddings(size)
    if way == "products":
        return lambda: products(images, captions)
    if way in {"matrix", "autograd"}:
        similarity = (images @ captions.T).detach().requires_grad_()
        one: Callable[[Tensor], Tensor] = triplet_loss if way == "matrix" else by_autograd
        return lambda: torch.autograd.backward(one(similarity), inputs=[similarity])
    make, loss = label_maker(size), LOSSES[name]()
    if way == "chunked":
        chunked = ChunkedLoss(loss, BLOCK)
        return lambda: chunked(images, captions, relevance=make).backward()
    every = slice(0, size)
    return lambda: loss.combine(
        loss.terms(images @ captions.T, make(every, every) if loss.uses_relevance else None)
    ).backward()


def _own(name: str, way: str, size: int) -> dict[str, Any]:
    run = in_own_process(__file__, name, way, str(size))
    if "error" in run:
        raise SystemExit(f"{name}, {way}, B={size}: {run['error']}")
    return run


def _row(name: str, ours: dict[str, Any], baseline_name: str, baseline: dict[str, Any], target: str) -> dict[str, Any]:
    return {
        "name": name,
        "baseline": baseline_name,
        "ours_seconds": ours["seconds"],
        "baseline_seconds": baseline["seconds"],
        "ratio": ours["seconds"] / baseline["seconds"],
        "ours_extra_mb": ours["extra_mb"],
        "baseline_extra_mb": baseline["extra_mb"],
        "target": target,
        "load": load(),
    }


def rows() -> list[dict[str, Any]]:
    """All claims about chunked losses."""
    result = []
    for name in LOSSES:
        ours, whole = _own(name, "chunked", FITS), _own(name, "whole", FITS)
        row = _row(f"{name}, chunked, B={FITS}", ours, "the whole matrix", whole, "<= 2.5 time, less memory")
        result.append({**row, "met": row["ratio"] <= 2.5 and row["ours_extra_mb"] < row["baseline_extra_mb"]})
    ours, usual = _own("", "matrix", FITS), _own("", "autograd", FITS)
    row = _row(f"Triplet-SN of a matrix, B={FITS}", ours, "the formula by autograd", usual, "<= 1 time, <= 0.7 memory")
    result.append({**row, "met": row["ratio"] <= 1 and row["ours_extra_mb"] <= 0.7 * row["baseline_extra_mb"]})
    for name in ("Triplet-SN", "SW-HS boundary"):
        bare, ours = _own("", "products", LARGE), _own(name, "chunked", LARGE)
        row = _row(f"{name}, chunked, B={LARGE} (1 run)", ours, "3 products (1 run)", bare, "< 2,048 MB")
        result.append({**row, "met": row["ours_extra_mb"] < 2048})
    return result


def main() -> None:
    if len(sys.argv) == 4:
        name, way, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
        job_of(name, way, 256)()  # libraries loaded, kernels compiled: neither is the loss's own cost
        job = job_of(name, way, size)
        if size < LARGE:
            print(json.dumps(measured(job)))
            return
        start = time.perf_counter()
        extra = extra_megabytes_of(job)
        print(json.dumps({"seconds": time.perf_counter() - start, "extra_mb": extra}))
        return
    table = rows()
    print_rows(table)
    print(f"B={FITS}: median of 5; B={LARGE}: one run; {load()}")
    write_rows("chunked_losses", table, {"block": BLOCK, "dimensions": DIMENSIONS})


if __name__ == "__main__":
    main()
