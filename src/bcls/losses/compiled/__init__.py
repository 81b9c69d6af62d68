"""The Kendall loss compiled for the CPU by numba: one pass over a query's candidates after a radix sort.

Needs the extra `fast`. Nothing here is imported before `bcls.losses.engine` has found numba.
"""

from __future__ import annotations

from bcls.losses.compiled.hinge import run_rows
from bcls.losses.compiled.kendall import compiled_kendall, kendall_rows

__all__ = ["compiled_kendall", "kendall_rows", "run_rows"]
