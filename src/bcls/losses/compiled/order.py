"""Stable sorting of a query's candidates in linear time."""

from __future__ import annotations

from typing import Any

import numpy as np

from bcls.losses.compiled.kernel import kernel

LONG = 1024


@kernel
def order_of(values: Any, descending: bool, order: Any, spare: Any) -> None:
    """Write the stable order of finite values into `order`.

    float32 values are sorted by their bits, a digit at a time; float64 values by merging.

    Args:
        values: (n,) float32 or float64 without NaN; -0.0 and 0.0 are equal.
        descending: the largest first.
        order: (n,) int32, the result.
        spare: (n,) int32, scratch.
    """
    n = len(values)
    if values.itemsize == 8:
        signed = -values if descending else values
        order[:] = np.argsort(signed, kind="mergesort").astype(np.int32)
        return
    clean = np.empty(n, np.float32)
    for j in range(n):
        clean[j] = values[j] + np.float32(0.0)
    keys = clean.view(np.uint32)
    turn = np.uint32(0xFFFFFFFF) if descending else np.uint32(0)
    for j in range(n):
        bits = keys[j]
        flip = np.uint32(0xFFFFFFFF) if bits >> np.uint32(31) else np.uint32(0x80000000)
        keys[j] = bits ^ flip ^ turn
        order[j] = j
    width = 11 if n >= LONG else 8
    _sort_by_digits(keys, width, order, spare)


@kernel
def _sort_by_digits(keys: Any, width: int, order: Any, spare: Any) -> None:
    n = len(keys)
    digits = (31 + width) // width
    size = 1 << width
    mask = np.uint32(size - 1)
    counts = np.zeros((digits, size), np.int32)
    for j in range(n):
        key = keys[j]
        for digit in range(digits):
            counts[digit, (key >> np.uint32(digit * width)) & mask] += 1
    moved = False
    for digit in range(digits):
        shift = np.uint32(digit * width)
        here = counts[digit]
        if here[(keys[0] >> shift) & mask] == n:
            continue  # all keys agree in this digit
        total = 0
        for value in range(size):
            count = here[value]
            here[value] = total
            total += count
        source, target = (spare, order) if moved else (order, spare)
        for place in range(n):
            j = source[place]
            value = (keys[j] >> shift) & mask
            target[here[value]] = j
            here[value] += 1
        moved = not moved
    if moved:
        order[:n] = spare[:n]
