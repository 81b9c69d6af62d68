"""The scale-out engine as far as no server is needed: its name, its columns, how `contains` is looked at here.

What needs a server is in test_contract.py and test_faults.py, under the mark `milvus`.
"""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.search import Condition, EngineUnavailableError, Filter, create_index, open_index
from bcls.search.manifest import Manifest, manifest_of
from bcls.search.rescored import MOST

pymilvus = pytest.importorskip("pymilvus")
milvus = pytest.importorskip("bcls.search.milvus")

FIELDS = {"kind": "str", "count": "int", "weight": "float", "good": "bool"}
MANIFEST = Manifest("milvus", 8, "m", FIELDS, {"note": "é"})


@pytest.mark.parametrize(
    "place",
    [
        "milvus://",
        "milvus://host",
        "milvus://host:1",
        "milvus://host:port/name",
        "milvus://host:123456/name",
        "milvus://host:1/1name",
        "milvus://host:1/a-b",
        "milvus://host:1/a/b",
        "milvus://user@host:1/name",
        "milvus://ho st:1/name",
        f"milvus://host:1/{'a' * 256}",
    ],
)
def test_a_place_that_is_none_is_refused(place):
    says = "a Milvus index is named milvus://HOST:PORT/NAME, the name of letters, digits and _"
    for use in (lambda: open_index(place), lambda: create_index(place, dim=2, model="m", fields={})):
        with pytest.raises(InputError) as error:
            use()
        assert str(error.value) == f"{place}: {says}"


def test_fields_that_cannot_be_are_refused_before_the_server_is_asked():
    with pytest.raises(InputError, match="field 'id'"):
        create_index("milvus://127.0.0.1:9/pictures", dim=8, model="m", fields={"id": "str"})


@pytest.mark.parametrize("use", ["open", "create"])
def test_a_server_that_is_not_there_is_unavailable(use):
    place = "milvus://127.0.0.1:9/pictures"
    with pytest.raises(EngineUnavailableError, match=rf"^{place}: does not answer now( \(.*\))?; try again$"):
        open_index(place) if use == "open" else create_index(place, dim=8, model="m", fields=FIELDS)


def test_the_columns_are_those_of_the_fields_and_the_description_comes_back():
    schema = milvus._schema(pymilvus.MilvusClient, MANIFEST).to_dict()
    columns = {one["name"]: (one["type"], one.get("params", {})) for one in schema["fields"]}
    assert columns == {
        "id": (pymilvus.DataType.VARCHAR, {"max_length": 512}),
        "vector": (pymilvus.DataType.FLOAT_VECTOR, {"dim": 8}),
        "f_kind": (pymilvus.DataType.VARCHAR, {"max_length": 65_535}),
        "f_count": (pymilvus.DataType.INT64, {}),
        "f_weight": (pymilvus.DataType.DOUBLE, {}),
        "f_good": (pymilvus.DataType.BOOL, {}),
    }
    assert [one["name"] for one in schema["fields"] if one.get("is_primary")] == ["id"]
    assert not schema["enable_dynamic_field"]
    assert manifest_of(json.loads(schema["description"]), "x") == MANIFEST


def test_a_whole_number_in_a_field_of_numbers_goes_as_one_with_a_point():
    assert [repr(milvus._as(kind, 3)) for kind in ("float", "int")] == ["3.0", "3"]


def test_fields_lose_their_prefix_once_and_other_columns_are_left_out():
    row = {"id": "a", "vector": [1.0], "f_kind": "x", "f_f_kind": "y", "distance": 0.5}
    assert milvus._values(row) == {"kind": "x", "f_kind": "y"}


operators = st.sampled_from(["=", "!=", "in", "contains"])


@given(st.lists(st.builds(Condition, st.just("kind"), operators, st.sampled_from(["a", "b"])), max_size=5))
@settings(deadline=None, max_examples=30)
def test_only_contains_is_left_to_look_at_here(conditions):
    pushed, left = milvus._split(Filter(tuple(conditions)))
    assert list(pushed.conditions) == [one for one in conditions if one.operator != "contains"]
    assert list(left.conditions) == [one for one in conditions if one.operator == "contains"]


class Answered(milvus.MilvusIndex):
    """The engine, where a list of rows stands for the server; the nearest come first."""

    def __init__(self, names: list[str]) -> None:
        super().__init__("milvus://h:1/x", None, "x", Manifest("milvus", 2, "m", {"kind": "str"}, {}))
        angles = np.linspace(0.1, 1, len(names))
        vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
        self.rows = [
            {"id": f"r{place:05d}", "vector": vector, "f_kind": name}
            for place, (name, vector) in enumerate(zip(names, vectors, strict=True))
        ]
        self.asked: list[tuple[int, Filter]] = []

    def _ask(self, query, where, count):
        self.asked.append((count, where))
        return self.rows[:count]


QUERY = np.float32([[1, 0]])


def found(index, text, k):
    return [hit.id for hit in index.search(QUERY, k, where=Filter.parse(text))[0]]


def test_contains_asks_for_more_until_there_are_enough():
    index = Answered(["dog" if place % 10 == 0 else "cat" for place in range(2000)])
    assert found(index, "kind contains og", 5) == [f"r{place:05d}" for place in range(0, 50, 10)]
    counts = [count for count, _ in index.asked]
    assert all(before < after <= 4 * before for before, after in pairwise(counts))
    assert 10 * 5 <= counts[-1] < 2000
    assert all(where == Filter() for _, where in index.asked)


def test_contains_stops_where_the_server_has_no_more():
    index = Answered(["dog", "cat", "dog", "cat"])
    assert found(index, "kind contains og", 3) == ["r00000", "r00002"]
    assert len(index.asked) == 1
    assert found(index, "kind contains x", 3) == []


def test_conditions_of_other_kinds_are_the_servers():
    index = Answered(["dog"])
    found(index, 'kind contains o kind!=b id!="x"', 1)
    assert index.asked[0][1] == Filter((Condition("kind", "!=", "b"), Condition("id", "!=", "x")))


def test_what_lies_beyond_the_most_that_a_server_gives_is_told():
    index = Answered(["dog" if place in {3, 16_000} else "cat" for place in range(MOST + 10)])
    assert found(index, "kind contains og", 2) == ["r00003", "r16000"]
    says = (
        "filter: only 2 of the nearest 16384 records contain that, and Milvus cannot search for parts of words: "
        "add conditions of another kind, or ask for fewer"
    )
    with pytest.raises(InputError) as error:
        found(index, "kind contains og", 3)
    assert str(error.value) == says


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (pymilvus.MilvusException(message="no leader\nat line 5"), "here: does not answer now (no leader); try again"),
        (ConnectionRefusedError("refused"), "here: does not answer now (refused); try again"),
        (ValueError(""), "here: does not answer now; try again"),
        (OSError("x" * 300), f"here: does not answer now ({'x' * 200}); try again"),
    ],
)
def test_whatever_the_client_raises_is_one_line(error, says):
    with pytest.raises(EngineUnavailableError) as told, milvus._reaching("here"):
        raise error
    assert str(told.value) == says


def test_what_is_wrong_with_the_input_is_told_as_it_is():
    with pytest.raises(InputError, match=r"^mine$"), milvus._reaching("here"):
        raise InputError("mine")
    with pytest.raises(KeyError), milvus._reaching("here"):
        raise KeyError("a fault of this package is not hidden")
