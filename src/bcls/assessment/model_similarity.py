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

    Single vectors are compared by the evaluation's own cosine; of sets each pair is compared once, when it is asked
    for: until then the model must not change.

    Args:
        model: compares.
        images: blocks of embeddings of `encode_image`.
        captions: blocks of embeddings of `encode_text`.
    """
    if isinstance(model.similarity, Cosine):
        return CosineSimilarity(*(torch.cat([block.cpu() for block in side]).numpy() for side in (images, captions)))
    sets = SetsOfModel(model, images, captions)
    return KeptSimilarity(sets, len(sets.images), len(sets.captions))


class SetsOfModel:
    """Encoded sets, without padding and where they were encoded; any block of pairs is compared when it is asked for.

    Args:
        model: compares.
        images: blocks of embeddings of `encode_image`.
        captions: blocks of embeddings of `encode_text`.
    """

    def __init__(self, model: RetrievalModel, images: Iterable[torch.Tensor], captions: Iterable[torch.Tensor]) -> None:
        self._model = model
        self.images = PackedSets(images)
        self.captions = PackedSets(captions)

    def __call__(self, images: NDArray[np.int64], captions: NDArray[np.int64]) -> torch.Tensor:
        """The similarities of these images and captions, shape (len(images), len(captions))."""
        with evaluating(self._model):
            left, right = self.images.take(torch.from_numpy(images)), self.captions.take(torch.from_numpy(captions))
            compared: torch.Tensor = self._model.similarity(left, right)
            return compared.float().cpu()
