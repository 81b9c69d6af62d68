"""The embedded engine: LanceDB, in a folder. Every write is one atomic version."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from bcls.errors import BCLSError, MissingExtraError
from bcls.files import write_json
from bcls.search.errors import IndexDamagedError, WriteFailedError
from bcls.search.filters import Filter
from bcls.search.folder_lock import folder_lock
from bcls.search.index import Index, merging_later
from bcls.search.lance_sql import sql_ids, sql_of
from bcls.search.manifest import NAME, Manifest, claim_folder, read_manifest, require_same
from bcls.search.records import FieldType, FieldValue, Hit, IndexInfo, Record, Vectors, check_fields
from bcls.search.rescored import Nearest, search_rescored

os.environ.setdefault("LANCEDB_LOG", "error")  # else it warns of every new table
try:
    import lancedb
    import pyarrow as pa
    from lancedb.index import BTree, IvfSq
except ImportError:
    raise MissingExtraError("a LanceDB index (`memory:FOLDER` needs none)", "search") from None

TABLE = "records"
VECTOR_INDEX_FROM = 20_000
"""Records from which a vector index is quicker than comparing with all (benchmarks/search_scale.py)."""

PROBES = 20
REFINE = 4
SCAN_ROWS = 4096
KEEP_VERSIONS = timedelta(hours=1)
WRITES_BETWEEN_MERGES = 256
_TYPES = {"str": pa.utf8(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}


class LanceIndex(Index):
    """Records on disk, filters pushed down, a vector index (IVF with 8-bit scalars) once there are many.

    With a vector index a search looks into the nearest cells only: the rough first hits are compared again by their
    whole vectors, and records that came after the index was built are compared one by one, so that nothing that was
    added is overlooked for being new.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        super().__init__()
        self.folder = folder
        self._manifest = manifest
        self.dim, self.model, self.fields, self._about = manifest.dim, manifest.model, manifest.fields, manifest.about
        self.identity = manifest.identity
        self._schema = _schema(manifest)
        self._writes = 0
        with _reading(folder):
            self._table = lancedb.connect(folder).open_table(TABLE)
        if _columns(self._table.schema) != _columns(self._schema):
            raise IndexDamagedError(f"{folder}: its table has other columns than {NAME} says; make the index again")

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        dim: int,
        model: str,
        fields: Mapping[str, FieldType],
        about: Mapping[str, str] | None = None,
    ) -> Self:
        """An empty index in a new or empty folder.

        Raises:
            InputError: the folder holds something, or a field that cannot be.
            WriteFailedError: the disk refused it.
        """
        manifest = Manifest("lancedb", dim, model, check_fields(fields), dict(about or {}))
        claim_folder(folder)
        with _writing(folder):
            table = lancedb.connect(folder).create_table(TABLE, schema=_schema(manifest), mode="overwrite")
            table.create_index("id", config=BTree())
            write_json(folder / NAME, manifest.content())
        return cls(folder, manifest)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """An index from its folder.

        Raises:
            IndexMissingError: there is none.
            IndexDamagedError: a file is missing or is not what was written.
        """
        return cls(folder, read_manifest(folder)[0])

    def info(self) -> IndexInfo:
        """What this index is and holds."""
        with _reading(self.folder):
            count, version, trained = self._table.count_rows(), self._table.version, self._trained_on()
        return IndexInfo(
            "lancedb",
            str(self.folder),
            self.dim,
            count,
            self.model,
            str(version),
            self.fields,
            self._about,
            exact=trained is None,
        )

    def refresh(self) -> None:
        """See what other processes have committed meanwhile."""
        with _reading(self.folder):
            self._require_same()
            self._table.checkout_latest()

    def optimize(self) -> None:
        """Merge small files, drop versions older than an hour, and keep the vector index in step with the records."""
        with self._locked():
            self._merge()
            count, trained = self._table.count_rows(), self._trained_on()
            if count >= max(VECTOR_INDEX_FROM, 2 * (trained or 0)):
                self._train()

    def build_vector_index(self) -> None:
        """Train the vector index on what is there now; `optimize` calls it where it pays."""
        with self._locked():
            self._train()

    def close(self) -> None:
        """Nothing is held open."""

    def _add(self, records: list[Record], vectors: Vectors) -> None:
        with self._locked():
            rows = pa.Table.from_batches([self._batch(records, vectors)])
            if self._table.count_rows(sql_ids(record.id for record in records)):
                writing = self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
                writing.execute(rows)
            else:
                self._table.add(rows)
            self._writes += 1
            if self._writes % WRITES_BETWEEN_MERGES == 0:
                with merging_later(), _writing(self.folder):
                    self._merge()

    def _delete(self, ids: list[str]) -> int:
        with self._locked():
            there: int = self._table.count_rows(sql_ids(ids))
            if there:
                self._table.delete(sql_ids(ids))
            return there

    def _search(self, queries: Vectors, k: int, where: Filter) -> list[list[Hit]]:
        allowed = sql_of(where)
        with _reading(self.folder):
            return [search_rescored(partial(self._nearest, query, allowed), query, k) for query in queries]

    def _nearest(self, query: Vectors, allowed: str | None, count: int) -> Nearest:
        """The engine's own search; cells beyond `PROBES` are looked into only while there are too few hits."""
        asked = self._table.search(query, vector_column_name="vector").distance_type("cosine").limit(count)
        asked = asked.nprobes(PROBES).maximum_nprobes(0).refine_factor(REFINE)
        asked = asked.select([*self._schema.names, "_distance"])
        return _nearest_of(asked.to_arrow() if allowed is None else asked.where(allowed).to_arrow(), self.dim)

    def _get(self, ids: list[str]) -> dict[str, Record]:
        with _reading(self.folder):
            found = self._table.search().where(sql_ids(ids)).limit(len(ids)).to_arrow()
        return dict(zip(found["id"].to_pylist(), map(Record, *_nearest_of(found, self.dim)), strict=True))

    def _scan(self, where: Filter) -> Iterator[tuple[str, Mapping[str, FieldValue]]]:
        names, allowed = ["id", *self.fields], sql_of(where)
        with _reading(self.folder):
            asked = self._table.search().select(names)
            for batch in (asked if allowed is None else asked.where(allowed)).to_batches(SCAN_ROWS):
                for row in batch.to_pylist():
                    yield row.pop("id"), row

    def _count(self, where: Filter) -> int:
        with _reading(self.folder):
            return int(self._table.count_rows(sql_of(where)))

    def _batch(self, records: list[Record], vectors: Vectors) -> pa.RecordBatch:
        flat = pa.array(np.ascontiguousarray(vectors).ravel(), pa.float32())
        columns = [
            pa.array([record.id for record in records], pa.utf8()),
            pa.FixedSizeListArray.from_arrays(flat, self.dim),
            *(
                pa.array([record.fields[name] for record in records], _TYPES[kind])
                for name, kind in self.fields.items()
            ),
        ]
        return pa.record_batch(columns, schema=self._schema)

    def _merge(self) -> None:
        self._table.optimize(cleanup_older_than=KEEP_VERSIONS)

    def _train(self) -> None:
        old = self._vector_indexes()
        name = f"vector_{self._table.count_rows()}"
        self._table.create_index("vector", config=IvfSq(distance_type="cosine"), name=name, replace=True)
        for other in old:
            if other != name:
                self._table.drop_index(other)

    def _vector_indexes(self) -> list[str]:
        return [index.name for index in self._table.list_indices() if index.columns == ["vector"]]

    def _trained_on(self) -> int | None:
        """How many records the vector index was trained on: its name tells."""
        return max((int(name.removeprefix("vector_")) for name in self._vector_indexes()), default=None)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """No other thread or process writes meanwhile, and this one starts from the latest version."""
        with self._writing, folder_lock(self.folder), _writing(self.folder):
            self._require_same()
            self._table.checkout_latest()
            yield

    def _require_same(self) -> None:
        require_same(read_manifest(self.folder)[0], self._manifest, self.folder)


def _schema(manifest: Manifest) -> pa.Schema:
    columns = [("id", pa.utf8()), ("vector", pa.list_(pa.float32(), manifest.dim))]
    columns += [(name, _TYPES[kind]) for name, kind in manifest.fields.items()]
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns])


def _columns(schema: pa.Schema) -> list[tuple[str, pa.DataType]]:
    return [(column.name, column.type) for column in schema]


def _nearest_of(found: pa.Table, dim: int) -> Nearest:
    flat = found["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    fields = found.drop_columns([name for name in ("id", "vector", "_distance") if name in found.column_names])
    return Nearest(found["id"].to_pylist(), flat.reshape(-1, dim), fields.to_pylist() or [{}] * len(found))


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Tell of files that cannot be read.

    Raises:
        IndexDamagedError: with what LanceDB said of them.
    """
    with _told(IndexDamagedError, f"{folder}: a file of the index is missing or damaged; make the index again"):
        yield


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Tell of a write that did not take place.

    Raises:
        WriteFailedError: with what LanceDB said of it.
    """
    with _told(WriteFailedError, f"{folder}: could not be written; what was there before is untouched"):
        yield


@contextmanager
def _told(kind: type[BCLSError], what: str) -> Iterator[None]:
    try:
        yield
    except BCLSError:
        raise
    except Exception as error:  # LanceDB raises several kinds without a common base, a panic of Rust among them
        raise kind(f"{what} ({_first_line(error)})") from error


def _first_line(error: Any) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
