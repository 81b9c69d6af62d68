"""What every engine must do alike."""

from __future__ import annotations

import threading
import unicodedata

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.ids import id_fault
from bcls.search import Condition, Filter, IndexMissingError, Record

durable = pytest.mark.parametrize(
    "engine", ["memory folder", "lancedb", pytest.param("milvus", marks=pytest.mark.milvus)], indirect=True
)
"""The engines that keep an index beyond the process."""


def naive(records, query, k, allowed=lambda record: True):
    """Ids and scores by the definition: cosines in double precision, sorted."""
    query = query.astype(np.float64) / np.linalg.norm(query.astype(np.float64))
    scored = [
        (
            -np.float32(record.vector.astype(np.float64) @ query / np.linalg.norm(record.vector.astype(np.float64))),
            record.id,
        )
        for record in records
        if allowed(record)
    ]
    return [(name, -float(score)) for score, name in sorted(scored)[:k]]


def found(hits):
    return [(hit.id, hit.score) for hit in hits]


def test_finds_what_the_definition_finds(index, records):
    given = records(60)
    assert index.add(given) == 60
    queries = np.random.default_rng(1).normal(size=(5, 8)).astype(np.float32)
    for k in (1, 7, 60, 100):
        for query, hits in zip(queries, index.search(queries, k), strict=True):
            assert found(hits) == [(name, pytest.approx(score, abs=1e-6)) for name, score in naive(given, query, k)]
    assert index.search(queries, 1)[0][0].fields == given[int(index.search(queries, 1)[0][0].id[1:])].fields


def test_an_empty_index_finds_nothing(index):
    assert index.search(np.ones((2, 8), np.float32), 3) == [[], []]
    assert index.search(np.ones((0, 8), np.float32), 3) == []
    assert index.count() == index.delete(["a"]) == index.add([]) == 0
    assert index.get(["a"]) == [None]


def test_equal_scores_come_by_id(index):
    vector = np.eye(8, dtype=np.float32)[0]
    fields = {"kind": "x", "count": 1, "weight": 1.0, "good": True}
    names = ["b", "é", "a", "B", "zz", "😀", "c"]
    index.add([Record(name, vector, fields) for name in names])
    index.add([Record(f"d{number:02d}", vector, fields) for number in range(60)])
    everyone = sorted([*names, *(f"d{number:02d}" for number in range(60))])
    for k in (1, 3, 7, 67):
        assert [hit.id for hit in index.search(vector[None], k)[0]] == everyone[:k]


def test_the_same_id_again_replaces(index, records):
    given = records(6)
    index.add(given)
    fields = {"kind": "new", "count": -5, "weight": 0.5, "good": False}
    assert index.add([Record("r002", given[4].vector, fields), Record("new", given[0].vector, fields)]) == 2
    assert index.count() == 7
    replaced = index.get(["r002"])[0]
    assert dict(replaced.fields) == fields
    np.testing.assert_allclose(replaced.vector, given[4].vector, atol=1e-6)
    assert [hit.id for hit in index.search(given[4].vector[None], 2)[0]] == ["r002", "r004"]
    twice = [Record("twice", given[1].vector, fields), Record("twice", given[3].vector, fields | {"kind": "last"})]
    index.add(twice)
    assert index.get(["twice"])[0].fields["kind"] == "last"
    assert index.count(Filter.parse("id=twice")) == 1


def test_what_is_deleted_is_gone(index, records):
    given = records(20)
    index.add(given)
    assert index.delete(["r003", "nobody", "r003", "r019"]) == 2
    version = index.info().version
    assert index.delete(["r003"]) == 0
    assert index.info().version == version
    assert index.count() == 18
    assert index.get(["r003", "r004"])[0] is None
    query = given[3].vector
    left = [record for record in given if record.id not in {"r003", "r019"}]
    assert [hit.id for hit in index.search(query[None], 20)[0]] == [name for name, _ in naive(left, query, 20)]
    index.add([given[3]])
    assert index.search(query[None], 1)[0][0].id == "r003"


FILTERS = [
    ("kind=image", lambda r: r.fields["kind"] == "image"),
    ("kind!=image", lambda r: r.fields["kind"] != "image"),
    ("kind in caption,other", lambda r: r.fields["kind"] == "caption"),
    ("kind contains mag", lambda r: r.fields["kind"] == "image"),
    ("count<7", lambda r: r.fields["count"] < 7),
    ("count<=7 count>2", lambda r: 2 < r.fields["count"] <= 7),
    ("count>=20 and good=true", lambda r: r.fields["count"] >= 20 and r.fields["good"]),
    ("count in 1,2,30,99", lambda r: r.fields["count"] in {1, 2, 30}),
    ("count=5", lambda r: r.fields["count"] == 5),
    ("count!=5", lambda r: r.fields["count"] != 5),
    ("weight>=1.25 weight<3", lambda r: 1.25 <= r.fields["weight"] < 3),
    ("weight=2", lambda r: r.fields["weight"] == 2),
    ("good=false", lambda r: not r.fields["good"]),
    ("good!=false", lambda r: r.fields["good"]),
    ("id=r004", lambda r: r.id == "r004"),
    ("id!=r004", lambda r: r.id != "r004"),
    ("id in r001,r030", lambda r: r.id in {"r001", "r030"}),
    ("id contains 00 kind=image", lambda r: "00" in r.id and r.fields["kind"] == "image"),
    ("kind=nothing", lambda r: False),
]


def test_filters_let_through_what_they_say(index, records):
    given = records(40)
    index.add(given)
    query = np.random.default_rng(2).normal(size=8).astype(np.float32)
    for text, allowed in FILTERS:
        where = Filter.parse(text)
        assert index.count(where) == sum(map(allowed, given)), text
        hits = index.search(query[None], 7, where=where)[0]
        assert [hit.id for hit in hits] == [name for name, _ in naive(given, query, 7, allowed)], text


NASTY = [
    "it's", '"quoted"', "back\\slash", "a' OR '1'='1", "100%", "under_score", "{}", "$x", " lead", "trail ", "a.", "A",
    "; --", "日本語", "😀", "%", "\\", "'", '"', "`tick`", "/* x */", "null", "a\\'b", 'a\\"b', "x'", "''", "a",
    "\u00e9", "e\u0301", "...", "a/../b", "%0A", "%2e", "caf\u00e9", "CAF\u00c9", "\ufb01", "fi", "\ufffd", "\u200b",
]  # fmt: skip


def test_any_text_is_only_text(index):
    vector = np.eye(8, dtype=np.float32)[0]
    fields = {"count": 1, "weight": 1.0, "good": True}
    index.add([Record(text, vector, {"kind": f"<{text}>", **fields}) for text in NASTY])
    for text in NASTY:
        assert index.count(Filter((Condition("kind", "=", f"<{text}>"),))) == 1, text
        assert index.count(Filter((Condition("kind", "in", (f"<{text}>", "x")),))) == 1, text
        assert index.count(Filter((Condition("id", "!=", text),))) == len(NASTY) - 1, text
        assert index.count(Filter((Condition("kind", "contains", text),))) == sum(
            text in f"<{one}>" for one in NASTY
        ), text
        assert index.get([text])[0].fields["kind"] == f"<{text}>"
    assert index.delete(NASTY[:5]) == 5
    assert index.count() == len(NASTY) - 5


TEXTS_IN_FIELDS = ["line\nbreak", "\r\n", "tab\t", "\u2028", "\x7f", "\x1b[0m", *NASTY]


def test_any_text_of_a_field_is_only_text(index):
    vector = np.eye(8, dtype=np.float32)[0]
    fields = {"count": 1, "weight": 1.0, "good": True}
    texts = dict(enumerate(TEXTS_IN_FIELDS))
    index.add([Record(f"r{number}", vector, {"kind": text, **fields}) for number, text in texts.items()])
    told = {name: values["kind"] for name, values in index.scan()}
    assert told == {f"r{number}": text for number, text in texts.items()}
    for number, text in texts.items():
        where = Filter((Condition("kind", "=", text),))
        assert [name for name, _ in index.scan(where)] == [f"r{number}"], text
        assert [hit.id for hit in index.search(vector[None], 99, where=where)[0]] == [f"r{number}"], text


ids = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=12).filter(
    lambda name: id_fault(name) is None
)
NEAR = [
    str.upper,
    str.lower,
    str.strip,
    lambda name: name + " ",
    lambda name: name + ".",
    lambda name: "'" + name,
    lambda name: name + "%",
    lambda name: name + "_",
    lambda name: name.replace("\\", "\\\\"),
    lambda name: unicodedata.normalize("NFC", name),
    lambda name: unicodedata.normalize("NFD", name),
]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(ids, min_size=1, max_size=5), st.lists(st.sampled_from(NEAR), max_size=4), st.data())
def test_what_is_put_is_got_and_deleted_and_nothing_else(index, names, changes, data):
    index.delete([name for name, _ in index.scan()])
    everyone = set(names)
    for change in changes:
        everyone |= {name for name in map(change, names) if id_fault(name) is None}
    vector = np.eye(8, dtype=np.float32)[0]
    fields = {"count": 1, "weight": 1.0, "good": True}
    index.add([Record(name, vector, {"kind": f"of {name}", **fields}) for name in everyone])
    assert {name: values["kind"] for name, values in index.scan()} == {name: f"of {name}" for name in everyone}
    victim = data.draw(st.sampled_from(sorted(everyone)))
    index.add([Record(victim, vector, {"kind": "replaced", **fields})])
    assert index.count() == len(everyone)
    assert [index.get([name])[0].fields["kind"] == "replaced" for name in sorted(everyone)] == [
        name == victim for name in sorted(everyone)
    ]
    assert index.delete([victim]) == 1
    assert {name for name, _ in index.scan()} == everyone - {victim}
    assert index.delete([victim]) == 0


def test_a_scan_of_many_pages_meets_every_record_once(index, engine, monkeypatch):
    if engine.name == "milvus":
        monkeypatch.setattr("bcls.search.milvus.PAGE", 7)
    if engine.name == "lancedb":
        monkeypatch.setattr("bcls.search.lance.SCAN_ROWS", 7)
    vector = np.eye(8, dtype=np.float32)[0]
    names = [*NASTY, *(f"{name}{number}" for name in NASTY[:20] for number in range(3))]
    for start in range(0, len(names), 25):
        part = enumerate(names[start : start + 25], start)
        rest = {"weight": 0.5}
        index.add([Record(name, vector, rest | {"kind": name, "count": n, "good": n % 2 == 0}) for n, name in part])
    index.delete(names[:3])
    expected = {(name, n) for n, name in enumerate(names) if n > 2}
    scanned = [(name, fields["count"]) for name, fields in index.scan()]
    assert len(scanned) == len(expected)
    assert set(scanned) == expected
    for text, allowed in (
        ("good=true", lambda name, n: n % 2 == 0),
        ('kind contains "a" count<60', lambda name, n: "a" in name and n < 60),
    ):
        where = Filter.parse(text)
        found = sorted(name for name, _ in index.scan(where))
        assert found == sorted(name for name, n in expected if allowed(name, n))
        assert index.count(where) == len(found)


def test_numbers_at_their_limits(index):
    vector = np.eye(8, dtype=np.float32)[0]
    values = {"low": (1 - 2**63, -1.5e300), "high": (2**63 - 1, 1.5e300), "exact": (2**53 + 1, 0.1)}
    index.add(
        [
            Record(name, vector, {"kind": "x", "count": count, "weight": weight, "good": True})
            for name, (count, weight) in values.items()
        ]
    )
    for name, (count, weight) in values.items():
        assert index.get([name])[0].fields == {"kind": "x", "count": count, "weight": weight, "good": True}
        assert index.count(Filter((Condition("count", "=", count), Condition("weight", "=", weight)))) == 1
        assert index.count(Filter((Condition("count", "!=", count),))) == 2


def test_tells_what_it_is(engine, records):
    with engine.create(model="abc", about={"data": "d"}) as index:
        before = index.info()
        assert (before.dim, before.count, before.model) == (8, 0, "abc")
        assert dict(before.about) == {"data": "d"}
        assert before.fields == index.fields == {"kind": "str", "count": "int", "weight": "float", "good": "bool"}
        index.add(records(3))
        after = index.info()
        assert after.count == 3
        assert after.version != before.version
        index.delete(["r001"])
        assert index.info().version != after.version


@durable
def test_opens_again_with_everything(engine, records):
    given = records(30)
    with engine.create(model="abc", about={"data": "d"}) as index:
        index.add(given)
        index.delete(["r004"])
        told, hits = index.info(), index.search(given[4].vector[None], 5)
    with engine.open() as again:
        assert again.search(given[4].vector[None], 5) == hits
        assert again.info() == told
    with pytest.raises(InputError, match="already"):
        engine.create()
    with pytest.raises(IndexMissingError, match="no index"):
        engine.open("elsewhere")


@durable
def test_sees_what_another_has_written(engine, records):
    given = records(10)
    with engine.create() as one, engine.open() as other:
        one.add(given[:5])
        other.refresh()
        assert other.count() == 5
        other.add(given[5:])  # both write in turn, and nothing is lost
        one.delete(["r007"])
        one.add([given[0]])
        other.refresh()
        assert one.count() == other.count() == 9


def test_optimizing_changes_no_result(index, records):
    given = records(50)
    index.add(given[:40])
    for record in given[40:]:
        index.add([record])
    index.delete([record.id for record in given[::5]])
    query = np.ones((1, 8), np.float32)
    before = index.search(query, 50)
    index.optimize()
    assert index.search(query, 50) == before
    assert index.count() == 40
    index.add(given[:1])
    assert index.count() == 41


def test_searches_while_it_is_written(index, records):
    given = records(120)
    index.add(given[:20])
    wrong, over = [], threading.Event()

    def look():
        while not over.is_set():
            hits = index.search(given[0].vector[None], 5)[0]
            if hits[0].id != "r000" or len(hits) != 5 or hits != sorted(hits, key=lambda hit: (-hit.score, hit.id)):
                wrong.append(hits)

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    for start in range(20, 120, 20):
        index.add(given[start : start + 20])
        index.delete([given[start].id])
    over.set()
    for watcher in watchers:
        watcher.join()
    assert not wrong
    assert index.count() == 115


def test_refuses_what_it_cannot_keep(index, records):
    good = records(3)
    index.add(good)
    vector, fields = good[0].vector, dict(good[0].fields)
    for record, named in [
        (Record("x", vector[:5], fields), "(5,)"),
        (Record("x", vector * np.nan, fields), "not finite"),
        (Record("x", vector * 0, fields), "zero"),
        (Record("", vector, fields), "is empty"),
        (Record("x" * 513, vector, fields), "513 bytes"),
        (Record("a\0b", vector, fields), "U+0000"),
        (Record("victim\n", vector, fields), "U+000A"),
        (Record("..", vector, fields), "relative path"),
        (Record("x", np.full(8, np.inf, np.float16), fields), "not finite"),
        (Record("x", np.ma.masked_less(vector, 0), fields), "not finite"),
        (Record("x", [1, [2]], fields), "rows of one length"),
        (Record("x", vector, {"kind": "a"}), "count"),
        (Record("x", vector, fields | {"more": 1}), "more"),
        (Record("x", vector, fields | {"count": 1.5}), "no int"),
        (Record("x", vector, fields | {"count": True}), "no int"),
        (Record("x", vector, fields | {"count": 2**63}), "64 bits"),
        (Record("x", vector, fields | {"weight": float("nan")}), "finite"),
        (Record("x", vector, fields | {"kind": "\ud800"}), "surrogate"),
        (Record("x", vector, fields | {"kind": "é" * 32768}), "65535"),
    ]:
        with pytest.raises(InputError, match=r".*" + named.replace("(", r"\(").replace(")", r"\)").replace("+", r"\+")):
            index.add([good[1], record])
    for vectors, k in [
        (np.ones((1, 7), np.float32), 1),
        (np.ones(8, np.float32), 1),
        (np.zeros((1, 8), np.float32), 1),
    ]:
        with pytest.raises(InputError):
            index.search(vectors, k)
    for k in (0, -1, 10_001, 2.0, True):
        with pytest.raises(InputError, match="k is"):
            index.search(np.ones((1, 8), np.float32), k)
    for text in ("nobody=1", "count=one", "kind<3", "good=maybe", "count contains 1"):
        with pytest.raises(InputError, match="filter"):
            index.search(np.ones((1, 8), np.float32), 1, where=Filter.parse(text))
    assert index.count() == 3
