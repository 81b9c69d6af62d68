"""A small part of the judgements of `eccv_caption`, and the package's own metrics on it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from bcls.evaluation.judged.eccv_package import CocoJudgements, eccv_package

IMAGES = 50
BEYOND = 999_999_999


@pytest.fixture(scope="session")
def package() -> CocoJudgements:
    """All judgements."""
    pytest.importorskip("eccv_caption")
    return eccv_package()


@pytest.fixture(scope="session")
def part(package, tmp_path_factory) -> CocoJudgements:
    """The judgements of those 50 images that have the most positives among each other; one positive is beyond."""
    folder = tmp_path_factory.mktemp("judgements")
    judged = {
        name: [json.loads((package.folder / f"{name}_{side}.json").read_text()) for side in SIDES]
        for name in ("original", "cxc", "eccv")
    }
    own = {int(caption): images[0] for caption, images in judged["original"][1].items()}
    images = [int(image) for image in judged["eccv"][0]][:1]
    for caption in (one for ids in judged["eccv"][0].values() for one in ids):
        if len(images) < IMAGES and caption in own and own[caption] not in images:
            images.append(own[caption])
    captions = [number for image in images for number in judged["original"][0][str(image)]]
    np.save(folder / "coco_test_ids.npy", np.array(captions))
    for name, sides in judged.items():
        for side, found, queries, candidates in zip(SIDES, sides, (images, captions), (captions, images), strict=True):
            kept = {key: [one for one in ids if one in candidates] for key, ids in found.items() if int(key) in queries}
            kept = {key: ids for key, ids in kept.items() if ids}
            if name == "eccv":
                next(iter(kept.values())).append(BEYOND)
            (folder / f"{name}_{side}.json").write_text(json.dumps(kept))
    return CocoJudgements(folder)


SIDES = ("image_to_caption", "caption_to_image")


@pytest.fixture
def small(tmp_path) -> CocoJudgements:
    """Five images 5, 4, 3, 2, 1 with captions 10 * image and 10 * image + 1; `cxc` and `eccv` name few positives.

    By `eccv` image 5 has caption 40, too, and one of elsewhere; image 4 has none that is here.
    """
    folder = tmp_path / "small"
    folder.mkdir()
    captions = {10 * image + more: image for image in (5, 4, 3, 2, 1) for more in (0, 1)}
    of_images = {image: [one for one, own in captions.items() if own == image] for image in (1, 2, 3, 4, 5)}
    judged = {
        "original": (of_images, {caption: [image] for caption, image in captions.items()}),
        "cxc": ({1: [10, 11, 20]}, {20: [2, 1]}),
        "eccv": ({5: [50, 40, BEYOND], 4: [BEYOND]}, {40: [5, 4]}),
    }
    np.save(folder / "coco_test_ids.npy", np.array(list(captions)))
    for name, both in judged.items():
        for side, found in zip(SIDES, both, strict=True):
            (folder / f"{name}_{side}.json").write_text(json.dumps(found))
    return CocoJudgements(folder)


@pytest.fixture(scope="session")
def package_metrics():
    """`eccv_caption.Metrics` with the judgements of a folder."""
    return _package_metrics


def _package_metrics(folder: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it regrets that ujson is not there
        from eccv_caption import Metrics

    metrics = Metrics()
    setters = {"original": metrics.set_coco_gts, "cxc": metrics.set_cxc_gts, "eccv": metrics.set_eccv_gts}
    for name, setter in setters.items():
        setter(*(str(folder / f"{name}_{side}.json") for side in SIDES))
    metrics.coco_ids = np.load(folder / "coco_test_ids.npy")
    return metrics


@pytest.fixture(scope="session")
def ranked_lists():
    """The dictionaries that the package takes, of equal scores the positives last."""
    return _ranked_lists


def _ranked_lists(similarity, judged: CocoJudgements, positives, length=None):
    lists = {}
    for direction, scores, queries, candidates in (
        ("i2t", similarity, judged.image_numbers, judged.caption_numbers),
        ("t2i", similarity.T, judged.caption_numbers, judged.image_numbers),
    ):
        one = positives["image_to_text" if direction == "i2t" else "text_to_image"]
        starts = np.searchsorted(one.query, np.arange(len(queries) + 1))
        lists[direction] = {}
        for row, number in enumerate(queries.tolist()):
            right = np.zeros(len(candidates), dtype=bool)
            right[one.candidate[starts[row] : starts[row + 1]]] = True
            lists[direction][number] = candidates[np.lexsort((right, -scores[row]))[:length]].tolist()
    return lists
