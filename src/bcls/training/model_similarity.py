"""What a model makes of a split, as the evaluation takes it: something that fills blocks of the similarity matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from bcls.evaluation import CosineSimilarity, KeptSimilarity
from bcls.models import Cosine, RetrievalModel
from bcls.models.packed_sets import PackedSets

ModelSimilarity: TypeAlias = CosineSimilarity | KeptSimilarity


@contextmanager
def evaluating(model: RetrievalModel) -> Iterator[None]:
    """Inference in evaluation mode; the model's mode is put back afterwards."""
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(training)


def model_similarity(
    model: RetrievalModel, images: Iterable[torch.Tensor], captions: Iterable[torch.Tensor]
) -> ModelSimilarity:
    """The similarity of encoded images and captions by a model.

    Single vectors are compared by the evaluation's own cosine. Sets are kept without padding where they were encoded;
    each pair is compared once, by the model, when it is asked for: until then the model must not change.

    Args:
        model: compares.
        images: blocks of embeddings of `encode_image`.
        captions: blocks of embeddings of `encode_text`.
    """
    if isinstance(model.similarity, Cosine):
        return CosineSimilarity(*(torch.cat([block.cpu() for block in side]).numpy() for side in (images, captions)))
    sides = PackedSets(images), PackedSets(captions)

    def ask(image_rows: NDArray[np.int64], caption_rows: NDArray[np.int64]) -> torch.Tensor:
        with evaluating(model):
            left, right = sides[0].take(torch.from_numpy(image_rows)), sides[1].take(torch.from_numpy(caption_rows))
            compared: torch.Tensor = model.similarity(left, right)
            return compared.float().cpu()

    return KeptSimilarity(ask, len(sides[0]), len(sides[1]))
