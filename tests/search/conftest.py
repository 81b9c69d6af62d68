"""Indexes of every engine to test on, and records to fill them with."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bcls.search import Index, Record, create_index, open_index

FIELDS = {"kind": "str", "count": "int", "weight": "float", "good": "bool"}
DIM = 8
PATIENCE = 120


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory):
    """A Milvus server that can be killed; `make test-milvus` gives it a network of its own."""
    server = MilvusProcess(tmp_path_factory.mktemp("milvus"))
    server.start()
    yield server
    server.kill()


class MilvusProcess:
    """One server; a network namespace has room for one only."""

    def __init__(self, folder: Path) -> None:
        package = pytest.importorskip("milvus", reason="the extra milvus-server is not installed")
        self._server = package.MilvusServer(package.MilvusServerConfig(), wait_for_started=False)
        self._server.set_base_dir(str(folder))
        self._server.config.set("common.session.ttl", 5)
        self.port = 0

    def start(self) -> None:
        """Start it, and wait until it answers."""
        from pymilvus import MilvusClient

        self._server.start()
        self.port = self._server.listen_port
        until = time.monotonic() + PATIENCE
        while True:
            try:
                MilvusClient(uri=f"http://127.0.0.1:{self.port}", timeout=5).list_collections()
                return
            except Exception:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        self._server.server_proc.kill()
        self._server.server_proc.wait()
        self._server.server_proc = None


class Engine:
    """Makes and opens indexes of one engine; a name is a place of its own."""

    def __init__(self, name: str, place: Callable[[str], str]) -> None:
        self.name = name
        self.place = place

    def create(self, name: str = "index", **more) -> Index:
        return create_index(self.place(name), **({"dim": DIM, "model": "m", "fields": FIELDS} | more))

    def open(self, name: str = "index") -> Index:
        return open_index(self.place(name))


@pytest.fixture(
    params=["memory", "memory folder", "lancedb", pytest.param("milvus", marks=pytest.mark.milvus)],
)
def engine(request, tmp_path: Path) -> Engine:
    """Every engine in turn."""
    name = request.param
    if name == "lancedb":
        pytest.importorskip("lancedb")
        return Engine(name, lambda one: str(tmp_path / one))
    if name == "milvus":
        server = request.getfixturevalue("milvus_server")
        prefix = f"milvus://127.0.0.1:{server.port}/{request.node.name.split('[')[0]}"
        return Engine(name, lambda one: f"{prefix}_{one}")
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
