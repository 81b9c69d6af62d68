"""SAF: the parts of a pair that tell little are filtered out."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from bcls.models.alignments import AlignmentSimilarity
from bcls.models.set_similarity import BLOCK


class AttentionFiltration(AlignmentSimilarity):
    """SGRAF's similarity attention filtration (SAF).

    The vectors of alikeness s_p of a pair, one for the whole and one for each word, are summed with weights
    sigmoid(w . s_p + b), which are made to sum to 1; the sum, at length 1, is scored. So words such as "the", which fit
    any image, can count for little. Cost for each pair: words x dim x similarity_dim multiplications.

    In the paper batch normalisation stands inside the sigmoid. In evaluation it is one more scale and shift, which w
    and b contain; in training it would make a pair's similarity depend on what else is in its block. It is left out.

    Args:
        dim: size of the towers' vectors.
        similarity_dim: size of the vectors of alikeness; the paper has 256.
        dropout: share zeroed inside the summaries in training.
        block: numbers that an intermediate tensor may hold, see `SetSimilarity`.

    Source: Diao et al., Similarity Reasoning and Filtration for Image-Text Matching, arXiv 2101.01368, sections 3.2
    and 3.4.

    Example:
        >>> import torch
        >>> AttentionFiltration(dim=4, similarity_dim=3)(torch.randn(2, 5, 4), torch.randn(3, 6, 4)).shape
        torch.Size([2, 3])
    """

    def __init__(self, *, dim: int = 512, similarity_dim: int = 256, dropout: float = 0.4, block: int = BLOCK) -> None:
        super().__init__(dim=dim, similarity_dim=similarity_dim, dropout=dropout, block=block)
        self.filter = nn.Linear(similarity_dim, 1)

    def gathered(self, alike: Tensor, real: Tensor) -> Tensor:
        """The filtered sum."""
        gates = self.filter(alike)[..., 0].sigmoid() * real
        weights = gates / gates.sum(dim=2, keepdim=True)
        return F.normalize((weights[..., None] * alike).sum(dim=2), dim=2)
