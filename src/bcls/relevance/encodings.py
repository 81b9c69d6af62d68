"""Captions as a scorer encodes them, and how two encodings are compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from scipy import sparse

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.precision import inner_products

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT_SINGLE = 1 << 25
"""Numbers that dense encodings hold in single precision at most: 128 MB."""


_LARGEST = 1e9
"""What encodings hold is at most about 1; what is beyond this is damage."""


class Encodings(ABC):
    """N encoded captions. `kind` names the class in a label store; `arrays` and `from_arrays` carry it to disk."""

    kind: ClassVar[str]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def similarity(self, references: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.float32]:
        """How similar candidates are to references.

        Args:
            references: (R,) rows of captions that are compared against.
            candidates: (C,) rows of captions that are scored.

        Returns:
            (R, C) float32 in [0, 1].
        """

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Plain arrays that hold everything."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Encodings:
        """The encodings that gave these arrays; memory maps are fine."""


class DenseEncodings(Encodings):
    """Unit vectors compared by cosine; a negative cosine counts as 0.

    Args:
        vectors: (captions, dim), each of length 1, float16 or float32, perhaps a memory map.

    Raises:
        InputError: `vectors` has another shape, holds no floating-point numbers, or one that is not finite (of a
            memory map of more than 128 MB only the rows that are compared are looked at).

    Example:
        >>> encodings = DenseEncodings(np.array([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]], dtype=np.float32))
        >>> encodings.similarity(np.array([0]), np.array([0, 1, 2]))
        array([[1. , 0.6, 0. ]], dtype=float32)
    """

    kind = "dense"

    def __init__(self, vectors: NDArray[np.floating]) -> None:
        plain = type(vectors) in {np.ndarray, np.memmap}  # no masked array, and no matrix, which stays (1, dim) by row
        if not plain or vectors.dtype == object or not vectors.dtype.isnative:
            vectors = to_array(vectors, "dense encodings")
        if vectors.ndim != 2:
            raise InputError(f"dense encodings must be (captions, dim), not {vectors.shape}")
        if not np.issubdtype(vectors.dtype, np.floating):
            raise InputError(f"dense encodings must be floating-point numbers, not {vectors.dtype}")
        self._vectors = vectors
        if not isinstance(vectors, np.memmap):
            _single(vectors)  # refuses what is not finite

    @cached_property
    def _quick(self) -> NDArray[np.floating]:
        """The vectors in single precision where they are few: to turn a batch takes as long as half its product."""
        return _single(self._vectors) if self._vectors.size <= KEPT_SINGLE else self._vectors

    def __len__(self) -> int:
        return len(self._vectors)

    def similarity(self, references: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.float32]:
        """Cosines clipped to [0, 1]; the cost is one matrix product.

        The product is torch's: numpy's has threads of its own, and between two steps of a training on torch the two
        sets of threads take each other's cores.
        """
        parts = self._quick[references], self._quick[candidates]
        if parts[0].dtype != np.float32:
            parts = _single(parts[0]), _single(parts[1])
        left, right = map(torch.from_numpy, parts)
        product: NDArray[np.float32] = inner_products(left, right).clamp_(0.0, 1.0).numpy()
        return product

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The vectors."""
        return {"vectors": self._vectors}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> DenseEncodings:
        """Vectors as they were saved."""
        return cls(arrays["vectors"])  # type: ignore[arg-type]


class SparseEncodings(Encodings):
    """Sparse vectors compared by a dot product, with an optional penalty on different lengths.

    A caption may be encoded differently as a reference and as a candidate, for measures that are not symmetric.

    Args:
        references: (captions, features) CSR.
        candidates: (captions, features) CSR; None = the same as the references.
        lengths: (captions,) caption lengths; None = no penalty.
        sigma: width of the Gaussian penalty exp(-(difference of lengths)^2 / (2 sigma^2)).

    Raises:
        InputError: the parts have different numbers of captions or features.

    Example:
        >>> vectors = sparse.csr_array(np.array([[1.0, 0.0], [0.6, 0.8]]))
        >>> encodings = SparseEncodings(vectors, lengths=np.array([3, 9], dtype=np.float32))
        >>> encodings.similarity(np.array([0]), np.array([0, 1])).round(3)  # 0.6 exp(-0.5)
        array([[1.   , 0.364]], dtype=float32)
    """

    kind = "sparse"

    def __init__(
        self,
        references: sparse.csr_array,
        candidates: sparse.csr_array | None = None,
        lengths: NDArray[np.float32] | None = None,
        sigma: float = 6.0,
    ) -> None:
        if candidates is not None and candidates.shape != references.shape:
            raise InputError(f"references are {references.shape}, but candidates are {candidates.shape}")
        if lengths is not None and lengths.shape != references.shape[:1]:
            raise InputError(f"{references.shape[0]} captions are encoded, but lengths are {lengths.shape}")
        self._references = references
        self._candidates = references if candidates is None else candidates
        self._lengths = lengths
        self._sigma = sigma

    @property
    def references(self) -> sparse.csr_array:
        """(captions, features) the captions as references."""
        return self._references

    def __len__(self) -> int:
        return int(self._references.shape[0])

    def similarity(self, references: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.float32]:
        """Dot products, penalised, clipped to [0, 1]; the cost is one sparse product."""
        sparse_product = self._references[references] @ self._candidates[candidates].T
        product: NDArray[np.float32] = sparse_product.toarray().astype(np.float32)
        if self._lengths is not None:
            difference = self._lengths[references][:, None] - self._lengths[candidates][None, :]
            product *= np.exp(-(difference**2) / np.float32(2 * self._sigma**2))
        return np.clip(product, 0.0, 1.0, out=product)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The parts of both matrices, their shape, the lengths and sigma."""
        held: dict[str, NDArray[np.generic]] = {
            "shape": np.array(self._references.shape, dtype=np.int64),
            "sigma": np.array(self._sigma, dtype=np.float64),
        }
        sides = {"references": self._references}
        if self._candidates is not self._references:
            sides["candidates"] = self._candidates
        for side, matrix in sides.items():
            held |= {f"{side}_{part}": getattr(matrix, part) for part in ("data", "indices", "indptr")}
        if self._lengths is not None:
            held["lengths"] = self._lengths
        return held

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> SparseEncodings:
        """Matrices as they were saved.

        Raises:
            ValueError: the parts are no CSR matrix of that shape.
            KeyError: a part is missing.
        """
        shape = (int(arrays["shape"][0]), int(arrays["shape"][1]))

        def matrix(side: str) -> sparse.csr_array:
            parts = tuple(np.asarray(arrays[f"{side}_{part}"]) for part in ("data", "indices", "indptr"))
            made: sparse.csr_array = sparse.csr_array(parts, shape=shape)
            made.check_format(full_check=True)  # a column out of range would read foreign memory
            if not np.abs(made.data).max(initial=0.0) < _LARGEST:
                raise ValueError("a number that is not finite, or too large")
            return made

        candidates = matrix("candidates") if "candidates_data" in arrays else None
        lengths = np.asarray(arrays["lengths"], dtype=np.float32) if "lengths" in arrays else None
        return cls(matrix("references"), candidates, lengths, float(arrays["sigma"]))


def _single(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Vectors in single precision.

    Raises:
        InputError: a number is not finite, or too large: no vector of length 1 has such a one.
    """
    with np.errstate(over="ignore", under="ignore"):
        single = vectors.astype(np.float32, copy=False)
    largest = np.abs(single).max(initial=0.0)
    if not largest < _LARGEST:
        row = int(np.flatnonzero(~(np.abs(single) < _LARGEST).all(axis=1))[0])
        raise InputError(
            f"encodings: row {row} holds a number that is not finite, or too large for a vector of length 1"
        )
    return single


KINDS: dict[str, type[Encodings]] = {kind.kind: kind for kind in (DenseEncodings, SparseEncodings)}
