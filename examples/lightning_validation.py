"""Graded validation in a LightningModule that knows nothing of this package, and the same by torchmetrics alone.

    bcls data scenes scenes
    python examples/lightning_validation.py scenes

Needs the extra `train`. The relevance of made scenes is their true one; for other data take `CaptionRelevance`.
"""

from __future__ import annotations

import sys

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader

from bcls import RetrievalTruth, read_dataset
from bcls.data.images import open_picture
from bcls.data.scenes import open_scene_relevance
from bcls.integrations.lightning import GradedValidation
from bcls.integrations.torchmetrics import RetrievalMetrics


class Pairs(L.LightningModule):
    """Two linear towers over pixels and words, trained by cross entropy."""

    def __init__(self, pixels: torch.Tensor, words: torch.Tensor, caption_image: torch.Tensor) -> None:
        super().__init__()
        self.pixels, self.words, self.caption_image = pixels, words, caption_image
        self.image_tower = torch.nn.Linear(pixels.shape[1], 16)
        self.caption_tower = torch.nn.Linear(words.shape[1], 16)

    def embed(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.image_tower(self.pixels[self.caption_image[rows]]), self.caption_tower(self.words[rows])

    def training_step(self, rows: torch.Tensor, index: int) -> torch.Tensor:
        images, captions = self.embed(rows)
        return torch.nn.functional.cross_entropy(images @ captions.T, torch.arange(len(rows)))

    def validation_step(self, rows: torch.Tensor, index: int) -> dict[str, torch.Tensor]:
        images, captions = self.embed(rows)
        return {"image_embeddings": images, "caption_embeddings": captions, "caption_rows": rows}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=1e-3)


torch.manual_seed(0)
val = read_dataset(sys.argv[1]).split("val")
opened = [np.asarray(open_picture(val.image_path(row)).resize((16, 16)), np.float32) for row in range(len(val.images))]
vocabulary = sorted({word for text in val.caption_texts for word in text.split()})
words = torch.tensor([[float(word in text.split()) for word in vocabulary] for text in val.caption_texts])
module = Pairs(torch.from_numpy(np.stack(opened)).flatten(1) / 255, words, torch.from_numpy(val.caption_image))
rows = torch.arange(len(val.caption_ids))

truth = RetrievalTruth(val.caption_image, len(val.images))
relevance = open_scene_relevance(sys.argv[1], "val")
trainer = L.Trainer(
    max_epochs=3,
    callbacks=[GradedValidation(truth, relevance=relevance)],  # this line is all
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
)
trainer.fit(module, DataLoader(rows, 16, shuffle=True), DataLoader(rows, 16))
print(f"Lightning     ndcg@10 {trainer.callback_metrics['validation/ndcg@10']:.4f}")

metrics = RetrievalMetrics(truth, relevance=relevance)
with torch.no_grad():
    for batch in rows.split(16):
        metrics.update(*module.embed(batch), caption_rows=batch)
print(f"torchmetrics  ndcg@10 {metrics.compute()['ndcg@10']:.4f}")
