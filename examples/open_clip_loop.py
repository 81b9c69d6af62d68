"""Fine-tune a model of open_clip with graded labels in a plain loop.

    bcls data scenes scenes
    python examples/open_clip_loop.py ViT-B-32 scenes laion2b_s34b_b79k

Needs open_clip_torch in an environment of its own (it brings torchvision). The first word is an open_clip model, or a
local one as `local-dir:FOLDER`; the last names the weights of a model that open_clip downloads.
"""

from __future__ import annotations

import sys

import open_clip
import torch
from PIL import Image

from bcls import CaptionRelevance, CiderScorer, RetrievalTruth, evaluate, read_dataset
from bcls.data import UniqueImageBatchSampler
from bcls.integrations.open_clip import GradedClipLoss

EPOCHS, BATCH, RATE = 5, 12, 1e-3

name, folder, *weights = sys.argv[1:]
model, _, prepare = open_clip.create_model_and_transforms(name, pretrained=weights[0] if weights else None)
tokenize = open_clip.get_tokenizer(name)
train, val = (read_dataset(folder).split(part) for part in ("train", "val"))
pictures = {
    part: torch.stack([prepare(Image.open(part.image_path(row))) for row in range(len(part.images))])
    for part in (train, val)
}
tokens = tokenize(train.caption_texts)
scorer = CiderScorer().fit(train.caption_texts, train.caption_image)
labels = CaptionRelevance(scorer.encode(train.caption_texts), train.caption_image)

loss = GradedClipLoss()  # was: open_clip.loss.ClipLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
sampler = UniqueImageBatchSampler(train.caption_image, BATCH, seed=0)
for epoch in range(EPOCHS):
    model.train()
    sampler.set_epoch(epoch)
    total = 0.0
    for rows in sampler:
        images = train.caption_image[rows]
        image_features, text_features, logit_scale = model(pictures[train][images], tokens[rows])[:3]
        relevance = torch.from_numpy(labels.matrix(images, rows))
        losses = loss(image_features, text_features, logit_scale, output_dict=True, relevance=relevance)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        total += losses["graded_loss"].item() / len(sampler)
    print(f"epoch {epoch + 1}/{EPOCHS}  mean loss {total:.4f}")

model.eval()
with torch.inference_mode():
    found = model.encode_image(pictures[val]), model.encode_text(tokenize(val.caption_texts))
metrics = evaluate(*found, RetrievalTruth(val.caption_image, len(val.images)))
print(f"rsum on val {metrics['rsum']:.1f}")
