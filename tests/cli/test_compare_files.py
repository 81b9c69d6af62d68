"""`bcls compare` on files of embeddings and similarities, and by protocols with judgements of their own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bcls.data import read_dataset
from bcls.evaluation import RetrievalTruth, compare, embeddings_similarity, evaluate, judge, per_query


@pytest.fixture
def part(folder):
    return read_dataset(folder).split("val")


@pytest.fixture
def models(part, tmp_path, monkeypatch):
    """Two models' embeddings of the validation split, in files of a working folder: name -> (images, captions)."""
    monkeypatch.chdir(tmp_path)
    random, found = np.random.default_rng(0), {}
    for name, noise in (("a", 1.0), ("b", 3.0)):
        images = random.normal(size=(len(part.images), 6)).astype(np.float32)
        captions = (images[part.caption_image] + noise * random.normal(size=(len(part.caption_ids), 6))).astype("f4")
        Path(name).mkdir()
        np.save(f"{name}/i.npy", images)
        np.save(f"{name}/c.npy", captions)
        found[name] = images, captions
    np.save("rows.npy", part.caption_image)
    return found


PAIR = ("--image-embeddings", "a/i.npy", "b/i.npy", "--caption-embeddings", "a/c.npy", "b/c.npy")


def told(said, *, pages=()):
    assert said.code == 0, said.err
    content = json.loads(Path("out/comparison.json").read_text())
    assert sorted(file.name for file in Path("out").glob("*.html")) == sorted(pages)
    return content


@pytest.mark.parametrize("function", ["cosine", "dot"])
def test_embeddings_are_compared_as_evaluate_judges_them(bcls, models, part, folder, function):
    words = ("--data", folder, "--scorer", "none", "--similarity-function", function, "--samples", 99)
    content = told(bcls("compare", *PAIR, *words, "--output", "out"), pages=["comparison.html"])
    truth = RetrievalTruth(part.caption_image, len(part.images))
    for name, pair in models.items():
        assert content["metrics"][name] == evaluate(*pair, truth, similarity_function=function)
    results = {name: per_query(*pair, truth, similarity_function=function) for name, pair in models.items()}
    expected = compare(results, truth, samples=99)
    assert [(row["metric"], row["difference"]) for row in content["differences"]] == [
        (one.metric, one.difference) for one in expected
    ]
    assert "dog" in Path("out/comparison.html").read_text()


def test_without_a_data_set_there_is_no_page(bcls, models, part):
    said = bcls("compare", *PAIR, "--caption-image", "rows.npy", "--samples", 9, "--output", "out")
    content = told(said)
    assert "no page: it shows captions and images, so that it needs --data" in said.out
    assert content["metrics"]["a"] == evaluate(*models["a"], RetrievalTruth(part.caption_image, len(part.images)))
    assert (content["about"]["scorer"], content["about"]["split"]) == ("none", None)


def test_a_run_embeddings_and_similarities_together(bcls, models, config, part, folder, tmp_path):
    assert bcls("train", "--config", config).code == 0
    rows = np.arange(len(part.images)), np.arange(len(part.caption_ids))
    order = np.random.default_rng(1).permutation(len(part.images))
    np.save("s.npy", embeddings_similarity(*models["b"])(*rows)[order])
    Path("s.txt").write_text("\n".join(part.image_ids[row] for row in order))
    Path("i.txt").write_text("\n".join(part.image_ids))
    one = ("--image-embeddings", "b/i.npy", "--caption-embeddings", "b/c.npy", "--similarity", "s.npy")
    words = ("--image-ids", "i.txt", "s.txt", "--scorer", "tfidf", "--labels", "labels", "--samples", 9)
    said = bcls("compare", "run", *one, *words, "--base", "s", "--output", "out")
    content = told(said, pages=["comparison-1.html", "comparison-2.html"])
    assert (
        list(content["about"]["models"].values()) == ["run", "b/i.npy + b/c.npy", "s.npy"] or "s" in content["metrics"]
    )
    assert {row["run"] for row in content["differences"]} == {"run", "b/i"}
    own, file = content["metrics"]["b/i"], content["metrics"]["s"]
    assert own == pytest.approx(file)
    assert bcls("evaluate", "run", "--scorer", "tfidf", "--labels", "labels").code == 0
    assert json.loads(Path("run/val.tfidf.json").read_text())["metrics"] == content["metrics"]["run"]


def test_a_protocol_with_judgements_of_its_own(bcls, models, part, tmp_path):
    grades = [f"{image}.jpg\t{image}.jpg#0\t{1 + image % 4}\t{1 + image % 4}\t{1 + image % 3}" for image in range(8)]
    grades += [f"{image}.jpg\t{(image + 1) % 8}.jpg#0\t1\t{1 + image % 2}\t1" for image in range(8)]
    Path("ExpertAnnotations.txt").write_text("\n".join(grades) + "\n")
    Path("i.txt").write_text("".join(f"{image}.jpg\n" for image in range(8)))
    Path("c.txt").write_text("".join(f"{image // 2}.jpg#{image % 2}\n" for image in range(16)))
    words = ("--protocol", "flickr8k-expert", "--judgements", "ExpertAnnotations.txt")
    ids = ("--image-ids", "i.txt", "--caption-ids", "c.txt")
    said = bcls("compare", *PAIR, *words, *ids, "--output", "out")
    content = told(said)
    assert "no intervals: flickr8k-expert makes one number of all queries" in said.out
    assert "b - a" in said.out
    images, captions = (Path(name).read_text().splitlines() for name in ("i.txt", "c.txt"))
    truth = RetrievalTruth(np.arange(16) // 2, 8, images, captions)
    for name, metrics in content["metrics"].items():
        similarity = embeddings_similarity(*models[name])
        assert metrics == judge("flickr8k-expert", similarity, truth, files=["ExpertAnnotations.txt"])
    assert max(map(len, said.out.splitlines())) <= 80


def test_a_graded_protocol_of_runs(bcls, config, tmp_path):
    for seed in (0, 1):
        assert bcls("train", "--config", config, "--seed", seed, "--output", tmp_path / str(seed)).code == 0
    words = ("--protocol", "ncs", "--labels", tmp_path / "labels")
    said = bcls("compare", tmp_path / "0", tmp_path / "1", *words, "--output", tmp_path / "out")
    assert said.code == 0, said.err
    content = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert bcls("evaluate", tmp_path / "1", *words).code == 0
    assert json.loads((tmp_path / "1" / "val.ncs.json").read_text())["metrics"] == content["metrics"]["1"]


def test_refusals_are_one_line(bcls, models, folder):
    np.save("few.npy", np.zeros(16, dtype=np.int64))
    for words, named in [
        (PAIR[:5], "--image_embeddings names 2 and --caption_embeddings 1: each model needs both"),
        (("--image-embeddings", "a/i.npy", "--caption-embeddings", "a/c.npy"), "name two models or more"),
        ((*PAIR, "--image-ids", "a", "b", "c"), "--image_ids names 3 files for 2 models"),
        ((*PAIR, "--caption-image", "rows.npy", "--base", "z"), "--base z: no model of this name; there are: a, b"),
        ((*PAIR,), "which caption belongs to which image?"),
        ((*PAIR, "--data", folder, "--caption-image", "rows.npy"), "one of --data and --caption_image"),
        ((*PAIR, "--data", folder, "--split", "test"), "no split 'test'"),
        ((*PAIR, "--data", folder, "--similarity-function", "euclid"), "euclid: there are cosine, dot"),
        (("run", *PAIR, "--caption-image", "rows.npy"), "--caption_image tells about rows of files"),
    ]:
        said = bcls("compare", *words, "--output", "out")
        assert said.code == 2, (words, said.err)
        assert named in said.err.splitlines()[-1], (words, said.err)


def test_models_that_share_their_images_are_named_by_their_captions(bcls, models, part):
    pair = ("--image-embeddings", "a/i.npy", "a/i.npy", "--caption-embeddings", "a/c.npy", "b/c.npy")
    content = told(bcls("compare", *pair, "--caption-image", "rows.npy", "--samples", 99, "--output", "out"))
    truth, images = RetrievalTruth(part.caption_image, len(part.images)), models["a"][0]
    assert list(content["metrics"]) == ["a", "b"]
    for name in "ab":
        assert content["metrics"][name]["rsum"] == evaluate(images, models[name][1], truth)["rsum"]


def test_a_model_that_stands_there_twice_is_refused(bcls, models):
    pair = ("--image-embeddings", "a/i.npy", "a/i.npy", "--caption-embeddings", "a/c.npy", "a/c.npy")
    said = bcls("compare", *pair, "--caption-image", "rows.npy", "--output", "out")
    assert said.code == 2
    assert "a/c stands there twice" in said.err
