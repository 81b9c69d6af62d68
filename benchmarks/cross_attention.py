"""Cross attention (SCAN) over a whole split: time, memory, and the formula without blocks beside it.

    python benchmarks/cross_attention.py               # all of val of Flickr8k, 9 regions an image
    python benchmarks/cross_attention.py --tiles 25    # and all of 1,000 x 5,000 with 36 regions, not one tile of 25

The towers are untrained: neither time nor memory depends on their weights. Times are CPU seconds of the process, so
that what else the machine does counts little.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from measure import extra_megabytes_of, in_own_process, load
from report import print_rows, write_rows

from bcls.assessment.model_similarity import SetsOfModel, evaluating, model_similarity
from bcls.data import read_dataset
from bcls.evaluation.kept_similarity import TILE
from bcls.models import BiGRUTower, CrossAttention, RegionFeatureTower, RetrievalModel
from bcls.models.set_similarity import BLOCK
from bcls.models.similarity import real_members

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "flickr8k"
DIM = 256
PART = (20, 200)
SMALL, LARGE = 36, 1024
BATCH = 128


def encoded() -> tuple[RetrievalModel, torch.Tensor, list[torch.Tensor]]:
    """A SCAN model for the region features of Flickr8k, and the images and captions of val as it encodes them."""
    dataset = read_dataset(DATA)
    part = dataset.split("val")
    features = part.features["cnn_regions"].gather(part.feature_rows("cnn_regions"))
    torch.manual_seed(0)
    towers = RegionFeatureTower(dim=DIM, pooling="mean"), BiGRUTower(dim=DIM, pooling="mean")
    model = RetrievalModel(*towers, CrossAttention())
    model.image_tower.fit(features)
    model.caption_tower.fit(dataset.split("train").caption_texts)
    with evaluating(model):
        tokens = model.caption_tower.tokenize(part.caption_texts)
        rows = torch.arange(len(part.caption_texts)).split(500)
        return model, model.encode_image(features), [model.encode_text(tokens.select(some)) for some in rows]


def formula(images: torch.Tensor, captions: torch.Tensor, smoothing: float) -> torch.Tensor:
    """The same similarity with every word's attended vector made, for all pairs at once."""
    products = torch.einsum("ird,twd->itwr", images, captions)
    scores = F.normalize(products.relu(), dim=2)
    found = torch.einsum("itwr,ird->itwd", (smoothing * scores).softmax(dim=3), images)
    cosines = F.cosine_similarity(found, captions[None], dim=3)
    real = real_members(captions)
    return (cosines * real).sum(dim=2) / real.sum(dim=1)


def whole() -> dict[str, float]:
    """Seconds and memory of all pairs of val, as an evaluation asks for them."""
    model, images, captions = encoded()
    similarity = model_similarity(model, [images], captions)
    rows = np.arange(len(images)), np.arange(sum(map(len, captions)))
    start = time.process_time()
    extra = extra_megabytes_of(lambda: similarity(*rows))
    return {"seconds": time.process_time() - start, "extra_mb": extra, "pairs": float(len(rows[0]) * len(rows[1]))}


def part(which: str) -> dict[str, float]:
    """Seconds and memory of a part of val, in blocks or by the formula; and how far the two differ."""
    model, images, captions = encoded()
    left, right = images[: PART[0]], captions[0][: PART[1]]
    jobs = {"blocks": lambda: model.similarity(left, right), "formula": lambda: formula(left, right, 9.0)}
    with torch.inference_mode():
        extra = extra_megabytes_of(jobs[which])
        start = time.process_time()
        jobs[which]()
        seconds = time.process_time() - start
        difference = (jobs["blocks"]() - jobs["formula"]()).abs().max().item()
    return {"seconds": seconds, "extra_mb": extra, "difference": difference}


def many_regions(tiles: int) -> dict[str, float]:
    """Seconds and memory of tiles of an evaluation with 36 regions an image and 1,024 dimensions, random vectors."""
    random = torch.Generator().manual_seed(0)
    model, _, captions = encoded()
    lengths = torch.cat([real_members(block).sum(dim=1) for block in captions])[: TILE[1]]
    words = F.normalize(torch.randn(TILE[1], int(lengths.max()), LARGE, generator=random), dim=2)
    words[torch.arange(words.shape[1]) >= lengths[:, None]] = 0
    regions = F.normalize(torch.randn(TILE[0], SMALL, LARGE, generator=random), dim=2)
    ask = SetsOfModel(model, [regions], [words])
    rows = np.arange(TILE[0]), np.arange(TILE[1])
    start = time.process_time()
    extra = extra_megabytes_of(lambda: [ask(*rows) for _ in range(tiles)])
    return {"seconds": time.process_time() - start, "extra_mb": extra}


def step(block: int) -> dict[str, float]:
    """Seconds and memory of forward and backward over a training batch, random vectors."""
    torch.manual_seed(0)
    regions = F.normalize(torch.randn(BATCH, SMALL, LARGE), dim=2).requires_grad_()
    words = F.normalize(torch.randn(BATCH, 20, LARGE), dim=2)
    words[torch.arange(20) >= torch.randint(6, 21, (BATCH, 1))] = 0
    words.requires_grad_()
    similarity = CrossAttention(block=block)
    extra = extra_megabytes_of(lambda: similarity(regions, words).sum().backward())
    start = time.process_time()
    similarity(regions, words).sum().backward()
    return {"seconds": time.process_time() - start, "extra_mb": extra}


def row(name: str, ours: dict[str, Any], beside: tuple[str, dict[str, Any] | None], target: str, **met: Any) -> Any:
    baseline, theirs = beside
    return {
        "name": name,
        "baseline": baseline,
        "ours_seconds": ours["seconds"],
        "baseline_seconds": None if theirs is None else theirs["seconds"],
        "ratio": float("nan") if theirs is None else ours["seconds"] / theirs["seconds"],
        "ours_extra_mb": ours["extra_mb"],
        "baseline_extra_mb": None if theirs is None else theirs["extra_mb"],
        "target": target,
        **met,
    }


def rows(tiles: int) -> list[dict[str, Any]]:
    """Every measurement, each in a process of its own."""
    jobs = ("whole", "blocks", "formula", "step", "step-at-once")
    found = {name: in_own_process(__file__, "--one", name) for name in jobs}
    found["many"] = in_own_process(__file__, "--one", "many", "--tiles", str(tiles))
    for name, one in found.items():
        if "error" in one:
            raise SystemExit(f"{name}: {one['error']}")
    difference, size = found["blocks"]["difference"], " x ".join(map(str, PART))
    small = found["blocks"]["extra_mb"] <= found["formula"]["extra_mb"]
    share = "all" if tiles == 25 else f"{tiles} of 25 tiles"
    return [
        row(
            "SCAN, all of val: 1,000 x 5,000, 9 regions, 256 dims",
            found["whole"],
            ("-", None),
            "< 1,024 MB, < 1 hour",
            met=found["whole"]["extra_mb"] < 1024 and found["whole"]["seconds"] < 3600,
        ),
        row(
            f"SCAN, {size} of val, in blocks",
            found["blocks"],
            ("the formula at once", found["formula"]),
            "less memory, difference < 1e-5",
            met=small and difference < 1e-5,
            difference=difference,
        ),
        row(
            f"SCAN, {share} of 1,000 x 5,000, 36 regions, 1,024 dims",
            found["many"],
            ("-", None),
            "< 1,024 MB",
            met=found["many"]["extra_mb"] < 1024,
        ),
        row(
            f"SCAN, forward and backward, batch {BATCH}, 36 regions, 1,024 dims",
            found["step"],
            ("one block, nothing computed again", found["step-at-once"]),
            "less memory, <= 1.35 time",
            met=found["step"]["extra_mb"] < found["step-at-once"]["extra_mb"]
            and found["step"]["seconds"] <= 1.35 * found["step-at-once"]["seconds"],
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, default=1, help="of 25 with 36 regions")
    parser.add_argument(
        "--one", choices=["whole", "blocks", "formula", "many", "step", "step-at-once"], help=argparse.SUPPRESS
    )
    arguments = parser.parse_args()
    if arguments.one is not None:
        jobs = {
            "whole": whole,
            "many": lambda: many_regions(arguments.tiles),
            "step": lambda: step(BLOCK),
            "step-at-once": lambda: step(10**12),
        }
        print(json.dumps(jobs.get(arguments.one, lambda: part(arguments.one))()))
        return
    if not DATA.is_dir():
        sys.exit(f"{DATA}: no Flickr8k there: nothing measured")
    table = rows(arguments.tiles)
    print_rows(table)
    print(f"largest difference of the part: {table[1]['difference']:.1e}; {load()}")
    write_rows("cross_attention", table)


if __name__ == "__main__":
    main()
