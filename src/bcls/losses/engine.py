"""Which implementation computes a Kendall loss: compiled (CPU), torch (any device), or by name Triton (CUDA)."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Literal

import torch
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
    - `torch` everywhere else, on CUDA too.

    `triton` (all pairs on CUDA; extra `triton`, which torch's CUDA builds bring along) is taken by name only: its
    numbers are tested in Triton's interpreter, but it has never run on a GPU.

    Args:
        similarity: (images, captions).
        engine: `auto`, or the one to take.
        pairs: which pairs the loss compares.

    Returns:
        The one that is taken.

    Raises:
        InputError: an engine was asked for that does not run there.
        MissingExtraError: `compiled` was asked for without numba, or `triton` without triton.

    Example:
        >>> import torch
        >>> choose_engine(torch.zeros(2, 2))
        'torch'
    """
    device = similarity.device.type
    if engine == "auto":
        pays = device == "cpu" and similarity.numel() >= WORTH_COMPILING and _has_numba()
        return "compiled" if pays else "torch"
    if engine == "compiled" and device != "cpu":
        raise InputError(f"engine 'compiled' runs on the CPU, but similarity is on {similarity.device}: use 'torch'")
    if engine == "compiled" and not _has_numba():
        raise MissingExtraError("the compiled Kendall loss", "fast")
    if engine == "triton" and (device != "cuda" or pairs != "all"):
        raise InputError(f"engine 'triton' counts all pairs on CUDA; here: {pairs!r} on {similarity.device}")
    if engine == "triton" and not _has_triton():
        raise MissingExtraError("the Triton kernel of the Kendall loss", "triton")
    return engine


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator,unused-ignore]
def _has_numba() -> bool:
    """Whether numba is there; `torch.compile` asks once and does not look inside."""
    return find_numba() is not None


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator,unused-ignore]
@cache
def _has_triton() -> bool:
    return find_spec("triton") is not None
