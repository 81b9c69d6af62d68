"""SGR: how the parts of a pair are alike informs how the whole is."""

from __future__ import annotations

from torch import Tensor, nn

from bcls.models.alignments import AlignmentSimilarity
from bcls.models.set_similarity import BLOCK
from bcls.models.towers import require_sizes


class GraphReasoning(AlignmentSimilarity):
    """SGRAF's similarity graph reasoning (SGR).

    The vectors of alikeness s_p of a pair, one for the whole and one for each word, are the nodes of a graph. In each
    step, with matrices of its own,

        s_p <- relu(C sum over q of softmax_q((A s_p) . (B s_q)) s_q)

    and the whole's vector after the last step is scored. Cost for each pair and step: words x similarity_dim x
    (similarity_dim + words) multiplications, after words x dim x similarity_dim for the vectors.

    Args:
        dim: size of the towers' vectors.
        similarity_dim: size of the vectors of alikeness; the paper has 256.
        steps: of reasoning; the paper has 3.
        dropout: share zeroed inside the summaries in training.
        block: numbers that an intermediate tensor may hold, see `SetSimilarity`.

    Source: Diao et al., Similarity Reasoning and Filtration for Image-Text Matching, arXiv 2101.01368, sections 3.2
    and 3.3.

    Example:
        >>> import torch
        >>> GraphReasoning(dim=4, similarity_dim=3)(torch.randn(2, 5, 4), torch.randn(3, 6, 4)).shape
        torch.Size([2, 3])
    """

    def __init__(
        self, *, dim: int = 512, similarity_dim: int = 256, steps: int = 3, dropout: float = 0.4, block: int = BLOCK
    ) -> None:
        super().__init__(dim=dim, similarity_dim=similarity_dim, dropout=dropout, block=block)
        require_sizes(steps=steps)
        self.steps = steps
        self.reasoning = nn.ModuleList(Step(similarity_dim) for _ in range(steps))
        self.apply(_start)

    def gathered(self, alike: Tensor, real: Tensor) -> Tensor:
        """The whole's vector after the last step, in which no other is looked at any more."""
        *steps, last = self.reasoning
        for step in steps:
            alike = step(alike, alike, real)
        whole: Tensor = last(alike[:, :, :1], alike, real)
        return whole[:, :, 0]


def _start(part: nn.Module) -> None:
    """Glorot and Bengio's start, as in the published code.

    PyTorch's own has a third of its variance: after three steps all pairs would be alike, and nothing would be learnt.
    """
    if isinstance(part, nn.Linear):
        nn.init.xavier_uniform_(part.weight)
        nn.init.zeros_(part.bias)


class Step(nn.Module):
    """One step of reasoning: nodes look at all of their pair.

    Args:
        size: of a node.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.asking = nn.Linear(size, size)
        self.asked = nn.Linear(size, size)
        self.change = nn.Linear(size, size)

    def forward(self, looking: Tensor, nodes: Tensor, real: Tensor) -> Tensor:
        """Nodes that look, all nodes (images, captions, nodes, size), (captions, nodes) bool -> looking, changed."""
        edges = self.asked(nodes) @ self.asking(looking).mT  # looked at x looking: a softmax of short rows is slow
        edges = edges.masked_fill(~real[..., None], -float("inf")).softmax(dim=2)
        changed: Tensor = self.change(edges.mT @ nodes).relu()
        return changed
