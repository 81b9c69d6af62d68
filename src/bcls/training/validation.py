"""Judging a model on a split of a data set: the model embeds, the evaluation room judges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch

from bcls.data import RetrievalDataset
from bcls.data.images import ImageSource
from bcls.evaluation import RetrievalTruth, evaluate
from bcls.models import RetrievalModel
from bcls.progress import progress
from bcls.relevance import RelevanceSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 256


class SplitJudge:
    """Metrics of a model on one split; captions are tokenized once, so that each call only embeds and judges.

    Args:
        part: the split.
        images: its images, as the model's tower takes them.
        model: whose towers tokenize; any model with the same vocabulary can be judged.
        relevance: continuous labels of the split, or None for binary metrics only.
        protocol: the evaluation's name of the task.
    """

    def __init__(
        self,
        part: RetrievalDataset,
        images: ImageSource,
        model: RetrievalModel,
        relevance: RelevanceSource | None = None,
        protocol: str = "whole",
    ) -> None:
        self._images = images
        self._captions = model.caption_tower.tokenize(part.caption_texts)
        self._truth = RetrievalTruth(
            part.caption_image, len(part.images), image_ids=part.image_ids, caption_ids=part.caption_ids
        )
        self._relevance = relevance
        self._protocol = protocol

    def __call__(self, model: RetrievalModel) -> dict[str, float]:
        """All metrics; the model's mode (training or evaluation) is put back afterwards."""
        images, captions = self.embed(model)
        return evaluate(images, captions, self._truth, protocol=self._protocol, relevance=self._relevance)

    def embed(self, model: RetrievalModel) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Embeddings of all images (images, dim) and captions (captions, dim) of the split, on the CPU."""
        training = model.training
        model.eval()
        device = next(model.parameters()).device
        with torch.inference_mode():
            images = [
                model.encode_image(self._images.gather(rows).to(device)).float().cpu()
                for rows in progress(_blocks(len(self._images)), "embedding images", unit="block")
            ]
            captions = [
                model.encode_text(self._captions.select(torch.from_numpy(rows)).to(device)).float().cpu()
                for rows in progress(_blocks(len(self._truth.caption_image)), "embedding captions", unit="block")
            ]
        model.train(training)
        return torch.cat(images).numpy(), torch.cat(captions).numpy()


def _blocks(count: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, count, BLOCK):
        yield np.arange(start, min(count, start + BLOCK), dtype=np.int64)
