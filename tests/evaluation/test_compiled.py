"""Compiled kernels give what numpy gives, bit for bit."""

from __future__ import annotations

import builtins

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.compiled import kernel
from bcls.errors import InputError
from bcls.evaluation import compiled, kendall_tau_b, ndcg
from bcls.evaluation.kendall import count_inversions, ranked_tau_b
from bcls.evaluation.ranking import rank

pytest.importorskip("numba")


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(compiled, "COMPILED_FROM", 0)


def test_small_tasks_do_not_load_numba():
    assert not compiled.compiled_pays(compiled.COMPILED_FROM - 1)
    assert compiled.compiled_pays(compiled.COMPILED_FROM)


def test_without_numba_nothing_is_compiled(monkeypatch):
    def refuse(name, *arguments, **settings_):
        if name == "numba":
            raise ImportError(name)
        return load(name, *arguments, **settings_)

    load = builtins.__import__
    kernel.find_numba.cache_clear()
    monkeypatch.setattr(builtins, "__import__", refuse)
    assert not compiled.compiled_pays(10**12)
    assert kernel.kernel(len) is len
    monkeypatch.undo()
    kernel.find_numba.cache_clear()


@pytest.mark.parametrize("width", [1, 2, 63, 64, 65, 4095, 4096, 4097, 13_000])
def test_inversions_are_those_of_numpy(width):
    from bcls.evaluation.kernels.tau import GROUP, inversions

    random = np.random.default_rng(width)
    rows = np.argsort(random.random((3, width)), axis=1)
    groups = width // (64 * GROUP) + 1
    room = np.empty(groups * GROUP, np.uint64), np.empty((groups, GROUP), np.int16), np.empty(groups, np.int32)
    counted = [inversions(row.astype(np.uint64), *room) for row in rows]
    assert counted == count_inversions(rows.astype(np.int32)).tolist()


pair = st.tuples(
    st.sampled_from([-3.5, -1e-30, -0.0, 0.0, 1e-30, 0.25, 1e9]) | st.floats(-1, 1, width=32),
    st.sampled_from([np.nan, -5e-7, 0.0, 0.5, 1.0, 1 + 5e-7]) | st.floats(0, 1),
)


@given(st.lists(pair, min_size=1, max_size=30), st.sampled_from([np.float32, np.float64]))
@settings(deadline=None, max_examples=150)
def test_a_ranking_and_its_tau_are_those_of_numpy(pairs, dtype):
    scores = np.array([[score for score, _ in pairs]], dtype=np.float32)
    relevance = np.array([[value for _, value in pairs]], dtype=dtype)
    slow, fast = rank(scores, relevance), rank(scores, relevance, fast=True)
    np.testing.assert_array_equal(fast.keys, slow.keys)
    np.testing.assert_array_equal(fast.known, slow.known)
    np.testing.assert_array_equal(ranked_tau_b(fast, fast=True), ranked_tau_b(slow))
    np.testing.assert_array_equal(ranked_tau_b(fast.top(7), fast=True), ranked_tau_b(slow.top(7)))


@pytest.mark.parametrize("levels", [2, 9, 100_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_whole_lists_are_those_of_numpy(always, monkeypatch, levels, dtype):
    random = np.random.default_rng(levels)
    scores = (random.integers(0, levels, (40, 5001)) - levels // 2).astype(dtype)
    relevance = random.integers(0, levels, (40, 5001)) / levels
    relevance[random.random(relevance.shape) < 0.1] = np.nan
    relevance[5], scores[6] = np.nan, 1
    fast = [kendall_tau_b(scores, relevance), kendall_tau_b(scores, relevance, 100), ndcg(scores, relevance)]
    monkeypatch.setattr(compiled, "COMPILED_FROM", 10**12)
    slow = [kendall_tau_b(scores, relevance), kendall_tau_b(scores, relevance, 100), ndcg(scores, relevance)]
    np.testing.assert_array_equal(fast, slow)


def test_a_bad_number_is_named_by_its_row_of_the_whole(always):
    scores, relevance = np.zeros((40, 5000), np.float32), np.zeros((40, 5000), np.float32)
    relevance[33, 7] = 1.5
    for metric in (kendall_tau_b, ndcg):
        with pytest.raises(InputError, match=r"query 33 and candidate 7 is 1\.5"):
            metric(scores, relevance)
    scores[21, 9] = np.inf
    with pytest.raises(InputError, match="query 21 and candidate 9 is inf"):
        kendall_tau_b(scores, relevance)
