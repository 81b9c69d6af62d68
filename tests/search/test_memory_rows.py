"""Records in memory: what is there now, and what an earlier view goes on seeing."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.search.filters import Condition, Filter
from bcls.search.memory_rows import KEPT_FILTERS, MemoryRows
from bcls.search.memory_segments import Change


def change(records, deleted=()):
    vectors = np.array([[value, -value] for _, value in records], np.float32).reshape(-1, 2)
    return Change([(name, {"count": value}) for name, value in records], vectors, list(deleted))


def seen(view, where=None):
    rows = view.rows(where or Filter()).tolist()
    return {view.ids[row]: (view.values[row]["count"], view.vectors[row].tolist()) for row in rows}


names = st.sampled_from("abcdef")


@given(st.lists(st.tuples(st.lists(st.tuples(names, st.integers(0, 9)), max_size=4), st.sets(names)), max_size=8))
@settings(max_examples=40, deadline=None)
def test_like_a_dictionary_and_every_earlier_view_stays_as_it_was(changes):
    rows, kept, views = MemoryRows(2), {}, []
    for records, deleted in changes:
        there = sorted(deleted & kept.keys())
        rows.apply(change(records, there))
        for name in there:
            del kept[name]
        kept |= dict(records)
        views.append((rows.view, {name: (value, [value, -value]) for name, value in kept.items()}))
        assert len(rows) == len(kept)
    for view, expected in views:
        assert seen(view) == expected
    for name in "abcdef":
        record = rows.get(name)
        assert (name in rows) == (name in kept) == (record is not None)
        if record is not None:
            assert (record.id, dict(record.fields), record.vector.tolist()) == (
                name,
                {"count": kept[name]},
                [kept[name], -kept[name]],
            )
    again = MemoryRows(2)
    again.apply(rows.whole())
    assert seen(again.view) == seen(rows.view)
    assert len(again.view.vectors) == len(kept)  # nothing deleted is carried along


def test_rows_beyond_the_first_buffer_keep_what_was_there():
    rows = MemoryRows(2)
    views = []
    for start in range(0, 300, 50):
        rows.apply(change([(f"r{n}", n) for n in range(start, start + 50)]))
        views.append(rows.view)
    rows.apply(change([("r0", 7)]))
    assert [len(view.rows(Filter())) for view in views] == [50, 100, 150, 200, 250, 300]
    for view in views:
        np.testing.assert_array_equal(view.vectors[:, 0], np.arange(len(view.vectors)))
    assert rows.get("r0").fields == {"count": 7}
    assert len(rows) == 300


def test_a_record_that_is_given_out_is_a_copy():
    rows = MemoryRows(2)
    rows.apply(change([("a", 1)]))
    rows.get("a").vector[:] = 5
    assert rows.get("a").vector.tolist() == [1, -1]


def test_a_filter_lets_through_living_rows_in_ascending_order():
    rows = MemoryRows(2)
    rows.apply(change([(name, value) for value, name in enumerate("abcdef")]))
    rows.apply(change([("b", 9)], ["e"]))
    where = Filter((Condition("count", ">=", 3),))
    found = rows.view.rows(where)
    assert found.dtype == np.int64
    assert [rows.view.ids[row] for row in found] == ["d", "f", "b"]
    assert [rows.view.ids[row] for row in rows.view.rows(Filter((Condition("id", "in", ("a", "e")),)))] == ["a"]
    assert rows.view.rows(Filter((Condition("count", "=", 77),))).tolist() == []


def test_a_view_keeps_what_the_first_filters_let_through_and_a_new_one_asks_anew():
    rows = MemoryRows(2)
    rows.apply(change([("a", 1)]))
    filters = [Filter((Condition("count", ">", bound),)) for bound in range(-KEPT_FILTERS, 5)]
    first = [rows.view.rows(where) for where in filters]
    assert rows.view.rows(filters[0]) is first[0]
    assert len(rows.view.allowed) == KEPT_FILTERS
    assert rows.view.rows(filters[-1]).tolist() == first[-1].tolist() == []
    rows.apply(change([("b", 2)]))
    assert rows.view.rows(filters[0]).tolist() == [0, 1]


def test_nothing_at_all():
    rows = MemoryRows(3)
    assert rows.view.rows(Filter()).tolist() == []
    assert rows.view.vectors.shape == (0, 3)
    assert rows.whole().is_empty
    assert rows.get("a") is None
