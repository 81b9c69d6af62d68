"""`bcls evaluate --protocol` with judgements of its own, from files and from a model."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bcls.data import read_dataset
from bcls.evaluation import CosineSimilarity, judge
from bcls.evaluation.judged import registry
from bcls.evaluation.judged.eccv_package import CocoJudgements, eccv_package
from bcls.evaluation.judged.flickr8k_grades import flickr8k_truth

PAIR = ("evaluate", "--image-embeddings", "i.npy", "--caption-embeddings", "c.npy")


@pytest.fixture
def coco(tmp_path, monkeypatch):
    """Embeddings of four images and their 20 captions, with ids, and judgements of these alone."""
    pytest.importorskip("eccv_caption")
    monkeypatch.chdir(tmp_path)
    whole = eccv_package()
    captions, images = whole.caption_numbers[:20], whole.image_numbers[:4]
    folder = tmp_path / "judgements"
    folder.mkdir()
    np.save(folder / "coco_test_ids.npy", captions)
    of_caption = {str(caption): [int(images[row // 5])] for row, caption in enumerate(captions)}
    of_image = {str(image): captions[5 * row : 5 * row + 5].tolist() for row, image in enumerate(images)}
    for name in ("original", "cxc", "eccv"):
        (folder / f"{name}_caption_to_image.json").write_text(json.dumps(of_caption))
        (folder / f"{name}_image_to_caption.json").write_text(json.dumps(of_image))
    part = CocoJudgements(folder)
    for module in ("eccv", "cxc", "pmrp_eccv", "registry"):
        monkeypatch.setattr(f"bcls.evaluation.judged.{module}.eccv_package", lambda: part)
    monkeypatch.setattr(CocoJudgements, "folds", lambda self: [])
    monkeypatch.setattr("bcls.evaluation.judged.eccv._coco_1k", lambda *_: _no_folds())
    random = np.random.default_rng(0)
    embeddings = random.normal(size=(4, 6)), random.normal(size=(20, 6))
    np.save("i.npy", embeddings[0])
    np.save("c.npy", embeddings[1])
    (tmp_path / "i.txt").write_text("\n".join(f"COCO_val2014_{image:012d}.jpg" for image in images))
    (tmp_path / "c.txt").write_text("\n".join(map(str, captions)))
    return embeddings, part


def _no_folds():
    return {f"{side}/coco_1k_recall@{k}": 0.0 for side in ("image_to_text", "text_to_image") for k in (1, 5, 10)}


IDS = ("--image-ids", "i.txt", "--caption-ids", "c.txt")


def metrics_of(said, file):
    assert said.code == 0, said.err
    with open(file) as opened:  # noqa: PTH123
        return json.load(opened)["metrics"]


@pytest.mark.parametrize("protocol", ["eccv", "cxc"])
def test_coco_by_ids_alone(bcls, coco, protocol):
    embeddings, part = coco
    said = bcls(*PAIR, "--protocol", protocol, *IDS)
    found = metrics_of(said, f"i.{protocol}.result.json")
    ids = ([str(number) for number in numbers] for numbers in (part.image_numbers, part.caption_numbers))
    cosine = CosineSimilarity(*embeddings)
    assert found == judge(protocol, cosine, part.truth(*ids))
    assert "i2t" in said.out
    np.save("s.npy", cosine(np.arange(4), np.arange(20)))
    said = bcls("evaluate", "--similarity", "s.npy", "--protocol", protocol, *IDS)
    assert metrics_of(said, f"s.{protocol}.result.json") == found


def test_cxc_ratings_from_a_file(bcls, coco):
    _, part = coco
    rows = [f"COCO_val2014:sentid:{c},COCO_val2014_{i:012d}.jpg,{n % 6},x" for n, (c, i) in enumerate(
        zip(part.caption_numbers[:12], np.repeat(part.image_numbers, 3), strict=True))]  # fmt: skip
    with open("sits_val.csv", "w") as file:  # noqa: PTH123
        file.write("caption,image,agg_score,sampling_method\n" + "\n".join(rows) + "\n")
    np.save("rows.npy", part.caption_image)
    words = ("--protocol", "cxc-ratings", "--judgements", "sits_val.csv", "--caption-image", "rows.npy")
    found = metrics_of(bcls(*PAIR, *words, *IDS), "i.cxc-ratings.result.json")
    assert found["sits_pairs"] == 12
    assert -100 <= found["sits_spearman"] <= 100


def test_flickr8k_grades_from_files(bcls, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images, captions = [f"{n}.jpg" for n in range(4)], [f"{n}.jpg#{k}" for n in range(4) for k in range(2)]
    random = np.random.default_rng(3)
    similarity = random.normal(size=(4, 8))
    np.save("s.npy", similarity)
    (tmp_path / "i.txt").write_text("\n".join(images))
    (tmp_path / "c.txt").write_text("\n".join(captions))
    grades = [
        f"{i}\t{c}\t{1 + n % 4}\t{1 + n % 3}\t2" for n, (i, c) in enumerate((i, c) for i in images for c in captions)
    ]
    (tmp_path / "ExpertAnnotations.txt").write_text("\n".join(grades) + "\n")
    words = ("--protocol", "flickr8k-expert", "--judgements", "ExpertAnnotations.txt")
    said = bcls("evaluate", "--similarity", "s.npy", *IDS, *words)
    found = metrics_of(said, "s.flickr8k-expert.result.json")
    assert found == judge(
        "flickr8k-expert", similarity, flickr8k_truth(images, captions), files=["ExpertAnnotations.txt"]
    )
    assert found["graded_pairs"] == 3 * (32 - 8)
    assert "human_tau_c" in said.out


def test_a_model_is_judged_by_the_same_names(bcls, config, folder, tmp_path):
    bcls("train", "--config", config)
    labels = ("--labels", tmp_path / "labels")
    said = bcls("evaluate", tmp_path / "run", "--scorer", "tfidf", "--protocol", "ncs", *labels)
    assert 0 <= metrics_of(said, tmp_path / "run" / "val.ncs.tfidf.json")["ncs@10"] <= 100
    np.save(tmp_path / "relevance.npy", np.eye(8).repeat(2, axis=1) / 2 + 0.25)
    said = bcls("evaluate", tmp_path / "run", "--protocol", "ncs", "--relevance", tmp_path / "relevance.npy", *labels)
    about = json.loads((tmp_path / "run" / "val.ncs.relevance.json").read_text())["about"]
    assert (said.code, about["scorer"]) == (0, str(tmp_path / "relevance.npy")), said.err


def test_refusals_are_one_line(bcls, coco, folder, tmp_path):
    part = read_dataset(folder).split("val")
    np.save("rows.npy", np.zeros(20, dtype=np.int64))
    np.save("bad.npy", np.full((4, 20), 2.0))
    np.save("i8.npy", np.ones((8, 2)))
    np.save("c16.npy", np.ones((16, 2)))
    tiny = ("evaluate", "--image-embeddings", "i8.npy", "--caption-embeddings", "c16.npy", "--data", folder)
    (tmp_path / "cat.txt").write_text("\n".join(["cat", *map(str, coco[1].image_numbers[1:])]))
    (tmp_path / "few.txt").write_text("\n".join(["77", *map(str, coco[1].image_numbers[1:])]))
    for words, named in [
        ((*PAIR, *IDS, "--protocol", "ecv"), "choose one of whole, flickr8k, flickr30k, coco-5k, coco-1k, eccv, cxc"),
        ((*PAIR, "--protocol", "eccv"), "finds its images and captions by their ids: name them with --image_ids"),
        ((*PAIR, "--protocol", "eccv", "--caption-image", "rows.npy"), "finds its images by their ids"),
        ((*PAIR, "--protocol", "eccv", "--image-ids", "cat.txt", *IDS[2:]), "image row 0: 'cat' is no COCO image id"),
        (
            (*PAIR, "--protocol", "eccv", "--image-ids", "few.txt", *IDS[2:]),
            "1 images of COCO's test split are not",
        ),
        ((*tiny, "--protocol", "eccv"), f"caption row 0: '{part.caption_ids[0]}' is no COCO caption id"),
        ((*PAIR, *IDS, "--protocol", "eccv", "--judgements", "x.csv"), "'eccv' takes no --judgements"),
        ((*PAIR, *IDS, "--protocol", "whole", "--judgements", "x.csv"), "'whole' takes no --judgements"),
        ((*PAIR, *IDS, "--protocol", "eccv", "--relevance", "x.npy"), "it takes no relevance"),
        ((*PAIR, *IDS, "--protocol", "cxc-ratings"), "needs --judgements: sts_*.csv, sis_*.csv, sits_*.csv"),
        ((*PAIR, *IDS, "--protocol", "cs@k"), "Give one of --data and --caption_image"),
        ((*PAIR, "--caption-image", "rows.npy", "--protocol", "cs@k"), "needs relevance: name a scorer, or a file"),
        (
            (*PAIR, "--caption-image", "rows.npy", "--relevance", "bad.npy"),
            "row 0, column 0 is 2.0, not between",
        ),
        ((*tiny, "--relevance", "bad.npy", "--scorer", "cider"), "relevance comes from one source"),
        (
            (*tiny, "--protocol", "cs@k", "--scorer", "tfidf"),
            "needs at least 100 images with a caption, there are 8",
        ),
        ((*tiny, "--protocol", "flickr8k-expert", "--judgements", "no.txt"), "no.txt: no such file"),
    ]:
        said = bcls(*words)
        assert said.code == 2, (words, said.out, said.err)
        assert named in said.err.splitlines()[-1], (words, said.err)
        assert said.err.startswith("bcls: error: ")


def test_every_protocol_says_what_it_means():
    assert all(rule.meaning and rule.shown for rule in registry.JUDGED.values())
