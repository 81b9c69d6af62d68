"""Fine-tune CLIP with graded labels by the trainer of sentence-transformers.

    bcls data scenes scenes
    python examples/sentence_transformers_clip.py openai/clip-vit-base-patch32 scenes

Needs the extra `sentence-transformers`. The first word is a local folder, or a hub id that is downloaded; the second is
any data set with pictures and the splits `train` and `val`. The labels come from CIDEr-D between captions.
"""

from __future__ import annotations

import sys

from PIL import Image
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments

from bcls import CaptionRelevance, CiderScorer, RetrievalTruth, read_dataset
from bcls.integrations.datasets import to_datasets
from bcls.integrations.sentence_transformers import GradedRetrievalEvaluator, GradedRetrievalLoss

model = SentenceTransformer(sys.argv[1])
train, val = (read_dataset(sys.argv[2]).split(part) for part in ("train", "val"))
scorer = CiderScorer().fit(train.caption_texts, train.caption_image)
labels, judge = (CaptionRelevance(scorer.encode(part.caption_texts), part.caption_image) for part in (train, val))

trainer = SentenceTransformerTrainer(
    model=model,
    args=SentenceTransformerTrainingArguments(
        "runs/sentence_transformers",
        num_train_epochs=3,
        per_device_train_batch_size=12,
        learning_rate=1e-4,
        report_to=[],
    ),
    train_dataset=to_datasets(train),  # columns image, caption, label = row of the caption
    loss=GradedRetrievalLoss(model, labels, train.caption_image),  # was: MultipleNegativesRankingLoss(model)
    evaluator=GradedRetrievalEvaluator(
        [Image.open(val.image_path(row)) for row in range(len(val.images))],
        val.caption_texts,
        RetrievalTruth(val.caption_image, len(val.images)),
        relevance=judge,
        name="val",
    ),
)
trainer.train()
for name, value in trainer.evaluator(model).items():
    if name in ("val_rsum", "val_ndcg@10", "val_tau_b"):
        print(f"{name:<12} {value:.3f}")
