"""The number of set bits, with and without numba."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bcls.compiled.bits as room
import bcls.compiled.kernel

WORDS = [0, 1, 3, 1 << 63, 2**64 - 1, 0x5555_5555_5555_5555, (1 << 63) | 1]


@pytest.fixture(scope="module")
def compiled():
    numba = pytest.importorskip("numba")

    @numba.njit
    def counts(words):
        found = np.empty(len(words), np.int64)
        for place in range(len(words)):
            found[place] = int(room.popcount(words[place]))
        return found

    return counts


def test_a_compiled_kernel_counts_the_bits_of_any_word(compiled):
    random = np.random.default_rng(0).integers(0, 2**64, 500, dtype=np.uint64).tolist()
    words = WORDS + random
    assert compiled(np.array(words, np.uint64)).tolist() == [bin(word).count("1") for word in words]


@given(st.integers(0, 2**64 - 1))
def test_without_numba_python_counts_them(word):
    assert room._count(np.uint64(word)) == bin(word).count("1")


def test_without_numba_the_count_is_python_s_own(monkeypatch):
    monkeypatch.setattr(bcls.compiled.kernel, "find_numba", lambda: None)
    spec = importlib.util.spec_from_file_location("bits_without_numba", room.__file__)
    alone = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(alone)
    assert [alone.popcount(np.uint64(word)) for word in WORDS] == [bin(word).count("1") for word in WORDS]
