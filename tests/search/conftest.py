"""Indexes of every engine to test on, and records to fill them with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bcls.search import Index, Record, create_index, open_index

FIELDS = {"kind": "str", "count": "int", "weight": "float", "good": "bool"}
DIM = 8


class Engine:
    """Makes and opens indexes of one engine; a name is a place of its own."""

    def __init__(self, name: str, place: Callable[[str], str]) -> None:
        self.name = name
        self.place = place
        self.durable = name != "memory"

    def create(self, name: str = "index", **more) -> Index:
        return create_index(self.place(name), **({"dim": DIM, "model": "m", "fields": FIELDS} | more))

    def open(self, name: str = "index") -> Index:
        return open_index(self.place(name))


@pytest.fixture(
    params=["memory", "memory folder", "lancedb"],
)
def engine(request, tmp_path: Path) -> Engine:
    """Every engine in turn."""
    name = request.param
    if name == "lancedb":
        pytest.importorskip("lancedb")
        return Engine(name, lambda one: str(tmp_path / one))
    if name == "milvus":
        return request.getfixturevalue("milvus_engine")
    return Engine(name, lambda one: "memory:" if name == "memory" else f"memory:{tmp_path / one}")


@pytest.fixture
def index(engine) -> Index:
    """An empty index."""
    with engine.create() as made:
        yield made


@pytest.fixture(scope="session")
def records() -> Callable[..., list[Record]]:
    """`records(30)`: records r000, r001, ... with random vectors; their count is their number."""

    def make(count: int, *, start: int = 0, seed: int = 0, dim: int = DIM) -> list[Record]:
        vectors = np.random.default_rng(seed).normal(size=(start + count, dim)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return [
            Record(
                f"r{number:03d}",
                vectors[number],
                {
                    "kind": ["image", "caption"][number % 2],
                    "count": number,
                    "weight": number / 4,
                    "good": number % 3 == 0,
                },
            )
            for number in range(start, start + count)
        ]

    return make
