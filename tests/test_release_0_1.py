"""What release 0.1 wrote still opens and still gives the numbers that 0.1 gave.

`kept/release_0.1` was written by version 0.1.0 itself: two small data sets, models of every kind of tower and
similarity, runs, label stores, embeddings, and indexes of both local engines, with the results that 0.1 printed.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bcls.cli import main
from bcls.data import read_dataset
from bcls.data.labels import label_split
from bcls.embedding import QueryEncoder
from bcls.relevance import CiderScorer, Scorer, SentenceScorer, TfidfScorer
from bcls.search import Filter, open_index

KEPT = Path(__file__).parent / "kept" / "release_0.1"
RUNS = ("pooled", "regions", "scan", "sgr", "saf")


@pytest.fixture(autouse=True)
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that may be written to, at the relative path that the kept configs name."""
    shutil.copytree(KEPT, tmp_path / "release_0.1")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "release_0.1"


def metrics_of(file: Path) -> dict[str, float]:
    return dict(json.loads(file.read_text())["metrics"])


@pytest.mark.parametrize("run", RUNS)
def test_a_run_evaluates_to_the_same_numbers(run: str, release: Path) -> None:
    before = metrics_of(release / "runs" / run / "val.json")
    assert main(["evaluate", f"release_0.1/runs/{run}", "--labels", "release_0.1/labels", "--output", "new.json"]) == 0
    after = metrics_of(Path("new.json"))
    assert {name: after[name] for name in before} == pytest.approx(before, rel=1e-6)


def test_a_run_on_images_evaluates_to_the_same_numbers(release: Path) -> None:
    before = metrics_of(release / "runs" / "conv" / "val.scene_truth.json")
    assert main(["evaluate", "release_0.1/runs/conv", "--scene_truth", "true", "--output", "new.json"]) == 0
    after = metrics_of(Path("new.json"))
    assert {name: after[name] for name in before} == pytest.approx(before, rel=1e-6)


def test_a_finished_run_resumes_without_training_again(release: Path) -> None:
    before = (release / "runs/pooled/model/model.safetensors").read_bytes()
    assert main(["train", "--config", "release_0.1/configs/pooled.yaml", "--resume", "true"]) == 0
    assert (release / "runs/pooled/model/model.safetensors").read_bytes() == before


@pytest.mark.parametrize("scorer", [TfidfScorer(), CiderScorer(), SentenceScorer("all-MiniLM-L6-v2")])
@pytest.mark.parametrize("split", ["train", "val"])
def test_labels_open_without_encoding_again(
    scorer: Scorer, split: str, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the captions were encoded again")

    monkeypatch.setattr(type(scorer), "encode", refuse)
    dataset = read_dataset("release_0.1/data")
    relevance = label_split(dataset, split, scorer, release / "labels")
    part = dataset.split(split)
    rows = relevance.matrix(range(len(part.images)), range(len(part.caption_texts)))
    assert rows.shape == (len(part.images), len(part.caption_texts))
    assert rows[part.caption_image, range(len(part.caption_texts))].min() == 1.0


@pytest.mark.parametrize(
    ("engine", "place"), [("memory", "memory:release_0.1/memory_index"), ("lance", "release_0.1/lance_index")]
)
def test_an_index_finds_the_same(engine: str, place: str, release: Path) -> None:
    before = json.loads((release / "search.json").read_text())[engine]
    index = open_index(place)
    assert index.count() == 101
    query = QueryEncoder.for_index(index, "release_0.1/runs/pooled/model").texts(["a dog runs"])
    hits = index.search(query, len(before), where=Filter.parse("kind=image"))[0]
    assert [hit.id for hit in hits] == [hit["id"] for hit in before]
    assert [hit.score for hit in hits] == pytest.approx([hit["score"] for hit in before], abs=1e-6)
