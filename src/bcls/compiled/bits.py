"""Bits counted by one instruction, which numba does not offer by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from bcls.compiled.kernel import find_numba


def _count(word: Any) -> int:
    return int(word).bit_count()


def _compiled_count(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    types = find_numba().types
    return types.uint64(types.uint64), generate


def _made() -> Callable[[Any], Any]:
    if find_numba() is None:
        return _count
    from numba.extending import intrinsic  # noqa: PLC0415

    return cast("Callable[[Any], Any]", intrinsic(_compiled_count))


popcount = _made()
"""Number of set bits of a uint64; inside kernels only."""
