"""Encodings: the product they promise, and the way to disk and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from bcls.errors import InputError
from bcls.relevance import DenseEncodings, SparseEncodings


def random_sparse(seed: int, captions: int = 5) -> tuple[SparseEncodings, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    left, right = (random.random((captions, 9)) * (random.random((captions, 9)) < 0.4) for _ in range(2))
    lengths = random.integers(0, 20, captions).astype(np.float32)
    return SparseEncodings(sparse.csr_array(left), sparse.csr_array(right), lengths, 4.0), left, right, lengths


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_sparse_similarity_is_the_penalised_product(seed):
    encodings, left, right, lengths = random_sparse(seed)
    references, candidates = np.array([4, 0, 0]), np.array([1, 3])
    ours = encodings.similarity(references, candidates)
    for i, r in enumerate(references):
        for j, c in enumerate(candidates):
            value = float(left[r] @ right[c]) * np.exp(-((lengths[r] - lengths[c]) ** 2) / (2 * 4.0**2))
            assert ours[i, j] == pytest.approx(min(1.0, value), abs=1e-6)
    assert ours.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_dense_similarity_is_the_clipped_cosine(dtype):
    vectors = np.array([[1, 0], [0.6, 0.8], [-1, 0], [0, 1]], dtype=dtype)
    ours = DenseEncodings(vectors).similarity(np.array([1, 2]), np.arange(4))
    np.testing.assert_allclose(ours, [[0.6, 1, 0, 0.8], [0, 0, 1, 0]], atol=1e-3)
    assert ours.dtype == np.float32
    assert ours.max() <= 1


@pytest.mark.parametrize("kind", ["dense", "symmetric", "asymmetric"])
def test_arrays_bring_the_same_encodings_back(kind, make_encodings):
    made = {
        "dense": make_encodings(5),
        "symmetric": SparseEncodings(sparse.csr_array(np.eye(5, 9))),
        "asymmetric": random_sparse(3)[0],
    }[kind]
    back = type(made).from_arrays(made.arrays())
    rows = np.arange(5)
    np.testing.assert_array_equal(back.similarity(rows, rows), made.similarity(rows, rows))
    assert len(back) == len(made) == 5
    assert back.arrays().keys() == made.arrays().keys()


@pytest.mark.parametrize(("part", "value"), [("references_indices", 9), ("candidates_indices", -1)])
def test_columns_out_of_range_are_refused_rather_than_read(part, value):
    arrays = {name: array.copy() for name, array in random_sparse(3)[0].arrays().items()}
    arrays[part][0] = value
    with pytest.raises(ValueError, match="indices"):
        SparseEncodings.from_arrays(arrays)


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"must be \(captions, dim\), not \(3,\)"):
        DenseEncodings(np.zeros(3))
    with pytest.raises(InputError, match="floating-point numbers, not int64"):
        DenseEncodings(np.zeros((3, 2), dtype=np.int64))
    matrix = sparse.csr_array(np.eye(3))
    with pytest.raises(InputError, match=r"references are \(3, 3\), but candidates are \(2, 3\)"):
        SparseEncodings(matrix, matrix[:2])
    with pytest.raises(InputError, match=r"3 captions are encoded, but lengths are \(2,\)"):
        SparseEncodings(matrix, lengths=np.zeros(2, dtype=np.float32))
