"""Recall through an index is the evaluation's own."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bcls.embedding import Embeddings, EmbeddingsInfo, Shard, fill_index, index_recall
from bcls.embedding.recall import enough_hits, hits_recall
from bcls.evaluation import RetrievalTruth, evaluate
from bcls.search import Hit

IMAGES, DIM = 150, 32


@pytest.fixture(scope="module")
def shards():
    """Images of two splits with one to three captions each, near them and near their neighbours; some are the same."""
    random = np.random.default_rng(0)
    topics = random.normal(size=(12, DIM))
    images = topics[random.integers(0, 12, IMAGES)] + 0.6 * random.normal(size=(IMAGES, DIM))
    images[60:63] = images[:3]  # equal pictures
    made = []
    for start in range(0, IMAGES, 50):
        rows, vectors = [], []
        for number in range(start, start + 50):
            fields = {"image": f"i{number}", "file": "", "split": "val" if number < 120 else "train", "text": "x"}
            rows.append((f"i{number}", {"kind": "image", **fields}))
            vectors.append(images[number])
            for k in range(1 + number % 3):
                rows.append((f"caption:i{number}#{k}", {"kind": "caption", **fields}))
                own = images[number] + 1.4 * random.normal(size=DIM)
                vectors.append(images[7] if k == 0 and number % 6 == 1 else own)  # equal captions of twenty pictures
        array = np.array(vectors)
        made.append(Shard(rows, (array / np.linalg.norm(array, axis=1, keepdims=True)).astype(np.float32), []))
    return made


@pytest.fixture
def embeddings(shards, tmp_path) -> Embeddings:
    about = {"model": "m", "model_path": "m", "data": "d", "data_hash": "h", "features": None}
    info = EmbeddingsInfo(**about, dim=DIM, images=IMAGES, shard_images=50)
    made = Embeddings.claim(tmp_path / "embeddings", info)
    for number, shard in enumerate(shards):
        made.write(number, shard)
    return made


@pytest.fixture(scope="module")
def judged(shards):
    rows = [pair for shard in shards for pair in zip(shard.rows, shard.vectors, strict=True)]
    rows = [(fields, vector) for (_, fields), vector in rows if fields["split"] == "val"]
    images = [(fields["image"], vector) for fields, vector in rows if fields["kind"] == "image"]
    captions = [(fields["image"], vector) for fields, vector in rows if fields["kind"] == "caption"]
    row_of = {name: row for row, (name, _) in enumerate(images)}
    truth = RetrievalTruth(np.array([row_of[name] for name, _ in captions]), len(images))
    return evaluate(np.stack([v for _, v in images]), np.stack([v for _, v in captions]), truth)


def test_every_record_compared_is_exactly_the_evaluation(embeddings, judged, tmp_path):
    pytest.importorskip("lancedb")
    for place in ("memory:", str(tmp_path / "index")):
        with fill_index(embeddings, place) as index:
            found = index_recall(index, embeddings.read_all(), "val")
        assert found == {key: pytest.approx(judged[key], abs=1e-9) for key in found}
        assert 20 < found["text_to_image/recall@1"] < 95


def test_a_stranger_that_ties_counts_as_before():
    def hit(image: str, score: float) -> Hit:
        return Hit(f"{image}{score}", score, {"image": image})

    tied = [hit("a", 0.9), hit("b", 0.9), hit("a", 0.5)]
    assert hits_recall(["a", "b", "c"], [tied, tied, tied]) == {
        "recall@1": 0.0,
        "recall@5": pytest.approx(200 / 3),
        "recall@10": pytest.approx(200 / 3),
    }
    assert hits_recall(["a"], [[hit("a", 0.9), hit("a", 0.9), hit("b", 0.8)]])["recall@1"] == 100
    assert enough_hits(Counter({"a": 3, "b": 5})) == 15


def test_the_vector_index_is_hardly_worse(embeddings, judged, tmp_path):
    pytest.importorskip("lancedb")
    with fill_index(embeddings, str(tmp_path / "index")) as index:
        assert index.info().exact
        index.build_vector_index()
        assert not index.info().exact
        found = index_recall(index, embeddings.read_all(), "val")
        assert all(found[key] >= 0.98 * judged[key] for key in found)
        new = embeddings.read(0)
        index.delete([new.rows[0][0]])
        index.build_vector_index()  # again: the old one goes
        assert [len(hits) for hits in index.search(new.vectors[:2], 600)] == [449, 449]
