"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


@cache
def find_numba() -> Any:
    """The module, or None where it is not installed or too old for this numpy. Loading it takes half a second."""
    try:
        import numba  # noqa: PLC0415
    except ImportError:
        return None
    return numba


def kernel(function: Function) -> Function:
    """Compile a function over arrays, exact in its floating-point order; without numba it stays as it is."""
    return _compile(function)


def summing_kernel(function: Function) -> Function:
    """As `kernel`, for sums of floats whose order the compiler may choose; it chooses once, so equal rows sum alike."""
    return _compile(function, fastmath={"reassoc", "contract"})


def _compile(function: Function, **options: Any) -> Function:
    numba = find_numba()
    if numba is None:
        return function
    options |= {"nogil": True, "error_model": "numpy"}
    try:
        return cast(Function, numba.njit(cache=True, **options)(function))
    except RuntimeError:  # no folder to keep machine code in: compile anew in each process
        return cast(Function, numba.njit(**options)(function))
