"""Queries' results on disk."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save_file

from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, per_query_similarity, read_queries, write_queries


def test_what_was_written_is_read(tmp_path):
    results = per_query_similarity(np.random.default_rng(0).random((5, 10)), RetrievalTruth.from_counts([2] * 5))
    write_queries(tmp_path / "deep" / "queries.safetensors", results)
    read = read_queries(tmp_path / "deep" / "queries.safetensors")
    assert read.keys() == results.keys()
    for name, values in results.items():
        np.testing.assert_array_equal(read[name], values)


def test_what_is_no_such_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="missing"):
        read_queries(tmp_path / "missing.safetensors")
    (tmp_path / "text").write_text("no tensors")
    with pytest.raises(InputError, match="text"):
        read_queries(tmp_path / "text")
    save_file({"a": np.zeros((2, 2))}, tmp_path / "matrix")
    with pytest.raises(InputError, match="shape"):
        read_queries(tmp_path / "matrix")
