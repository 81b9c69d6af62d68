"""BCLS in a plain PyTorch loop, on Flickr8k: the run of configs/flickr8k/bcls.yaml without Lightning.

    python examples/plain_loop.py ../shared/data/flickr8k

Needs the extra `text`. Prints the metrics of the last epoch on val; one epoch takes about 8 s on 2 cores.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from bcls import BCLSLoss, RetrievalModel, RetrievalTruth, SentenceScorer, evaluate, read_dataset
from bcls.data import UniqueImageBatchSampler
from bcls.data.labels import label_split
from bcls.models import BagOfWordsTower, PooledFeatureTower

EPOCHS, BATCH, RATE, WARMUP = 10, 128, 1e-3, 0.1

torch.manual_seed(0)
dataset = read_dataset(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/flickr8k")
train, val = dataset.split("train"), dataset.split("val")
features = {part: part.features["cnn_pooled"].gather(part.feature_rows("cnn_pooled")) for part in (train, val)}
labels = label_split(dataset, "train", SentenceScorer("all-MiniLM-L6-v2"), Path("runs/flickr8k/labels"))

model = RetrievalModel(PooledFeatureTower(dim=512), BagOfWordsTower(dim=512))
model.image_tower.fit(features[train])
model.caption_tower.fit(train.caption_texts)
captions = model.caption_tower.tokenize(train.caption_texts)

loss = BCLSLoss()
sampler = UniqueImageBatchSampler(train.caption_image, BATCH, seed=0)
steps = EPOCHS * len(sampler)
optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, fused=True)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=WARMUP)

for epoch in range(EPOCHS):
    model.train()
    sampler.set_epoch(epoch)
    for rows in sampler:
        images = train.caption_image[rows]
        similarity = model(torch.from_numpy(features[train][images]), captions.select(torch.from_numpy(rows)))
        relevance = torch.from_numpy(labels.matrix(images, rows))
        total = loss(similarity, relevance)
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        schedule.step()
    print(f"epoch {epoch + 1}/{EPOCHS}  loss of the last batch {total.item():.4f}")

model.eval()
with torch.inference_mode():
    image_vectors, caption_vectors = model.encode_image(features[val]), model.encode_text(val.caption_texts)
metrics = evaluate(image_vectors.numpy(), caption_vectors.numpy(), RetrievalTruth(val.caption_image, len(val.images)))
for name in ("image_to_text/recall@1", "text_to_image/recall@1", "rsum"):
    print(f"{name:<24} {metrics[name]:.1f}")
