"""What goes into an index and what comes out of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.ids import MAX_ID_BYTES, MAX_TEXT_BYTES, require_id

FieldType: TypeAlias = Literal["str", "int", "float", "bool"]
FieldValue: TypeAlias = str | int | float | bool
Vectors: TypeAlias = NDArray[np.float32]

KINDS: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TAKEN = {"id", "vector"}


@dataclass(frozen=True, eq=False)
class Record:
    """One thing that can be found.

    Attributes:
        id: unique in the index; `bcls.ids.id_fault` is the rule for it.
        vector: shape (dim,), of length 1.
        fields: a value for each field of the index.
    """

    id: str
    vector: Vectors
    fields: Mapping[str, FieldValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Hit:
    """One thing that was found.

    Attributes:
        id: of the record.
        score: its cosine with the query, -1..1, higher is better.
        fields: of the record.
    """

    id: str
    score: float
    fields: Mapping[str, FieldValue]


@dataclass(frozen=True)
class IndexInfo:
    """What an index says of itself.

    Attributes:
        engine: `memory`, `lancedb` or `milvus`.
        place: as `open_index` takes it.
        dim: of the vectors.
        count: how many records there are.
        model: hash of the model that made the vectors.
        version: changes with every committed write.
        fields: name -> type.
        about: free notes of whoever made the index.
        exact: whether a search compares the query with every record.
    """

    engine: str
    place: str
    dim: int
    count: int
    model: str
    version: str
    fields: Mapping[str, FieldType]
    about: Mapping[str, str]
    exact: bool


def check_fields(fields: Mapping[str, FieldType]) -> dict[str, FieldType]:
    """The fields of a new index, refused where an engine could not keep them.

    Raises:
        InputError: a name that is taken or not `[a-z][a-z0-9_]*`, or an unknown type.
    """
    for name, kind in fields.items():
        if not _NAME.fullmatch(name) or name in _TAKEN:
            raise InputError(
                f"field {name!r}: a name is a small letter, then small letters, digits, _; not id or vector"
            )
        if kind not in KINDS:
            raise InputError(f"field {name!r}: no type {kind!r}; there are: {', '.join(KINDS)}")
    return dict(fields)


def check_vectors(vectors: object, dim: int, what: str) -> Vectors:
    """Vectors as an array (rows, dim), brought to length 1.

    Raises:
        InputError: another shape, or a row that is zero or not finite.
    """
    rows = to_array(vectors, what)
    given = vectors.dtype if isinstance(vectors, np.ndarray) else rows.dtype
    if given.kind in "iub" or rows.ndim != 2 or rows.shape[1] != dim:
        raise InputError(f"{what}: {given} of shape {rows.shape}; this index holds floats of shape (rows, {dim})")
    rows = rows.astype(np.float64)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        extreme = ~np.isfinite(length[:, 0]) | (length[:, 0] < np.finfo(np.float64).tiny)
        if extreme.any():  # the squares of 1e200 are infinite and those of 1e-200 zero, but both have a direction
            largest = np.abs(rows[extreme]).max(axis=1, keepdims=True, initial=0.0)
            rows[extreme] /= np.where(largest > 0, largest, 1.0)
            length = np.linalg.norm(rows, axis=1, keepdims=True)
    bad = np.flatnonzero(~np.isfinite(length[:, 0]) | (length[:, 0] == 0))
    if bad.size:
        raise InputError(f"{what}: row {bad[0]} is zero or not finite, which has no direction")
    return np.asarray(rows / length, dtype=np.float32)


def check_ids(ids: Sequence[str]) -> None:
    """Refuse ids that cannot be in any index.

    More passes than `bcls.ids.id_fault` allows for new records: an index of an earlier release may hold such ids, and
    their records must be found and deleted.

    Raises:
        InputError: not a string, empty, too long, or with a character that is not text.
    """
    if isinstance(ids, str):
        raise InputError("ids must be a list of strings, not one string")
    for name in ids:
        if not isinstance(name, str) or not name or _size(name, "an id") > MAX_ID_BYTES:
            raise InputError(f"id {name!r}: an id is a string of 1 to {MAX_ID_BYTES} bytes")


def check_records(records: Sequence[Record], fields: Mapping[str, FieldType], dim: int) -> Vectors:
    """The vectors of a block of records, once all of it has been looked at.

    Raises:
        InputError: an id, a vector or a field that the index cannot keep; the record is named.
    """
    vectors = [to_array(record.vector, f"record {record.id!r}: its vector") for record in records]
    for record, vector in zip(records, vectors, strict=True):
        require_id(record.id, "record")
        if vector.shape != (dim,):
            raise InputError(f"record {record.id!r}: its vector has shape {vector.shape}, the index ({dim},)")
        if record.fields.keys() != fields.keys():
            odd = sorted(record.fields.keys() ^ fields.keys())
            raise InputError(f"record {record.id!r}: the fields {', '.join(odd)} are missing, or not of the index")
        for name, value in record.fields.items():
            check_value(value, fields[name], f"record {record.id!r}: {name}")
    return check_vectors(np.stack(vectors), dim, "records")


def check_value(value: object, kind: FieldType, place: str) -> None:
    """Refuse a value that a field of this type cannot keep.

    Raises:
        InputError: another type, a number that is not finite or beyond 64 bits, a text too long or not text.
    """
    if type(value) is int and kind == "float":
        value = float_of(value, place)
    if type(value) is not KINDS[kind]:
        raise InputError(f"{place}: {value!r} is no {kind}")
    if isinstance(value, str) and _size(value, place) > MAX_TEXT_BYTES:
        raise InputError(f"{place}: longer than {MAX_TEXT_BYTES} bytes")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{place}: {value} is not a finite number")
    if type(value) is int and abs(value) >= 2**63:
        raise InputError(f"{place}: {value} does not fit 64 bits")


def float_of(value: int, place: str) -> float:
    """A whole number as a float.

    Raises:
        InputError: it is beyond all floats.
    """
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"{place}: a number of {value.bit_length()} bits is too large for a float") from None


def _size(text: str, place: str) -> int:
    if "\0" in text:
        raise InputError(f"{place}: holds the character U+0000, which is not text")
    try:
        return len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise InputError(f"{place}: holds half a surrogate pair, which is not text") from None
