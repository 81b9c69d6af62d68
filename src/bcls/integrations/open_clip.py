"""Losses of this package with the call of open_clip's. Needs nothing of open_clip itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bcls.losses import BCLSLoss, RetrievalLoss, gather_relevance, gather_rows
from bcls.precision import inner_products


class GradedClipLoss(nn.Module):
    """Any loss of this package where open_clip has `ClipLoss`.

    The loss sees the plain cosines of the batch: its margin and temperature are on their scale, so `logit_scale` and
    `logit_bias` do not enter the value (they get a gradient of zero, so that distributed training does not miss it). In
    a distributed run the batch is that of all processes, gathered with gradient, and every process computes the loss of
    the whole of it, as open_clip does with `gather_with_grad` and without `local_loss`. A local loss is not offered:
    the Kendall term is a mean over the ordered pairs of all queries, which is not the mean of local means.

    Args:
        loss: what is computed from the matrices; None = `BCLSLoss()`.

    Example:
        >>> from bcls.losses import TripletLoss
        >>> loss = GradedClipLoss(TripletLoss(margin=0.2, temperature=0.05))
        >>> images, captions = torch.eye(2), torch.tensor([[0.6, 0.8], [0.8, 0.6]])
        >>> loss(images, captions, logit_scale=torch.tensor(100.0))
        tensor(0.4000)
    """

    def __init__(self, loss: RetrievalLoss | None = None) -> None:
        super().__init__()
        self.loss = BCLSLoss() if loss is None else loss

    def forward(
        self,
        image_features: Tensor,
        text_features: Tensor,
        logit_scale: Tensor,
        logit_bias: Tensor | None = None,
        output_dict: bool = False,
        *,
        relevance: Tensor | None = None,
        image_ids: Tensor | None = None,
    ) -> Tensor | dict[str, Tensor]:
        """The loss of a batch.

        Args:
            image_features: (pairs, dimensions) of this process, of length 1, as open_clip's models give them.
            text_features: (pairs, dimensions).
            logit_scale: of the model; not used.
            logit_bias: of the model; not used.
            output_dict: whether to return `{"graded_loss": loss}`.
            relevance: (pairs, pairs) of this process, or already of all processes, in [0, 1], NaN = unknown. What is
                given for this process alone leaves pairs across processes unknown. None for losses that need none.
            image_ids: (pairs,) integers: pairs of equal ids are positives of each other; None = every image is another.

        Raises:
            InputError: what the loss refuses.
        """
        images, captions = gather_rows(image_features), gather_rows(text_features)
        if relevance is not None and relevance.shape != (len(images), len(captions)):
            relevance = gather_relevance(relevance.to(images.device))  # NCCL gathers nothing from the CPU
        positives = None
        if image_ids is not None:
            ids = gather_rows(image_ids.to(images.device))
            positives = ids[:, None] == ids[None, :]
        total = self.loss.combine(self.loss.terms(inner_products(images, captions), relevance, positives))
        unused = [value for value in (logit_scale, logit_bias) if value is not None]
        total = total + 0.0 * sum(torch.as_tensor(value).sum() for value in unused)
        return {"graded_loss": total} if output_dict else total
