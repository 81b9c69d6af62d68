"""Which implementation computes a Kendall loss: compiled for the CPU, Triton on CUDA, or torch on any device."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Literal

from torch import Tensor

from bcls.compiled.kernel import find_numba
from bcls.errors import InputError, MissingExtraError

Chosen = Literal["compiled", "triton", "torch"]
Engine = Literal["auto", "compiled", "triton", "torch"]
ENGINES: tuple[Engine, ...] = ("auto", "compiled", "triton", "torch")
WORTH_COMPILING = 1 << 12


def choose_engine(similarity: Tensor, engine: Engine = "auto", *, pairs: str = "all") -> Chosen:
    """The implementation for a matrix.

    All give the same value and gradient. `auto` takes

    - `compiled` (numba, extra `fast`) on the CPU, where it is installed and the matrix has at least 4,096 scores:
      compiling takes some seconds, once an installation;
    - `triton` for all pairs of float16, bfloat16 or float32 scores on CUDA, where triton is installed (torch's CUDA
      builds bring it);
    - `torch` everywhere else.

    Args:
        similarity: (images, captions).
        engine: `auto`, or the one to take.
        pairs: which pairs the loss compares.

    Returns:
        The one that is taken.

    Raises:
        InputError: an engine was asked for that does not run there.
        MissingExtraError: `compiled` was asked for without numba.

    Example:
        >>> import torch
        >>> choose_engine(torch.zeros(2, 2))
        'torch'
    """
    device = similarity.device.type
    if engine == "auto":
        if device == "cpu" and similarity.numel() >= WORTH_COMPILING and find_numba() is not None:
            return "compiled"
        single = similarity.element_size() <= 4
        return "triton" if device == "cuda" and pairs == "all" and single and _has_triton() else "torch"
    if engine == "compiled" and device != "cpu":
        raise InputError(f"engine 'compiled' runs on the CPU, but similarity is on {similarity.device}: use 'torch'")
    if engine == "compiled" and find_numba() is None:
        raise MissingExtraError("the compiled Kendall loss", "fast")
    if engine == "triton" and (device != "cuda" or pairs != "all" or not _has_triton()):
        raise InputError(
            f"engine 'triton' counts all pairs on CUDA and needs triton; here: {pairs!r} on {similarity.device}"
        )
    return engine


@cache
def _has_triton() -> bool:
    return find_spec("triton") is not None
