"""Where compiled kernels are worth their loading.

A kernel is a plain function over arrays in `bcls.evaluation.kernels`, see `bcls.compiled`. For small tasks, and without
numba, the callers take their way through numpy, which gives the same numbers.
"""

from __future__ import annotations

from bcls.compiled.kernel import find_numba

COMPILED_FROM = 8_000_000
"""Scores from which a kernel is used: loading numba and its kernels takes up to half a second."""


def compiled_pays(scores: int) -> bool:
    """Whether a task of so many scores should take compiled kernels: it is large, and numba is there.

    Example:
        >>> compiled_pays(100)
        False
    """
    return scores >= COMPILED_FROM and find_numba() is not None
