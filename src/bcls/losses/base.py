"""What every loss has in common: one call, its terms by name, and how they make one number."""

from __future__ import annotations

import inspect
import warnings
from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from bcls.losses.matrices import require_relevance


class RetrievalLoss(nn.Module, ABC):
    """A loss of a similarity matrix and its labels.

    Losses see matrices only, never a model. Every loss is called in the same way, `loss(similarity, relevance,
    positives)`, and ignores the labels that it does not use. A subclass sets `uses_relevance` and defines `terms`; it
    defines `combine` too if the loss is not the plain sum of its terms.

    Args:
        validate: whether every call checks the values of scores and labels: finite scores, relevance in [0, 1], at
            least one positive pair. The result of such a check has to be read from the device, so that the program
            waits for it, and `torch.compile` breaks the graph there. Without the checks no loss of this package waits
            for the device, and each compiles with `fullgraph=True`; a wrong value then gives a wrong loss. Shapes and
            number formats are checked in any case. The value of the loss may differ in its last digits: positive
            pairs are then a mask instead of a list, whose length only the device knows.

    Attributes:
        uses_relevance: whether the loss needs continuous labels.

    Example:
        >>> import torch
        >>> class MeanDistance(RetrievalLoss):
        ...     uses_relevance = False
        ...
        ...     def terms(self, similarity, relevance=None, positives=None):
        ...         return {"mean_distance": (1 - similarity).diagonal().mean()}
        >>> MeanDistance()(torch.tensor([[0.5, 0.1], [0.2, 0.7]]))
        tensor(0.4000)
    """

    uses_relevance: ClassVar[bool]

    def __init__(self, *, validate: bool = True) -> None:
        super().__init__()
        self.validate = validate

    def forward(self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None) -> Tensor:
        """The loss.

        Args:
            similarity: (images, captions) scores, finite; float16 and bfloat16 are computed in float32.
            relevance: (images, captions) in [0, 1], NaN = unknown; ignored by a loss that does not use it.
            positives: (images, captions) bool; None = the diagonal of a square matrix; ignored by a loss that does not
                use it.

        Returns:
            A scalar.

        Raises:
            InputError: a wrong shape, a score that is not finite, and for the labels that the loss uses: none, a
                relevance outside [0, 1], no positive at all.
        """
        if self.uses_relevance:
            require_relevance(relevance)
        elif positives is None and relevance is not None and not _is_continuous(relevance):
            warnings.warn(
                f"{type(self).__name__}(similarity, positives) is deprecated: use positives=positives; the second "
                "argument of every loss is relevance",
                DeprecationWarning,
                stacklevel=4,  # the caller of the module, above two frames of torch
            )
            relevance, positives = None, relevance
        return self.combine(self.terms(similarity, relevance, positives))

    @abstractmethod
    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The unweighted terms by name, from the arguments of `forward`."""

    def combine(self, terms: dict[str, Tensor]) -> Tensor:
        """The loss from its terms: their sum, unless a loss weighs them."""
        first, *rest = terms.values()
        for term in rest:
            first = first + term
        return first

    def extra_repr(self) -> str:
        """The settings, for `print`: what the constructor takes, as far as the loss keeps it by the same name.

        Settings of a loss within this one are printed there.
        """
        names = [name for name in inspect.signature(type(self)).parameters if hasattr(self, name)]
        return ", ".join(f"{name}={_shown(getattr(self, name))}" for name in names)


def _is_continuous(labels: object) -> bool:
    return isinstance(labels, Tensor) and labels.is_floating_point()


def _shown(setting: object) -> str:
    return f"{setting.item():.6g}" if isinstance(setting, Tensor) else repr(setting)
