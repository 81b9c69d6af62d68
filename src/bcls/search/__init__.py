"""Search: one `Index` of vectors, and the engines behind it: memory (exact), LanceDB (on disk), Milvus (scaled out).

Knows nothing of models and data: ids, vectors and fields go in, ids and scores come out.
"""

from __future__ import annotations

from bcls.search.copying import copy_index
from bcls.search.errors import EngineUnavailableError, IndexDamagedError, IndexMissingError, WriteFailedError
from bcls.search.filters import Condition, Filter
from bcls.search.index import Index
from bcls.search.memory import MemoryIndex
from bcls.search.place import create_index, made_at, open_index
from bcls.search.records import FieldType, FieldValue, Hit, IndexInfo, Record

__all__ = [
    "Condition",
    "EngineUnavailableError",
    "FieldType",
    "FieldValue",
    "Filter",
    "Hit",
    "Index",
    "IndexDamagedError",
    "IndexInfo",
    "IndexMissingError",
    "MemoryIndex",
    "Record",
    "WriteFailedError",
    "copy_index",
    "create_index",
    "made_at",
    "open_index",
]
