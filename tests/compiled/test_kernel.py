"""How kernels are compiled, and what is left of them without numba."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

import bcls.compiled.kernel as room
from bcls.compiled.kernel import find_numba, kernel, summing_kernel


def divided(a, b):
    return a / b


class FakeNumba:
    """Notes with which options functions are compiled; refuses a cache on disk where it is told to."""

    def __init__(self, *, cacheable: bool = True) -> None:
        self.asked: list[dict] = []
        self.cacheable = cacheable

    def njit(self, **options):
        self.asked.append(options)

        def compile_it(function):
            if options.get("cache") and not self.cacheable:
                raise RuntimeError("cannot cache function: no locator available")
            return ("compiled", function)

        return compile_it


@pytest.fixture
def numba_is(monkeypatch):
    def put(module):
        monkeypatch.setattr(room, "find_numba", lambda: module)
        return module

    return put


def test_without_numba_a_function_stays_what_it_is(numba_is):
    numba_is(None)
    assert kernel(divided) is divided
    assert summing_kernel(divided) is divided


def test_kernels_leave_pythons_lock_and_are_kept_on_disk(numba_is):
    numba = numba_is(FakeNumba())
    assert kernel(divided) == ("compiled", divided)
    assert numba.asked == [{"cache": True, "nogil": True, "error_model": "numpy"}]


def test_only_a_summing_kernel_may_change_the_order_of_floats(numba_is):
    numba = numba_is(FakeNumba())
    summing_kernel(divided)
    assert numba.asked[0].pop("fastmath") == {"reassoc", "contract"}  # neither NaN nor infinity is assumed away
    kernel(divided)
    assert numba.asked[0] == numba.asked[1]


def test_where_nothing_can_be_kept_on_disk_a_kernel_is_compiled_anew(numba_is):
    numba = numba_is(FakeNumba(cacheable=False))
    assert kernel(divided) == ("compiled", divided)
    assert [options.get("cache", False) for options in numba.asked] == [True, False]
    assert numba.asked[1] == {"nogil": True, "error_model": "numpy"}


@pytest.mark.parametrize("module", [None, "too old"])
def test_a_numba_that_cannot_be_imported_is_none(monkeypatch, module):
    find_numba.cache_clear()
    try:
        if module is None:
            monkeypatch.setitem(sys.modules, "numba", None)
        else:
            monkeypatch.delitem(sys.modules, "numba", raising=False)
            monkeypatch.setattr(sys, "meta_path", [Refusing(), *sys.meta_path])
        assert find_numba() is None
    finally:
        monkeypatch.undo()
        find_numba.cache_clear()


class Refusing:
    """Finds a numba that says it does not fit this numpy."""

    def find_spec(self, name, path=None, target=None):
        if name == "numba":
            raise ImportError("Numba needs NumPy 2.0 or less")


def test_a_numba_that_is_there_is_found():
    numba = pytest.importorskip("numba")
    assert isinstance(numba, types.ModuleType)
    assert find_numba() is numba


def test_a_compiled_division_by_zero_is_numpy_s():
    pytest.importorskip("numba")
    compiled = kernel(divided)
    assert compiled(np.float64(1), np.float64(0)) == np.inf
    assert np.isnan(compiled(np.float64(0), np.float64(0)))
