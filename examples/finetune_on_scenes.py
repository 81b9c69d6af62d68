"""A tiny CLIP or SigLIP, fine-tuned on made scenes by InfoNCE and by BCLS, judged by the true relevance; offline.

python examples/finetune_on_scenes.py clip
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import tiny_models
import torch

from bcls.cli.arguments import require_training
from bcls.data import read_dataset
from bcls.data.scenes import make_scenes
from bcls.evaluation import text_table
from bcls.training import load_config, train

CONFIG = Path(__file__).resolve().parents[1] / "configs" / "scenes" / "pretrained.yaml"
LOSSES = {"infonce": ["--loss", "InfoNCELoss", "--loss.temperature", "0.05"], "bcls": []}
COLUMNS = ["image_to_text/recall@1", "text_to_image/recall@1", "rsum", "ndcg@10", "ndcg", "tau_b"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["clip", "siglip"])
    parser.add_argument("--output", type=Path, default=Path("runs/scenes"))
    parser.add_argument("--seed", default="0", help="of the tiny model and of training")
    parser.add_argument("--train", type=int, default=1200, help="pictures to learn from")
    given, more = parser.parse_known_args()  # the rest is for bcls train, e.g. --optimization.epochs 3
    require_training("this example")
    start = time.monotonic()
    data = given.output / "data"
    if not data.exists():
        make_scenes(data, splits={"train": given.train, "val": max(8, given.train // 4)})
    folder = given.output / f"{given.kind}-seed{given.seed}"
    if not folder.exists():
        torch.manual_seed(int(given.seed))
        captions = read_dataset(data).split("train").caption_texts
        tiny_models.KINDS[given.kind](folder, captions, width=64, image=64, patch=8)
    metrics = {}
    for name, words in LOSSES.items():
        towers = ["--model.image_tower.model", str(folder), "--model.caption_tower.model", str(folder)]
        output = given.output / f"{given.kind}-{name}-seed{given.seed}"
        where = ["--data.path", str(data), "--output", str(output), "--seed", given.seed]
        config, text = load_config(["--config", str(CONFIG), *words, *towers, *where, *more])
        metrics[name] = train(config, text, resume=True).metrics
    print(f"{given.kind} on val, against the true relevance of the scenes:\n")
    print(text_table(metrics, COLUMNS))
    print(f"\n{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
