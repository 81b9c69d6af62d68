"""`bcls evaluate` on anybody's embeddings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bcls.data import read_dataset
from bcls.evaluation import RetrievalTruth, evaluate


@pytest.fixture
def part(folder):
    return read_dataset(folder).split("val")


@pytest.fixture
def embeddings(part, tmp_path, monkeypatch):
    """Embeddings of the validation split in files of a working folder: (images, captions)."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    images = random.normal(size=(len(part.images), 6)).astype(np.float32)
    captions = (images[part.caption_image] + random.normal(size=(len(part.caption_ids), 6))).astype(np.float32)
    np.save("images.npy", images)
    np.save("captions.npy", captions)
    return images, captions


PAIR = ("evaluate", "--image-embeddings", "images.npy", "--caption-embeddings", "captions.npy")


def _metrics(said):
    assert said.code == 0, said.err
    file = said.out.splitlines()[-1].removeprefix("all metrics: ")
    return json.loads(Path(file).read_text())["metrics"]


def test_rows_in_the_order_of_the_split(bcls, embeddings, part, folder):
    said = bcls(*PAIR, "--data", folder, "--scorer", "tfidf")
    metrics = _metrics(said)
    expected = evaluate(*embeddings, RetrievalTruth(part.caption_image, len(part.images)))
    assert expected.items() <= metrics.items()
    assert 0 < metrics["ndcg@10"] <= 1
    assert "rsum" in said.out


def test_rows_matched_by_ids_give_the_same(bcls, embeddings, part, folder):
    expected = _metrics(bcls(*PAIR, "--data", folder, "--scorer", "none"))
    images, captions = embeddings
    image_order = np.random.default_rng(1).permutation(len(images))
    caption_order = np.random.default_rng(2).permutation(len(captions))
    np.save("images.npy", images[image_order])
    np.save("captions.npy", captions[caption_order])
    with open("i.txt", "w") as file:  # noqa: PTH123
        file.writelines(f"{part.image_ids[row]}\n" for row in image_order)
    with open("c.json", "w") as file:  # noqa: PTH123
        json.dump([part.caption_ids[row] for row in caption_order], file)
    ids = ("--image-ids", "i.txt", "--caption-ids", "c.json")
    assert _metrics(bcls(*PAIR, "--data", folder, "--scorer", "none", *ids)) == expected
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (images[image_order], captions)]
    np.save("s.npy", unit[0] @ unit[1][caption_order].T)
    said = bcls("evaluate", "--similarity", "s.npy", "--data", folder, "--scorer", "none", *ids)
    assert _metrics(said) == pytest.approx(expected)


def test_a_file_tells_each_captions_image(bcls, embeddings, part, folder):
    np.save("rows.npy", part.caption_image)
    expected = _metrics(bcls(*PAIR, "--data", folder, "--scorer", "none"))
    assert _metrics(bcls(*PAIR, "--caption-image", "rows.npy")) == expected
    about = json.loads((folder.parent / "images.result.json").read_text())["about"]
    assert about == {
        "caption_embeddings": "captions.npy",
        "caption_image": "rows.npy",
        "image_embeddings": "images.npy",
        "protocol": "whole",
        "scene_truth": False,
        "scorer": "none",
        "split": None,
    }


@pytest.mark.parametrize("protocol", ["flickr8k", "flickr30k"])
def test_a_protocol_knows_that_five_captions_follow_each_other(bcls, tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    images = random.normal(size=(1000, 4)).astype(np.float32)
    captions = np.repeat(images, 5, axis=0) + random.normal(size=(5000, 4)).astype(np.float32)
    np.save("images.npy", images)
    np.save("captions.npy", captions)
    said = bcls(*PAIR, "--protocol", protocol)
    expected = evaluate(images, captions, RetrievalTruth.from_counts([5] * 1000), protocol=protocol)
    assert _metrics(said) == expected
    assert "pairs: 5 captions an image, in order" in said.out
    np.save("captions.npy", captions[:4999])
    said = bcls(*PAIR, "--protocol", protocol)
    assert said.code == 2
    assert "means 5 captions an image in order, but captions.npy has 4999 for 1000 images" in said.err


def test_refusals_are_one_line(bcls, embeddings, part, folder):
    images, _ = embeddings
    np.save("few.npy", images[:3])
    np.save("wide.npy", np.ones((len(images), 7), dtype=np.float32))
    np.save("rows.npy", part.caption_image)
    np.save("rows_high.npy", part.caption_image + 1)
    np.save("rows_few.npy", part.caption_image[:5])
    for name, ids in [
        ("some.txt", part.image_ids[:3]),
        ("other.txt", ["x", *part.image_ids[1:]]),
        ("twice.txt", [part.image_ids[1], *part.image_ids[1:]]),
    ]:
        (folder.parent / name).write_text("\n".join(ids))
    data = ("--data", folder)
    few = ("evaluate", "--image-embeddings", "few.npy", "--caption-embeddings", "captions.npy")
    wide = ("evaluate", "--image-embeddings", "wide.npy", "--caption-embeddings", "captions.npy")
    for words, named in [
        ((*few, *data), "few.npy: 3 images, but the split 'val' of"),
        ((*wide, *data), "wide.npy has 7 dimensions and captions.npy has 6"),
        ((*PAIR, *data, "--image-ids", "some.txt"), "some.txt: 3 ids for the 8 images of images.npy"),
        ((*PAIR, *data, "--image-ids", "other.txt"), "other.txt: 1 ids of the split 'val' of"),
        ((*PAIR, *data, "--image-ids", "twice.txt"), "twice.txt: row 1: the id '17' is already that of row 0"),
        ((*PAIR, *data, "--protocol", "flickr8k"), "the protocol 'flickr8k' needs 1,000 images, there are 8"),
        ((*PAIR, *data, "--split", "test"), "no split 'test'"),
        ((*PAIR, *data, "--features", "vectors"), "--features is for models"),
        ((*PAIR, *data, "--similarity", "s.npy"), "not both"),
        ((*PAIR, *data, "--caption-image", "rows.npy"), "Give one of --data and --caption_image"),
        (PAIR, "Give one of --data and --caption_image"),
        (PAIR[:3], "--caption_embeddings is missing"),
        ((*PAIR, "--caption-image", "rows_high.npy"), "rows_high.npy: caption row 14: image row 8 is not in -1..7"),
        ((*PAIR, "--caption-image", "rows_few.npy"), "image rows of 5 captions, but captions.npy has 16"),
        ((*PAIR, "--caption-image", "rows.npy", "--scorer", "cider"), "graded metrics need captions"),
        (("evaluate", "run", *PAIR[1:]), "judge either the model run or images.npy"),
        (("evaluate", "run", "--image-ids", "some.txt"), "--image_ids tells about rows of embeddings"),
        (("evaluate",), "name a model to judge"),
    ]:
        said = bcls(*words)
        assert said.code == 2, (words, said.err)
        assert named in said.err.splitlines()[-1], (words, said.err)
        assert said.err.startswith("bcls: error: ")


def test_relevance_from_a_table_is_that_of_the_same_matrix(bcls, embeddings, part, folder):
    matrix = np.full((len(part.images), len(part.caption_ids)), np.nan)
    matrix[part.caption_image, np.arange(len(part.caption_ids))] = 1
    lines = ["image_id,caption_id,score"]
    random = np.random.default_rng(3)
    for image, caption in zip(*np.nonzero(np.isnan(matrix)), strict=True):
        matrix[image, caption] = round(random.random(), 2)
        lines.append(f"{part.image_ids[image]},{part.caption_ids[caption]},{matrix[image, caption]}")
    np.save("relevance.npy", matrix.astype(np.float32))
    with open("relevance.csv", "w") as file:  # noqa: PTH123
        file.write("\n".join(lines) + "\n")
    found = []
    for kind in ("npy", "csv"):
        said = bcls(*PAIR, "--data", folder, "--relevance", f"relevance.{kind}", "--output", f"{kind}.json")
        found.append(_metrics(said))
    assert found[0] == found[1]
    assert 0 < found[0]["ndcg@10"] <= 1


def test_a_table_of_relevance_needs_the_data_set_that_has_its_ids(bcls, embeddings):
    with open("relevance.csv", "w") as file:  # noqa: PTH123
        file.write("image_id,caption_id,score\na,b,1\n")
    with open("rows.json", "w") as file:  # noqa: PTH123
        json.dump([0] * len(embeddings[1]), file)
    said = bcls(*PAIR, "--caption-image", "rows.json", "--relevance", "relevance.csv")
    assert said.code == 2
    assert "a table of rated pairs names ids: name the data set with --data" in said.err
