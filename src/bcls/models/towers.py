"""What a tower is: it learns from data what it must know, then turns images or captions into vectors."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import torch
from torch import Tensor, nn

from bcls.errors import InputError
from bcls.models.dropout import Dropout

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image


class CaptionBatch(Protocol):
    """Captions as a tower takes them; rows of a split that was tokenized once can be taken cheaply."""

    def __len__(self) -> int:
        """How many captions."""
        ...

    def select(self, rows: Tensor) -> Self:
        """The captions at `rows` (int64), in that order."""
        ...

    def to(self, device: torch.device | str) -> Self:
        """The same captions on another device."""
        ...


class Tower(nn.Module, ABC):
    """Base of both kinds of tower.

    A tower's constructor takes plain settings only and keeps each under its own name; `fit` learns from data what
    else it must know (sizes, statistics, a vocabulary) and makes the parameters. `fitted` and `restore` carry what
    `fit` learnt, as far as it is not a tensor, through a JSON file.

    Attributes:
        dim: size of the vectors.
        gives_sets: whether `members` gives the vectors before they are pooled.
        needs: an optional package that the tower cannot do without, as (module, extra of this package); None = none.
    """

    dim: int
    gives_sets: ClassVar[bool] = False
    needs: ClassVar[tuple[str, str] | None] = None

    def hyperparameters(self) -> dict[str, Any]:
        """The constructor's arguments by name."""
        names = inspect.signature(type(self).__init__).parameters
        return {name: getattr(self, name) for name in names if name != "self"}

    @abstractmethod
    def fitted(self) -> dict[str, Any] | None:
        """What `fit` learnt that is not a tensor, JSON-able; None before `fit`."""

    @abstractmethod
    def restore(self, fitted: dict[str, Any]) -> None:
        """Make the parameters from `fitted()` of a saved tower, ready for its state dict."""

    def members(self, inputs: Any) -> Tensor:
        """A set of vectors for each image or caption (a region or a word each), for a similarity that compares sets.

        Returns:
            (inputs, longest, dim), not normalised; padding is zero.

        Raises:
            InputError: the tower has single vectors only.
        """
        raise InputError(f"{type(self).__name__} gives one vector each, no set of vectors")

    def pretrained_parameters(self) -> list[nn.Parameter]:
        """Parameters that come trained from elsewhere and want a smaller learning rate; none by default."""
        return []

    def rate_scales(self) -> dict[nn.Parameter, float]:
        """The factor on the learning rate of each pretrained parameter; those that are not named have 1."""
        return {}

    def require_fitted(self) -> None:
        """Raise `InputError` where `fit` or `restore` has not been called."""
        if self.fitted() is None:
            raise InputError(f"{type(self).__name__} knows no data yet: call fit, or load a saved model")


class ImageTower(Tower):
    """Turns images into vectors of `dim`.

    Attributes:
        fit_images: how many training images `fit` wants to see at most.
        feature_axes: of the features that it takes: 2 = (images, dim), 3 = (images, regions, dim); None = either.
    """

    fit_images: ClassVar[int] = 2000
    feature_axes: ClassVar[int | None] = None

    @property
    def takes_features(self) -> bool:
        """Whether it takes precomputed features; a tower of pictures alone does not."""
        return True

    def require_features(self, about: dict[str, Any]) -> None:
        """Raise `InputError` where features that were computed as `about` tells are not those that it takes."""

    @abstractmethod
    def fit(self, sample: NDArray[np.floating[Any]] | Sequence[Image.Image]) -> None:
        """Learn sizes and statistics from a sample of training images, and make the parameters."""

    @abstractmethod
    def project(self, images: Tensor) -> Tensor:
        """(images, ...) as the tower takes them -> (images, dim), not normalised."""

    def forward(self, images: Tensor) -> Tensor:
        """`project`, after a check that the tower is fitted."""
        self.require_fitted()
        return self.project(images)


class CaptionTower(Tower):
    """Turns captions into vectors of `dim`."""

    @abstractmethod
    def fit(self, captions: Sequence[str]) -> None:
        """Learn a vocabulary from training captions, and make the parameters."""

    @abstractmethod
    def tokenize(self, captions: Sequence[str]) -> CaptionBatch:
        """Captions as `project` takes them."""

    @abstractmethod
    def project(self, captions: Any) -> Tensor:
        """Tokenized captions -> (captions, dim), not normalised."""

    def forward(self, captions: Any) -> Tensor:
        """`project`, after a check that the tower is fitted."""
        self.require_fitted()
        return self.project(captions)


def require_share(name: str, value: float) -> None:
    """Raise `InputError` where a dropout rate is not in [0, 1)."""
    if not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise InputError(f"{name} is {value}; it is a share, at least 0 and below 1")


def require_sizes(**sizes: int | None) -> None:
    """Raise `InputError` where a size is given (not None) and is no whole number of at least 1."""
    for name, size in sizes.items():
        if size is not None and (not isinstance(size, int) or size < 1):
            raise InputError(f"{name} is {size!r}; it must be a whole number, at least 1")


def residual_projection(inputs: int, outputs: int, hidden: int | None, dropout: float) -> nn.Module:
    """Dropout and a linear map; with `hidden`, plus a two-layer perceptron beside it.

    Args:
        inputs: size of the last axis.
        outputs: size of the last axis of the result.
        hidden: width of the perceptron's middle; None = no perceptron.
        dropout: share of inputs (and of the perceptron's middle) zeroed in training.
    """
    straight = nn.Sequential(Dropout(dropout), nn.Linear(inputs, outputs))
    if hidden is None:
        return straight
    return _Residual(
        straight,
        nn.Sequential(
            Dropout(dropout),
            nn.Linear(inputs, hidden),
            nn.ReLU(),
            Dropout(dropout),
            nn.Linear(hidden, outputs),
        ),
    )


class _Residual(nn.Module):
    def __init__(self, straight: nn.Module, perceptron: nn.Module) -> None:
        super().__init__()
        self.straight = straight
        self.perceptron = perceptron

    def forward(self, inputs: Tensor) -> Tensor:
        straight: Tensor = self.straight(inputs)
        beside: Tensor = self.perceptron(inputs)
        return straight + beside
