"""A small model, a small index of coloured pictures, and a client of a server over them."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("fastapi")

from fastapi.testclient import TestClient

from bcls.cli import main
from bcls.models import BagOfWordsTower, ConvTower, RetrievalModel, fingerprint
from bcls.search import Record, create_index
from bcls.server import Embedder, Served, ServerSettings, create_app

COLOURS = ("red", "green", "blue", "orange", "purple", "white", "black", "brown")
FIELDS = {"kind": "str", "image": "str", "file": "str", "split": "str", "text": "str"}
WRITE_KEY = "a key for writing, not short".replace(" ", "-")
READ_KEY = "a key for reading, not short".replace(" ", "-")
MODEL = "hash-of-the-model"


def picture_bytes(colour: str | tuple[int, ...] = "red", size: tuple[int, int] = (40, 30), kind: str = "PNG") -> bytes:
    held = io.BytesIO()
    Image.new("RGBA" if len(colour) == 4 and not isinstance(colour, str) else "RGB", size, colour).save(held, kind)
    return held.getvalue()


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    torch.manual_seed(0)
    model = RetrievalModel(ConvTower(dim=8, channels=(8, 16), image_size=16), BagOfWordsTower(dim=8, minimum_count=1))
    model.image_tower.fit([Image.new("RGB", (20, 20), colour) for colour in COLOURS])
    model.caption_tower.fit([f"a {colour} picture" for colour in COLOURS])
    return Embedder(model)


@dataclass(frozen=True)
class Made:
    """An index on disk and the folder of its pictures."""

    index: Path
    pictures: Path
    uploads: Path


def records_of(embedder: Embedder, pictures: Path, colours=COLOURS) -> list[Record]:
    """Two pictures a colour, the second in the split `val`, each with two captions; like `bcls index` makes them."""
    records = []
    for colour in colours:
        for number, split in enumerate(("train", "val")):
            name, file = f"{colour}-{number}", f"{colour}-{number}.png"
            opened = Image.new("RGB", (40, 30 + 10 * number), colour)
            opened.save(pictures / file)
            captions = [f"a {colour} picture", f"{colour} {number}"]
            about = {"image": name, "file": file, "split": split}
            vector = embedder.pictures([embedder.prepared(opened)])[0]
            records.append(Record(name, vector, about | {"kind": "image", "text": "\n".join(captions)}))
            for place, (caption, told) in enumerate(zip(captions, embedder.texts(captions), strict=True)):
                records.append(Record(f"caption:{name}#{place}", told, about | {"kind": "caption", "text": caption}))
    return records


@pytest.fixture
def made(tmp_path: Path, embedder: Embedder) -> Made:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    with create_index(f"memory:{tmp_path / 'index'}", dim=8, model=MODEL, fields=FIELDS) as index:
        index.add(records_of(embedder, pictures))
    return Made(tmp_path / "index", pictures, tmp_path / "uploads")


@pytest.fixture(scope="session")
def model(embedder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "model"
    embedder.model.save_pretrained(folder)
    return folder


@pytest.fixture
def collection(model, embedder, tmp_path):
    """Makes an index with an engine and returns its place and the picture folder."""

    def make(engine: str):
        if engine == "lancedb":
            pytest.importorskip("lancedb")
        pictures = tmp_path / "pictures"
        pictures.mkdir()
        place = f"memory:{tmp_path / 'index'}" if engine == "memory" else str(tmp_path / "index")
        with create_index(place, dim=8, model=fingerprint(model), fields=FIELDS) as index:
            index.add(records_of(embedder, pictures))
        return place, pictures

    return make


def served_of(made: Made, embedder: Embedder, name: str = "colours") -> Served:
    return Served(name, embedder, MODEL, str(made.index), made.pictures, made.uploads)


Serving = Callable[..., TestClient]


@pytest.fixture
def serving(made: Made, embedder: Embedder) -> Iterator[Serving]:
    """Makes a client of a started server with these settings."""
    started: list[TestClient] = []

    def start(*served: Served, **settings: object) -> TestClient:
        app = create_app(served or [served_of(made, embedder)], ServerSettings(**settings))
        client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
        client.__enter__()
        started.append(client)
        return client

    yield start
    for client in started:
        client.__exit__(None, None, None)


@pytest.fixture
def client(serving: Serving) -> TestClient:
    return serving()


@pytest.fixture
def writer(serving: Serving) -> TestClient:
    """A client that may write."""
    client = serving(write_key=WRITE_KEY)
    client.headers["Authorization"] = f"Bearer {WRITE_KEY}"
    return client


def unit(values: list[float]) -> np.ndarray:
    vector = np.asarray(values, np.float32)
    return vector / np.linalg.norm(vector)


@pytest.fixture
def bcls_command(capsys) -> Callable[..., str]:
    """`bcls(...)` in this process: what it prints."""

    def call(*words: str | Path) -> str:
        capsys.readouterr()
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        assert code == 0, said.err
        return said.out

    return call
