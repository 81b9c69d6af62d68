"""How kernels are compiled, and what numba does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numba.extending

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a function without the interpreter's lock, exact in its floating-point order, kept on disk."""
    return cast(Function, numba.njit(nogil=True, cache=True, error_model="numpy")(function))


def _popcount(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return numba.types.uint64(numba.types.uint64), generate


popcount = cast("Callable[[Any], int]", numba.extending.intrinsic(_popcount))
"""Number of set bits of a uint64; inside kernels only."""
