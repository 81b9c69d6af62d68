"""What an exported model retrieves, beside the model that it was made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from bcls.assessment.inputs import image_source, open_splits
from bcls.assessment.split_evaluator import SplitEvaluator
from bcls.data import RetrievalDataset
from bcls.data.images import ImageSource
from bcls.evaluation import RetrievalTruth, evaluate
from bcls.models import RetrievalModel
from bcls.models.exported import OnnxTowers
from bcls.progress import progress

BLOCK = 256


def evaluate_exported(
    model: RetrievalModel, folder: Path, data: str, split: str, features: str | None, *, int8: bool
) -> dict[str, dict[str, float]]:
    """Metrics of the model in torch and of its exported files on one split.

    Args:
        model: that was exported to `folder`.
        folder: of the ONNX files.
        data: path of the data set.
        split: which part.
        features: name of the features that the image tower takes; None = pictures. A tower that takes either is
            evaluated on pictures: its exported file takes nothing else.
        int8: whether there are quantized files to evaluate, too.

    Returns:
        `torch`, `onnx` and perhaps `int8` -> metrics.

    Raises:
        InputError: unknown split or features, or data that do not fit the model.
    """
    if hasattr(model.image_tower, "prepare"):
        features = None
    part = open_splits(data, [split], features).split(split)
    images = image_source(part, features, model)
    metrics = {"torch": SplitEvaluator(part, images, model)(model)}
    for name in ("onnx", "int8") if int8 else ("onnx",):
        towers = OnnxTowers(folder, model.caption_tower, int8=name == "int8")
        metrics[name] = _evaluate(towers, part, images, name)
    return metrics


def _evaluate(towers: OnnxTowers, part: RetrievalDataset, images: ImageSource, name: str) -> dict[str, float]:
    texts = part.caption_texts
    pictures = [
        towers.encode_image(images.gather(np.arange(start, min(start + BLOCK, len(images)), dtype=np.int64)))
        for start in progress(range(0, len(images), BLOCK), f"images by {name}", unit=f" x {BLOCK}")
    ]
    captions = [
        towers.encode_text(texts[start : start + BLOCK])
        for start in progress(range(0, len(texts), BLOCK), f"captions by {name}", unit=f" x {BLOCK}")
    ]
    truth = RetrievalTruth(part.caption_image, len(part.images), image_ids=part.image_ids, caption_ids=part.caption_ids)
    return evaluate(torch.cat(pictures).numpy(), torch.cat(captions).numpy(), truth)
