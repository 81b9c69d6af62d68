"""Where compiled kernels are worth their loading, and how they are compiled.

A kernel is a plain function over arrays in `bcls.evaluation.kernels`. With the extra `fast` numba compiles it, keeps
the machine code on disk for the next process, and runs it without Python's lock, so that threads share the work.
Without numba the callers take their way through numpy, which gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

COMPILED_FROM = 8_000_000
"""Scores from which a kernel is used: loading numba and its kernels takes up to half a second."""

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled_pays(scores: int) -> bool:
    """Whether a task of so many scores should take compiled kernels: it is large, and numba is there.

    Example:
        >>> compiled_pays(100)
        False
    """
    return scores >= COMPILED_FROM and _numba() is not None


def kernel(function: Function) -> Function:
    """Compile a function over arrays; without numba it stays as it is, slow and right."""
    return _compile(function)


def summing_kernel(function: Function) -> Function:
    """As `kernel`, for sums of floats whose order the compiler may choose; it chooses once, so equal rows sum alike."""
    return _compile(function, fastmath={"reassoc", "contract"})


def _compile(function: Function, **options: Any) -> Function:
    numba = _numba()
    if numba is None:
        return function
    try:
        return cast(Function, numba.njit(nogil=True, cache=True, **options)(function))
    except RuntimeError:  # no folder to keep machine code in: compile anew in each process
        return cast(Function, numba.njit(nogil=True, **options)(function))


@cache
def _numba() -> Any:
    try:
        import numba  # noqa: PLC0415
    except ImportError:  # not installed, or too old for this numpy
        return None
    return numba
