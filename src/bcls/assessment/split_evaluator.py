"""Evaluating a model on a split of a data set: the model embeds, `bcls.evaluation` computes the metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bcls.assessment.model_similarity import ModelSimilarity, SetsOfModel, evaluating, model_similarity
from bcls.data import RetrievalDataset
from bcls.data.images import ImageSource
from bcls.evaluation import RetrievalTruth, evaluate_similarity, per_query_reranked, per_query_similarity, summarise
from bcls.evaluation.similarity import PairSource
from bcls.models import RetrievalModel
from bcls.progress import progress
from bcls.relevance import RelevanceSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 256
KEPT_LABELS = 1 << 26


class SplitEvaluator:
    """Metrics of a model on one split.

    Captions are tokenized once, and the continuous labels of all pairs are made once where they take no more than
    256 MB, so that each call only embeds and ranks.

    Args:
        part: the split.
        images: its images, as the model's tower takes them.
        model: whose towers tokenize; any model with the same vocabulary can be evaluated.
        relevance: continuous labels of the split, or a matrix of them (images, captions); None for binary metrics only.
        protocol: the evaluation's name of the task.
    """

    def __init__(
        self,
        part: RetrievalDataset,
        images: ImageSource,
        model: RetrievalModel,
        relevance: RelevanceSource | NDArray[Any] | None = None,
        protocol: str = "whole",
    ) -> None:
        self._images = images
        self._captions = model.caption_tower.tokenize(part.caption_texts)
        self.truth = RetrievalTruth(
            part.caption_image, len(part.images), image_ids=part.image_ids, caption_ids=part.caption_ids
        )
        self._relevance = _kept(relevance, self.truth)
        self._protocol = protocol

    def __call__(self, model: RetrievalModel) -> dict[str, float]:
        """All metrics; the model's mode (training or evaluation) is put back afterwards."""
        return self.summary(self.queries(model))

    def queries(self, model: RetrievalModel) -> dict[str, NDArray[np.float64]]:
        """Every query's own result, as `per_query` has it."""
        return self.queries_by(self.similarity(model))

    def queries_by(self, similarity: PairSource) -> dict[str, NDArray[np.float64]]:
        """Every query's own result by a similarity of the split, whoever made it."""
        return per_query_similarity(similarity, self.truth, protocol=self._protocol, relevance=self._relevance)

    def queries_reranked(
        self, model: RetrievalModel, first: ModelSimilarity, top: int
    ) -> dict[str, NDArray[np.float64]]:
        """Every query's own result where the model ranks the first `top` candidates of another similarity anew."""
        with evaluating(model):
            encoded = self._image_blocks(model), self._caption_blocks(model)
            second = SetsOfModel(model, *encoded) if model.similarity.takes_sets else model_similarity(model, *encoded)
        return per_query_reranked(
            first, second, self.truth, top=top, protocol=self._protocol, relevance=self._relevance
        )

    def summary(self, queries: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
        """All metrics, from what `queries` returned."""
        return summarise(queries, self.truth, self._protocol)

    def metric_names(self) -> list[str]:
        """The metrics that a call gives, told without a model."""
        return metric_names(graded=self._relevance is not None)

    def similarity(self, model: RetrievalModel) -> ModelSimilarity:
        """The model's similarity of every image with every caption of the split, as the evaluation takes it."""
        with evaluating(model):
            return model_similarity(model, self._image_blocks(model), self._caption_blocks(model))

    def embed(self, model: RetrievalModel) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Embeddings of all images (images, dim) and captions (captions, dim) of the split, on the CPU.

        Raises:
            InputError: the model's embeddings are sets of vectors.
        """
        model.require_vectors()
        with evaluating(model):
            images = [block.cpu() for block in self._image_blocks(model)]
            captions = [block.cpu() for block in self._caption_blocks(model)]
        return torch.cat(images).numpy(), torch.cat(captions).numpy()

    def _image_blocks(self, model: RetrievalModel) -> Iterator[torch.Tensor]:
        for rows in progress(_blocks(len(self._images)), "embedding images", unit="block"):
            yield model.encode_image(self._images.gather(rows))

    def _caption_blocks(self, model: RetrievalModel) -> Iterator[torch.Tensor]:
        for rows in progress(_blocks(len(self.truth.caption_image)), "embedding captions", unit="block"):
            yield model.encode_text(self._captions.select(torch.from_numpy(rows)))


def metric_names(*, graded: bool) -> list[str]:
    """The metrics of a split.

    Args:
        graded: whether there are continuous labels to evaluate by.
    """
    relevance = np.eye(2) if graded else None
    return list(evaluate_similarity(np.eye(2), RetrievalTruth.from_counts([1, 1]), relevance=relevance))


def _kept(
    relevance: RelevanceSource | NDArray[Any] | None, truth: RetrievalTruth
) -> RelevanceSource | NDArray[Any] | None:
    """The labels of all pairs, where they are few enough to stay in memory."""
    if relevance is None or isinstance(relevance, np.ndarray) or truth.images * truth.captions > KEPT_LABELS:
        return relevance
    return relevance.matrix(np.arange(truth.images), np.arange(truth.captions))


def _blocks(count: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, count, BLOCK):
        yield np.arange(start, min(count, start + BLOCK), dtype=np.int64)
