"""Graded labels in a loop with pytorch-metric-learning: its distances and regularizers, this package's loss.

    bcls data scenes scenes
    python examples/metric_learning_loop.py scenes

Needs the extra `metric-learning`.
"""

from __future__ import annotations

import sys

import torch
from pytorch_metric_learning.regularizers import LpRegularizer

from bcls import CaptionRelevance, CiderScorer, RetrievalModel, read_dataset
from bcls.data import UniqueImageBatchSampler
from bcls.data.images import open_picture
from bcls.integrations.pytorch_metric_learning import GradedPairLoss
from bcls.models import BagOfWordsTower, ConvTower

EPOCHS, BATCH = 5, 12

torch.manual_seed(0)
train = read_dataset(sys.argv[1]).split("train")
files = [open_picture(train.image_path(row)) for row in range(len(train.images))]
model = RetrievalModel(ConvTower(dim=32, channels=(8, 16), image_size=32), BagOfWordsTower(dim=32, minimum_count=1))
model.image_tower.fit(files)
model.caption_tower.fit(train.caption_texts)
pictures, captions = model.image_tower.prepare(files), model.caption_tower.tokenize(train.caption_texts)
scorer = CiderScorer().fit(train.caption_texts, train.caption_image)
labels = CaptionRelevance(scorer.encode(train.caption_texts), train.caption_image)

loss = GradedPairLoss(embedding_regularizer=LpRegularizer(), embedding_reg_weight=0.01)  # was: NTXentLoss(...)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
sampler = UniqueImageBatchSampler(train.caption_image, BATCH, seed=0)
for epoch in range(EPOCHS):
    sampler.set_epoch(epoch)
    total = 0.0
    for rows in sampler:
        images = train.caption_image[rows]
        image_embeddings = model.encode_image(pictures[images])
        caption_embeddings = model.encode_text(captions.select(torch.from_numpy(rows)))
        relevance = torch.from_numpy(labels.matrix(images, rows))
        value = loss(image_embeddings, relevance, ref_emb=caption_embeddings)  # was: labels, ref_emb=, ref_labels=
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        total += value.item() / len(sampler)
    print(f"epoch {epoch + 1}/{EPOCHS}  mean loss {total:.4f}")
