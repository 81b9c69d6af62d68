"""Any loss of this package for the `SentenceTransformerTrainer`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from bcls.arrays import to_array, to_rows
from bcls.errors import InputError
from bcls.losses import BCLSLoss, RetrievalLoss, gather_rows
from bcls.precision import inner_products, unit_rows
from bcls.relevance import RelevanceSource

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

CITATION = """
@misc{li2022bcls,
    title={Image-Text Retrieval with Binary and Continuous Label Supervision},
    author={Li and Guo and Feng and Hwang and Jin and Zhang},
    year={2022},
    eprint={2210.11319},
    archivePrefix={arXiv},
}
"""


class GradedRetrievalLoss(nn.Module):
    """Any loss of this package over the pairs of a batch, for the `SentenceTransformerTrainer`.

    The loss sees the whole (images, captions) matrix of the batch, with the relevance of every pair in it, not of the
    matched ones alone. The same image under several captions in one batch is known by its row, and no negative. With
    several processes the batch is that of all of them.

    Args:
        model: embeds both columns: a multimodal one such as CLIP, or a text model for two columns of text.
        relevance: continuous labels of the training data by row, e.g. `CaptionRelevance`.
        caption_image: (captions,) the image row of each caption.
        loss: what is computed from the matrices; None = `BCLSLoss()`.

    Requirements: the model is trained by cosine.

    Inputs:
        | columns | label |
        |---|---|
        | image, caption | row of the caption in `caption_image`: `dataset.add_column("label", range(len(dataset)))` |

    Relations: `MultipleNegativesRankingLoss` is the same with `loss=InfoNCELoss()`, where no image comes twice;
    `CoSENTLoss` has labels for the matched pairs alone.

    Example:
        >>> from bcls.relevance import CaptionRelevance, TfidfScorer
        >>> captions, caption_image = ["a red dog", "a blue dog", "a blue cat"], np.arange(3)
        >>> relevance = CaptionRelevance(TfidfScorer().fit(captions).encode(captions), caption_image)
        >>> model = nn.Identity()  # a SentenceTransformer
        >>> loss = GradedRetrievalLoss(model, relevance, caption_image)
        >>> columns = [{"sentence_embedding": torch.eye(2)}, {"sentence_embedding": torch.eye(2)}]
        >>> loss(columns, labels=torch.tensor([2, 0])) < 0.001
        tensor(True)
    """

    def __init__(
        self,
        model: SentenceTransformer,
        relevance: RelevanceSource,
        caption_image: NDArray[np.int64],
        loss: RetrievalLoss | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.relevance = relevance
        self.caption_image = to_rows(caption_image, "caption_image")
        self.loss = BCLSLoss() if loss is None else loss

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            sentence_features: the two columns, images and captions, as the model's `preprocess` gives them.
            labels: (pairs,) the row of each caption.

        Raises:
            InputError: not two columns, or labels that are no rows.
        """
        return self.compute_loss_from_embeddings(
            [self.model(features)["sentence_embedding"] for features in sentence_features], labels
        )

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor) -> Tensor:
        """The loss from the embeddings of both columns, as `forward` has it."""
        if len(embeddings) != 2:
            raise InputError(f"the data has {len(embeddings)} columns beside the label; two are needed: image, caption")
        caption_rows = gather_rows(self._rows(labels, len(embeddings[1]))).cpu().numpy()
        images, captions = (gather_rows(unit_rows(column)) for column in embeddings)
        image_rows = self.caption_image[caption_rows]
        relevance = None
        if self.loss.uses_relevance:
            graded = to_array(self.relevance.matrix(image_rows, caption_rows), "relevance")
            relevance = torch.tensor(np.ascontiguousarray(graded), device=images.device)
        positives = torch.from_numpy(image_rows[:, None] == image_rows[None, :]).to(images.device)
        return self.loss.combine(self.loss.terms(inner_products(images, captions), relevance, positives))

    def get_config_dict(self) -> dict[str, Any]:
        """The settings, for the model card."""
        return {"loss": repr(self.loss), "relevance": type(self.relevance).__name__}

    @property
    def citation(self) -> str:
        """Of the paper that the method comes from, for the model card."""
        return CITATION

    def _rows(self, labels: Tensor, pairs: int) -> Tensor:
        if labels.numel() != pairs or labels.is_floating_point():
            raise InputError(
                f"the label of a pair is the row of its caption, a whole number; got {tuple(labels.shape)} of "
                f"{labels.dtype}. Scores go into `relevance`, not into the label column"
            )
        outside = labels[(labels < 0) | (labels >= len(self.caption_image))]
        if len(outside):
            raise InputError(f"label {int(outside[0])}: there are {len(self.caption_image)} captions, counted from 0")
        return labels.reshape(-1)
