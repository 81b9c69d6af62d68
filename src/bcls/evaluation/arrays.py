"""Rows taken from arrays."""

from __future__ import annotations

import numpy as np

from bcls.evaluation.truth import Rows


def slice_if_consecutive(rows: Rows) -> Rows | slice:
    """A slice takes a view where an array of row numbers takes a copy."""
    if rows.size and (np.diff(rows) == 1).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows
