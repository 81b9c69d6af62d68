"""A tiny CLIP or SigLIP, fine-tuned on made scenes by InfoNCE and by BCLS, judged by the true relevance; offline.

python examples/finetune_on_scenes.py clip

Nothing is downloaded, so the model is first pretrained on scenes of its own by the loss its kind is published with.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import tiny_models
import torch
from transformers import AutoModel, AutoProcessor

from bcls.cli.arguments import require_training
from bcls.data import RetrievalDataset, UniqueImageBatchSampler, read_dataset
from bcls.data.images import open_picture
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
    parser.add_argument("--train", type=int, default=1200, help="pictures to learn from; as many others to pretrain on")
    parser.add_argument("--pretraining", type=int, default=8, help="epochs of it")
    given, more = parser.parse_known_args()  # the rest is for bcls train, e.g. --optimization.epochs 3
    require_training("this example")
    start = time.monotonic()
    data = given.output / "data"
    if not data.exists():
        make_scenes(data, splits={"pretrain": given.train, "train": given.train, "val": max(8, given.train // 4)})
    folder = given.output / f"{given.kind}-seed{given.seed}"
    if not folder.exists():
        torch.manual_seed(int(given.seed))
        others = read_dataset(data).split("pretrain")
        tiny_models.KINDS[given.kind](folder, others.caption_texts, width=64, image=64, patch=8)
        pretrain(folder, others, given.pretraining)
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


def pretrain(folder: Path, scenes: RetrievalDataset, epochs: int, batch_size: int = 64) -> None:
    """Train a model on a folder's scenes by the loss that transformers computes for it, and save it where it was."""
    model, processor = AutoModel.from_pretrained(folder).train(), AutoProcessor.from_pretrained(folder)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    pictures = [open_picture(scenes.image_path(row)) for row in range(len(scenes.image_ids))]
    pixels = processor.image_processor(pictures, return_tensors="pt")["pixel_values"]
    words = processor.tokenizer(scenes.caption_texts, padding="max_length", truncation=True, return_tensors="pt")
    batches = UniqueImageBatchSampler(scenes.caption_image, batch_size, seed=0)
    for epoch in range(epochs):
        batches.set_epoch(epoch)
        for rows in batches:
            texts = {name: values[rows] for name, values in words.items()}
            loss = model(pixel_values=pixels[scenes.caption_image[rows]], **texts, return_loss=True).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"pretraining, epoch {epoch + 1} of {epochs}: loss {loss.item():.2f}", flush=True)
    model.save_pretrained(folder)


if __name__ == "__main__":
    main()
