"""The kinds of arrays that people have, each made from a plain one: the same values, the same holes, or no use."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from scipy import sparse

Make = Callable[[np.ndarray], Any]


def _wide(values: np.ndarray, step: int) -> np.ndarray:
    """The same values as every other element of a wider array, or read backwards from a reversed one."""
    if step < 0:
        return values[tuple(slice(None, None, -1) for _ in range(values.ndim))].copy()[
            tuple(slice(None, None, -1) for _ in range(values.ndim))
        ]
    wide = np.zeros(tuple(2 * size for size in values.shape), values.dtype)
    wide[tuple(slice(None, None, 2) for _ in range(values.ndim))] = values
    return wide[tuple(slice(None, None, 2) for _ in range(values.ndim))]


def _read_only(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.flags.writeable = False
    return values


def _frame(values: np.ndarray) -> Any:
    return pd.DataFrame(values) if values.ndim == 2 else pd.Series(values)


def _table(values: np.ndarray) -> Any:
    if values.ndim == 1:
        return pa.array(values)
    return pa.table({str(column): values[:, column] for column in range(values.shape[1])})


SAME: dict[str, Make] = {
    "nested lists": lambda values: values.tolist(),
    "tuples": lambda values: tuple(tuple(row) if isinstance(row, list) else row for row in values.tolist()),
    "list of rows": list,
    "float32": lambda values: values.astype(np.float32),
    "float16": lambda values: values.astype(np.float16),
    "longdouble": lambda values: values.astype(np.longdouble),
    "other byte order": lambda values: values.astype(values.dtype.newbyteorder(">")),
    "read-only": _read_only,
    "every other element": lambda values: _wide(values, 2),
    "negative strides": lambda values: _wide(values, -1),
    "Fortran order": np.asfortranarray,
    "masked without a mask": np.ma.array,
    "object": lambda values: values.astype(object),
    "decimals": lambda values: np.array([Decimal(str(x)) for x in values.ravel()], object).reshape(values.shape),
    "tensor": torch.from_numpy,
    "tensor with a gradient": lambda values: torch.from_numpy(values.copy()).requires_grad_(),
    "parameter": lambda values: torch.nn.Parameter(torch.from_numpy(values.copy())),
    "bfloat16 tensor": lambda values: torch.from_numpy(values).bfloat16(),
    "float16 tensor": lambda values: torch.from_numpy(values).half(),
    "conjugate and negated views": lambda values: torch._neg_view(torch.from_numpy(-values)),
    "list of tensors": lambda values: list(torch.from_numpy(values.copy()).requires_grad_()),
    "data frame": _frame,
    "data frame of float16": lambda values: _frame(values.astype(np.float32)),
    "nullable data frame": lambda values: _frame(values).convert_dtypes(),
    "Arrow": _table,
    "chunked Arrow": lambda values: pa.chunked_array([values[:1], values[1:]]) if values.ndim == 1 else _table(values),
}
"""Every value is kept; values must be exact in bfloat16."""

ROWS_ONLY: dict[str, Make] = {
    "matrix": np.matrix,
    "column of lists": lambda values: pd.Series(values.tolist()),
    "column of arrays": lambda values: pd.Series(list(values)),
    "Arrow lists": lambda values: pa.array(values.tolist()),
    "Arrow lists of fixed size": lambda values: pa.array(values.tolist(), type=pa.list_(pa.float32(), values.shape[1])),
}
"""The same, of matrices only."""

WHOLE: dict[str, Make] = {
    "bool": lambda values: values.astype(bool),
    "uint8": lambda values: values.astype(np.uint8),
    "int8": lambda values: values.astype(np.int8),
    "uint64": lambda values: values.astype(np.uint64),
    "int64": lambda values: values.astype(np.int64),
    "int32 tensor": lambda values: torch.from_numpy(values).int(),
    "uint8 tensor": lambda values: torch.from_numpy(values).to(torch.uint8),
    "bool tensor": lambda values: torch.from_numpy(values).bool(),
    "bool data frame": lambda values: _frame(values.astype(bool)),
    "nullable integers": lambda values: _frame(values.astype(np.int64)).astype("Int64"),
    "nullable booleans": lambda values: _frame(values.astype(bool)).astype("boolean"),
}
"""Zeros and ones in the formats of whole numbers."""


def _masked_tensor(values: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        filled = torch.from_numpy(np.nan_to_num(values, nan=1.0))
        return torch.masked.masked_tensor(filled, torch.from_numpy(~np.isnan(values)))


def _masked(values: np.ndarray) -> np.ma.MaskedArray:
    """What lies under the mask looks like a good value."""
    return np.ma.array(np.nan_to_num(values, nan=1.0), mask=np.isnan(values))


def _objects(values: np.ndarray, nothing: Any) -> np.ndarray:
    return np.array([nothing if np.isnan(x) else x for x in values.ravel()] + [nothing], object)[:-1].reshape(
        values.shape
    )


MISSING: dict[str, Make] = {
    "masked": _masked,
    "masked float32": lambda values: _masked(values.astype(np.float32)),
    "list of masked rows": lambda values: list(_masked(values)),
    "masked constants": lambda values: _objects(values, np.ma.masked).tolist(),
    "None": lambda values: _objects(values, None),
    "None in lists": lambda values: _objects(values, None).tolist(),
    "pandas NA": lambda values: _objects(values, pd.NA),
    "masked tensor": _masked_tensor,
    "tensor of NaN": torch.from_numpy,
    "data frame of NaN": _frame,
    "nullable data frame": lambda values: _frame(values).convert_dtypes(),
    "Arrow data frame": lambda values: _frame(values).astype("double[pyarrow]"),
    "Arrow nulls": lambda values: (
        pa.array([None if np.isnan(x) else x for x in values])
        if values.ndim == 1
        else pa.table({str(n): [None if np.isnan(x) else x for x in column] for n, column in enumerate(values.T)})
    ),
}
"""What is NaN in the plain array is missing, each in its own way."""

UNUSABLE: dict[str, Make] = {
    "complex": lambda values: values + 0j,
    "complex tensor": lambda values: torch.from_numpy(values).to(torch.complex64),
    "text": lambda values: values.astype(str),
    "text of objects": lambda values: values.astype(str).astype(object),
    "bytes": lambda values: values.astype("S8"),
    "dates": lambda values: (values * 10).astype("M8[D]"),
    "durations": lambda values: (values * 10).astype("m8[s]"),
    "structured": lambda values: np.zeros(values.shape, [("a", float)]),
    "ragged lists": lambda values: [*values.tolist()[:-1], [*np.ravel(values[-1]).tolist(), 1.0]],
    "sparse": lambda values: sparse.csr_array(np.atleast_2d(values)),
    "sparse matrix": lambda values: sparse.coo_matrix(np.atleast_2d(values)),
    "sparse tensor": lambda values: torch.from_numpy(values).to_sparse(),
    "tensor without data": lambda values: torch.from_numpy(values).to("meta"),
    "nested tensor": lambda values: torch.nested.nested_tensor([torch.ones(1), torch.ones(2)]),
    "one more axis": lambda values: values[None, None],
    "one number": lambda values: values.ravel()[0],
    "a mapping": lambda values: dict(enumerate(values)),
    "a set": lambda values: {1.0, 2.0},
    "a generator": lambda values: (row for row in values),
    "None": lambda values: None,
    "a text": lambda values: "0.5 0.5",
    "categories of text": lambda values: pd.Series(values.astype(str).ravel()).astype("category"),
    "time stamps": lambda values: pd.Series(pd.to_datetime((values.ravel() * 10).astype("M8[s]"))),
}
"""What no entry can take."""
