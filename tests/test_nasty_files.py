"""Every file that is read, spoilt: what is opened is what was written or is refused, and nothing else is raised."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from bcls import CiderScorer, RelevanceTable, RetrievalModel
from bcls.data import Caption, ImageRecord, RetrievalDataset, check_dataset, read_dataset, write_dataset, write_features
from bcls.data.features import FeatureStore
from bcls.embedding import Embeddings, embed
from bcls.errors import BCLSError
from bcls.evaluation import (
    read_caption_image,
    read_crowdflower,
    read_embeddings,
    read_expert,
    read_ids,
    read_queries,
    read_result,
    read_similarity,
    write_queries,
    write_result,
)
from bcls.models import BagOfWordsTower, PooledFeatureTower
from bcls.relevance import open_labels, write_labels
from bcls.search import MemoryIndex, Record, open_index
from nasty import MORE, changed, spoilt

CAPTIONS = [f"a {word} runs {number}" for number, word in enumerate(["dog", "cat", "man", "horse"])]
IDS = ["a#0", "a#1", "b#0", "c#0"]
IMAGES = np.array([0, 0, 1, 2])
VECTORS = np.eye(4, 3, dtype=np.float32) + 0.25


@dataclass(frozen=True)
class Kind:
    """A kind of folder or file.

    Attributes:
        make: writes a valid one into an empty folder.
        read: opens it and says what is in it, in a form that can be compared.
        sealed: the files whose every change is noticed: what is opened is then what was written.
    """

    make: Callable[[Path], object]
    read: Callable[[Path], Any]
    sealed: tuple[str, ...] = ()


def make_dataset(folder: Path) -> None:
    texts = iter(zip(IDS, CAPTIONS, strict=True))
    images = [
        ImageRecord(name, None, "train", tuple(Caption(*next(texts)) for _ in range(count)))
        for name, count in (("a", 2), ("b", 1), ("c", 1))
    ]
    write_dataset(folder, RetrievalDataset("tiny", images))
    write_features(folder / "features" / "cnn", ["a", "b", "c"], [VECTORS[:3]])


def see_dataset(folder: Path) -> Any:
    dataset = read_dataset(folder)
    check_dataset(dataset)
    return dataset.images


def see_features(folder: Path) -> Any:
    store = FeatureStore.open(folder / "features" / "cnn")
    store.gather(np.arange(len(store)))
    return len(store)


def make_karpathy(folder: Path) -> None:
    images = [
        {
            "filename": f"{name}.jpg",
            "split": "train",
            "imgid": row,
            "sentids": [row],
            "sentences": [{"raw": f"a {name}", "tokens": ["a", name], "imgid": row, "sentid": row}],
        }
        for row, name in enumerate(["dog", "cat", "man"])
    ]
    (folder / "dataset_tiny.json").write_text(json.dumps({"images": images, "dataset": "tiny"}))


def make_lines(folder: Path) -> None:
    rows = [{"file": f"{row}.jpg", "caption": f"a {row}", "split": "train", "image_id": row} for row in range(3)]
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))


def make_labels(folder: Path) -> None:
    write_labels(folder / "val", CiderScorer().fit(CAPTIONS, IMAGES), CAPTIONS, IDS, IMAGES)


def see_labels(folder: Path) -> Any:
    encodings = open_labels(folder / "val", CiderScorer(), CAPTIONS, IDS, IMAGES)
    encodings.similarity(np.arange(4), np.arange(4))
    return len(encodings)


def make_ratings(folder: Path) -> None:
    (folder / "r.csv").write_text("image_id,caption_id,score\na,a#0,4\na,b#0,1.5\nb,c#0,0\nc,c#0,5\n")


def see_ratings(folder: Path) -> Any:
    table = RelevanceTable(folder / "r.csv", highest=5.0)
    matrix = table.source(["a", "b", "c"], IDS, IMAGES).matrix(np.arange(3), np.arange(4))
    assert bool(((matrix >= 0) & (matrix <= 1) | np.isnan(matrix)).all())


def make_arrays(folder: Path) -> None:
    np.save(folder / "e.npy", VECTORS)
    save_file({"e": VECTORS}, folder / "e.safetensors")
    np.save(folder / "rows.npy", IMAGES)
    (folder / "rows.json").write_text("[0, 0, 1, 2]")
    (folder / "ids.txt").write_text("a\nb\nc\n")
    (folder / "ids.json").write_text('["a", "b", "c"]')


def see_arrays(folder: Path) -> Any:
    reads: list[tuple[Callable[[Path], Any], str]] = [
        *[(read, name) for read in (read_embeddings, read_similarity) for name in ("e.npy", "e.safetensors")],
        *[(read_caption_image, name) for name in ("rows.npy", "rows.json")],
        *[(read_ids, name) for name in ("ids.txt", "ids.json")],
    ]
    refused = []
    for read, name in reads:
        try:
            found = read(folder / name)
        except BCLSError as error:
            refused.append(error)
            continue
        if isinstance(found, np.ndarray) and found.dtype.kind == "f":
            assert bool(np.isfinite(found).all())
        assert len(found) >= 0
    if refused:
        raise refused[0]


def make_results(folder: Path) -> None:
    write_result(folder / "r.json", {"rsum": 512.5, "tau_b": 0.25}, {"protocol": "whole", "split": "val"})
    write_queries(folder / "q.safetensors", {"image_to_text/rank": np.arange(3.0)})


def see_results(folder: Path) -> Any:
    refused = []
    for read, name in ((read_result, "r.json"), (read_queries, "q.safetensors")):
        try:
            read(folder / name)
        except BCLSError as error:
            refused.append(error)
    if refused:
        raise refused[0]


def make_grades(folder: Path) -> None:
    (folder / "expert.txt").write_text("a.jpg\tb.jpg#2\t1\t1\t2\na.jpg\ta.jpg#0\t4\t4\t4\n")
    (folder / "crowd.txt").write_text("a.jpg\tb.jpg#2\t0.25\t1\t3\na.jpg\ta.jpg#0\t1\t3\t0\n")


def see_grades(folder: Path) -> Any:
    refused = []
    for read, name in ((read_expert, "expert.txt"), (read_crowdflower, "crowd.txt")):
        try:
            read(folder / name)
        except BCLSError as error:
            refused.append(error)
    if refused:
        raise refused[0]


def make_index(folder: Path) -> None:
    index = MemoryIndex(folder / "index", dim=3, model="m", fields={"kind": "str"})
    index.add([Record(name, vector, {"kind": "image"}) for name, vector in zip("abcd", VECTORS, strict=True)])
    index.delete(["b"])
    index.add([Record("e", VECTORS[0], {"kind": "caption"})])


def see_index(folder: Path) -> Any:
    with open_index(f"memory:{folder / 'index'}") as index:
        hits = index.search(VECTORS, 4)
        return index.count(), [[(hit.id, hit.score, hit.fields) for hit in row] for row in hits]


def make_model(folder: Path) -> RetrievalModel:
    torch.manual_seed(0)
    captions = BagOfWordsTower(dim=4)
    captions.fit(CAPTIONS)
    images = PooledFeatureTower(dim=4)
    images.fit(VECTORS)
    model = RetrievalModel(images, captions)
    model.eval()
    model.save_pretrained(folder / "model")
    return model


def see_model(folder: Path) -> Any:
    model = RetrievalModel.from_pretrained(folder / "model")
    model.encode_text(["a dog"])


def make_embeddings(folder: Path) -> None:
    make_dataset(folder / "data")
    make_model(folder)
    embed(folder / "model", folder / "data", folder / "out", features="cnn")
    for name in ("data", "model"):
        shutil.rmtree(folder / name)


def see_embeddings(folder: Path) -> Any:
    return [(shard.rows, shard.vectors.tolist(), shard.broken) for shard in Embeddings.open(folder / "out").read_all()]


KINDS: dict[str, Kind] = {
    "dataset folder": Kind(make_dataset, see_dataset, ("images.jsonl",)),
    "features": Kind(make_dataset, see_features),
    "Karpathy": Kind(make_karpathy, see_dataset),
    "JSON lines": Kind(make_lines, see_dataset),
    "label store": Kind(make_labels, see_labels),
    "ratings": Kind(make_ratings, see_ratings),
    "arrays and ids": Kind(make_arrays, see_arrays),
    "results": Kind(make_results, see_results),
    "grades of people": Kind(make_grades, see_grades),
    "memory index": Kind(make_index, see_index),
    "model": Kind(make_model, see_model),
    "embeddings": Kind(make_embeddings, see_embeddings),
}
EXAMPLES = {"model": 30, "embeddings": 60, "memory index": 80}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a kind, made once and restored after each example."""
    known: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in known:
            known[name] = tmp_path_factory.mktemp("nasty")
            KINDS[name].make(known[name])
        return known[name]

    return folder


@pytest.mark.parametrize("name", KINDS)
def test_a_spoilt_file_is_read_as_it_was_or_refused(made, name):
    kind, folder = KINDS[name], made(name)
    clean = kind.read(folder)
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.stat().st_size)
    content = {file: file.read_bytes() for file in files}

    @given(data=st.data())
    @settings(deadline=None, max_examples=EXAMPLES.get(name, 120) * MORE, suppress_health_check=list(HealthCheck))
    def check(data: st.DataObject) -> None:
        file = data.draw(st.sampled_from(files), label="file")
        spoil_structure = file.suffix in {".json", ".jsonl"} and data.draw(st.booleans(), label="structure")
        fresh = _structure(data, content[file]) if spoil_structure else data.draw(changed(content[file]))
        file.write_bytes(fresh)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = kind.read(folder)
        except BCLSError:
            return
        finally:
            file.write_bytes(content[file])
        if fresh == content[file] or file.name in kind.sealed:
            assert found == clean

    check()


def _structure(data: st.DataObject, content: bytes) -> bytes:
    """JSON, or lines of JSON, with one of its parts spoilt."""
    lines = content.decode().splitlines()
    try:
        values = [json.loads(line) for line in lines]
    except ValueError:
        values, lines = [json.loads(content)], [content.decode()]
    place = data.draw(st.integers(0, len(values) - 1), label="line")
    try:
        lines[place] = json.dumps(data.draw(spoilt(values[place]), label="spoilt"))
    except RecursionError:  # this Python cannot write it; another program could
        lines[place] = "[" * 100_000
    return "\n".join(lines).encode()
