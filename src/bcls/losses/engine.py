"""Which implementation computes a Kendall loss: compiled for the CPU, or torch on any device."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Literal

from torch import Tensor

from bcls.errors import InputError, MissingExtraError

Engine = Literal["auto", "compiled", "torch"]
ENGINES: tuple[Engine, ...] = ("auto", "compiled", "torch")
WORTH_COMPILING = 1 << 12


def choose_engine(similarity: Tensor, engine: Engine = "auto") -> Literal["compiled", "torch"]:
    """The implementation for a matrix.

    Both give the same value and gradient. `auto` takes the compiled one (numba, extra `fast`) where it is installed,
    the matrix lies on the CPU and has at least 4,096 scores: compiling takes some seconds, once an installation.

    Args:
        similarity: (images, captions).
        engine: `auto`, or the one to take.

    Returns:
        The one that is taken.

    Raises:
        InputError: `compiled` was asked for a matrix that is not on the CPU.
        MissingExtraError: `compiled` was asked for without numba.

    Example:
        >>> import torch
        >>> choose_engine(torch.zeros(2, 2))
        'torch'
    """
    if engine == "torch":
        return "torch"
    if engine == "auto":
        fits = similarity.device.type == "cpu" and similarity.numel() >= WORTH_COMPILING
        return "compiled" if fits and _has_numba() else "torch"
    if similarity.device.type != "cpu":
        raise InputError(f"engine 'compiled' runs on the CPU, but similarity is on {similarity.device}: use 'torch'")
    if not _has_numba():
        raise MissingExtraError("the compiled Kendall loss", "fast")
    return "compiled"


@cache
def _has_numba() -> bool:
    return find_spec("numba") is not None
