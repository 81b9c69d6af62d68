"""The scale-out engine: a collection of a Milvus server or cluster."""

from __future__ import annotations

import json
import logging
import os
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Self, TypeVar

import numpy as np

from bcls.errors import BCLSError, InputError, MissingExtraError
from bcls.ids import MAX_ID_BYTES, MAX_TEXT_BYTES
from bcls.search.blocks import blocks
from bcls.search.errors import EngineUnavailableError, IndexMissingError
from bcls.search.filters import Filter
from bcls.search.index import Index
from bcls.search.manifest import Manifest, manifest_of
from bcls.search.milvus_expression import PREFIX, expression_after, expression_of, expression_of_ids
from bcls.search.records import (
    FieldType,
    FieldValue,
    Hit,
    IndexInfo,
    Record,
    Vectors,
    check_fields,
)
from bcls.search.rescored import MOST, Nearest, search_rescored

try:
    import grpc
    from pymilvus import DataType, MilvusClient, MilvusException
except ImportError:
    raise MissingExtraError("a Milvus index", "milvus") from None

TIMEOUT = 10.0
EF = 200
HNSW = {"M": 16, "efConstruction": 200}
VERSION = "bcls.version"
REQUEST_RECORDS = 256
NOT_LOADED = 101
PAGE = 4096
Found = TypeVar("Found")
_PLACE = re.compile(r"milvus://([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):([0-9]{1,5})/([A-Za-z_][A-Za-z0-9_]{0,254})")
_TYPES = {"str": DataType.VARCHAR, "int": DataType.INT64, "float": DataType.DOUBLE, "bool": DataType.BOOL}

logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs what it raises, traceback and all


class MilvusIndex(Index):
    """A collection with an HNSW index, read with strong consistency: what `add` has returned from is found.

    While the server cannot be reached every call raises `EngineUnavailableError`; the next one after it is back works
    again. A write that was cut off may have been taken or not: adding again does no harm. A name and password go into
    the environment variable `MILVUS_TOKEN` (`name:password`).

    `contains` is looked at here, among the nearest 16,384 records that the other conditions let through.
    """

    def __init__(self, place: str, client: MilvusClient, name: str, manifest: Manifest) -> None:
        super().__init__()
        self._place, self._client, self._name = place, client, name
        self.dim, self.model, self.fields, self._about = manifest.dim, manifest.model, manifest.fields, manifest.about
        self.identity = manifest.identity

    @classmethod
    def create(
        cls,
        place: str,
        *,
        dim: int,
        model: str,
        fields: Mapping[str, FieldType],
        about: Mapping[str, str] | None = None,
    ) -> Self:
        """An empty collection.

        Raises:
            InputError: not `milvus://HOST:PORT/NAME`, the collection is there already, or a field that cannot be.
            EngineUnavailableError: the server cannot be reached.
        """
        manifest = Manifest("milvus", dim, model, check_fields(fields), dict(about or {}))
        client, name = _connect(place)
        with _reaching(place):
            if client.has_collection(name, timeout=TIMEOUT):
                raise InputError(f"{place}: holds an index already: open it, or choose another name")
            indexing = client.prepare_index_params()
            indexing.add_index("vector", index_type="HNSW", metric_type="COSINE", params=HNSW)
            client.create_collection(
                name,
                schema=_schema(client, manifest),
                index_params=indexing,
                consistency_level="Strong",
                timeout=6 * TIMEOUT,
            )
        return cls(place, client, name, manifest)

    @classmethod
    def open(cls, place: str) -> Self:
        """A collection that `create` made.

        Raises:
            IndexMissingError: there is none.
            InputError: not `milvus://HOST:PORT/NAME`, or a collection of somebody else.
            EngineUnavailableError: the server cannot be reached.
        """
        client, name = _connect(place)
        with _reaching(place):
            if not client.has_collection(name, timeout=TIMEOUT):
                raise IndexMissingError(f"{place}: no index is there; `bcls index` makes one")
            description = client.describe_collection(name, timeout=TIMEOUT)["description"]
        try:
            content = json.loads(description)
        except ValueError:
            raise InputError(f"{place}: a collection, but not one that this package made") from None
        return cls(place, client, name, manifest_of(content, place))

    def info(self) -> IndexInfo:
        """What this index is and holds."""
        with _reaching(self._place):
            told = self._client.describe_collection(self._name, timeout=TIMEOUT)
        version = str(told["properties"].get(VERSION, "0"))
        count = self._count(Filter())
        return IndexInfo(
            "milvus", self._place, self.dim, count, self.model, version, self.fields, self._about, exact=False
        )

    def refresh(self) -> None:
        """Nothing: every search sees the latest."""

    def optimize(self) -> None:
        """Have everything written to storage and indexed; Milvus merges by itself."""
        with _reaching(self._place):
            self._client.flush(self._name, timeout=6 * TIMEOUT)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _add(self, records: list[Record], vectors: Vectors) -> None:
        rows = [
            {"id": record.id, "vector": vector}
            | {PREFIX + name: _as(self.fields[name], value) for name, value in record.fields.items()}
            for record, vector in zip(records, vectors, strict=True)
        ]
        with self._changing():
            for part in blocks(rows, REQUEST_RECORDS):
                self._client.upsert(self._name, part, timeout=3 * TIMEOUT)

    def _delete(self, ids: list[str]) -> int:
        there = list(self._get(ids))
        if there:
            with self._changing():
                self._client.delete(self._name, filter=expression_of_ids(there), timeout=3 * TIMEOUT)
        return len(there)

    def _search(self, queries: Vectors, k: int, where: Filter) -> list[list[Hit]]:
        return [search_rescored(partial(self._nearest, query, k, where), query, k) for query in queries]

    def _nearest(self, query: Vectors, k: int, where: Filter, count: int) -> Nearest:
        pushed, left = _split(where)
        asked = count
        while True:
            found = self._ask(query, pushed, asked)
            kept = [row for row in found if left.matches(row["id"], _values(row))]
            if len(found) < asked or len(kept) >= count:
                break
            if asked == MOST and len(kept) < k:
                raise InputError(
                    f"filter: only {len(kept)} of the nearest {MOST} records contain that, and Milvus cannot search "
                    "for parts of words: add conditions of another kind, or ask for fewer"
                )
            if asked == MOST:
                break
            asked = min(4 * asked, MOST)
        vectors = np.array([row["vector"] for row in kept], np.float32).reshape(-1, self.dim)
        return Nearest([row["id"] for row in kept], vectors, [_values(row) for row in kept])

    def _ask(self, query: Vectors, where: Filter, count: int) -> list[dict[str, Any]]:
        """The engine's own search: whole rows, nearest first."""
        found = self._loaded(
            lambda: self._client.search(
                self._name,
                data=[query],
                limit=count,
                filter=expression_of(where),
                output_fields=["*"],
                search_params={"metric_type": "COSINE", "params": {"ef": max(EF, count)}},
                consistency_level="Strong",
                timeout=TIMEOUT,
            )[0]
        )
        return [dict(hit["entity"]) | {"id": hit["id"]} for hit in found]

    def _get(self, ids: list[str]) -> dict[str, Record]:
        found = self._query(expression_of_ids(ids), "*")
        return {row["id"]: Record(row["id"], np.array(row["vector"], np.float32), _values(row)) for row in found}

    def _scan(self, where: Filter) -> Iterator[tuple[str, Mapping[str, FieldValue]]]:
        pushed, left = _split(where)
        for row in self._loaded(lambda: list(self._every(pushed))):
            if left.matches(row["id"], _values(row)):
                yield row["id"], _values(row)

    def _count(self, where: Filter) -> int:
        pushed, left = _split(where)
        if left.conditions:
            return sum(1 for _ in self._scan(where))
        return int(self._query(expression_of(pushed), "count(*)")[0]["count(*)"])

    def _query(self, expression: str, what: str) -> list[dict[str, Any]]:
        return self._loaded(
            lambda: list(
                self._client.query(
                    self._name, expression, output_fields=[what], consistency_level="Strong", timeout=TIMEOUT
                )
            )
        )

    def _loaded(self, ask: Callable[[], Found]) -> Found:
        """Ask; a server that was restarted may have to be told to load the collection first."""
        with _reaching(self._place):
            try:
                return ask()
            except MilvusException as error:
                if error.code != NOT_LOADED:
                    raise
            self._client.load_collection(self._name, timeout=TIMEOUT)
            return ask()

    def _every(self, where: Filter) -> Iterator[dict[str, Any]]:
        """Ids and fields of all records that a filter lets through, by id.

        The client's own `query_iterator` does not quote the id at which it goes on.
        """
        after = ""
        while True:
            page = self._client.query(
                self._name,
                filter=expression_after(after, where),
                limit=PAGE,
                output_fields=["id", *(PREFIX + name for name in self.fields)],
                consistency_level="Strong",
                timeout=TIMEOUT,
                iterator="True",  # with a limit, the records of the smallest ids
                reduce_stop_for_best="True",
            )
            yield from page
            if not page:
                return
            after = max(row["id"] for row in page)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """A write; behind it the collection gets a new version."""
        with _reaching(self._place):
            yield
            self._client.alter_collection_properties(self._name, {VERSION: uuid.uuid4().hex}, timeout=TIMEOUT)


def _connect(place: str) -> tuple[MilvusClient, str]:
    found = _PLACE.fullmatch(place)
    if found is None:
        raise InputError(f"{place}: a Milvus index is named milvus://HOST:PORT/NAME, the name of letters, digits and _")
    host, port, name = found.groups()
    with _reaching(place):
        token = os.environ.get("MILVUS_TOKEN", "")
        return MilvusClient(uri=f"http://{host}:{port}", token=token, timeout=TIMEOUT), name


def _schema(client: MilvusClient, manifest: Manifest) -> Any:
    description = json.dumps(manifest.content(), ensure_ascii=False)
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False, description=description)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=MAX_ID_BYTES)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=manifest.dim)
    for name, kind in manifest.fields.items():
        limit = {"max_length": MAX_TEXT_BYTES} if kind == "str" else {}
        schema.add_field(PREFIX + name, _TYPES[kind], **limit)
    return schema


def _as(kind: FieldType, value: FieldValue) -> FieldValue:
    return float(value) if kind == "float" else value


def _values(row: Mapping[str, Any]) -> dict[str, FieldValue]:
    return {name.removeprefix(PREFIX): value for name, value in row.items() if name.startswith(PREFIX)}


def _split(where: Filter) -> tuple[Filter, Filter]:
    """What the server looks at, and what is left to be looked at here."""
    left = tuple(condition for condition in where.conditions if condition.operator == "contains")
    return Filter(tuple(one for one in where.conditions if one not in left)), Filter(left)


@contextmanager
def _reaching(place: str) -> Iterator[None]:
    """Tell of a server that does not answer as it should.

    Raises:
        EngineUnavailableError: with what was said of it.
    """
    try:
        yield
    except BCLSError:
        raise
    except (MilvusException, grpc.RpcError, OSError, ValueError) as error:
        said = str(getattr(error, "message", "") or error).strip().splitlines()
        what = f" ({said[0][:200]})" if said else ""
        raise EngineUnavailableError(f"{place}: does not answer now{what}; try again") from error
