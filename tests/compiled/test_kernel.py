"""How kernels are compiled, and what is left of them without numba."""

from __future__ import annotations

import importlib
import sys
import types

import numpy as np
import pytest

import bcls.compiled.kernel as room
from bcls.compiled.kernel import find_numba, kernel, summing_kernel


def divided(a, b):
    return a / b


@pytest.fixture
def options():
    """`options(compiled)`: the options with which the real numba compiles a function."""
    dispatcher = pytest.importorskip("numba.core.dispatcher").Dispatcher

    def of(compiled):
        assert isinstance(compiled, dispatcher)
        return dict(compiled.targetoptions)

    return of


def test_without_numba_a_function_stays_what_it_is(monkeypatch):
    monkeypatch.setattr(room, "find_numba", lambda: None)
    assert kernel(divided) is divided
    assert summing_kernel(divided) is divided


def test_kernels_leave_pythons_lock_and_are_kept_on_disk(options, tmp_path, monkeypatch):
    compiled = kernel(function_of_file(tmp_path, monkeypatch))
    given = options(compiled)
    assert (given["nogil"], given["error_model"]) == (True, "numpy")
    assert "fastmath" not in given
    assert compiled(np.float64(3), np.float64(2)) == 1.5
    assert list((tmp_path / "__pycache__").glob("*.nbi"))


def function_of_file(folder, monkeypatch):
    """`divided` in a module of its own, beside which numba may keep machine code."""
    (folder / "of_file.py").write_text("def divided(a, b):\n    return a / b\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "of_file", raising=False)
    return importlib.import_module("of_file").divided


def test_only_a_summing_kernel_may_change_the_order_of_floats(options):
    given = options(summing_kernel(divided))
    assert given.pop("fastmath") == {"reassoc", "contract"}  # neither NaN nor infinity is assumed away
    assert given == options(kernel(divided))


def test_where_nothing_can_be_kept_on_disk_a_kernel_is_compiled_anew(options):
    """Numba finds no folder for a function that stands in no file."""
    numba = pytest.importorskip("numba")
    names: dict = {}
    exec("def divided(a, b):\n    return a / b", names)
    with pytest.raises(RuntimeError, match="no locator available"):
        numba.njit(cache=True)(names["divided"])
    compiled = kernel(names["divided"])
    given = options(compiled)
    assert (given["nogil"], given["error_model"]) == (True, "numpy")
    assert compiled(np.float64(3), np.float64(2)) == 1.5


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
