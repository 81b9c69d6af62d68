"""Plausible-match R-Precision as PCME computes it: by a loop over its definition."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, judge
from bcls.evaluation.judged.instance_labels import read_instance_labels
from bcls.evaluation.judged.top_r import masked_r_precision

IMAGES = 40


def write_instances(path, kinds):
    annotations = [{"image_id": i, "category_id": c} for i, shown in kinds.items() for c in shown for _ in range(2)]
    path.write_text(json.dumps({"images": [], "annotations": annotations}))
    return path


@pytest.fixture
def kinds():
    """What 40 images show; the last three have no annotation."""
    random = np.random.default_rng(4)
    return {100 + i: sorted(set(random.integers(1, 5, random.integers(1, 4)).tolist())) for i in range(IMAGES - 3)}


def pcme(similarity, truth, numbers, kinds, images):
    """PCME's evaluation as it is described, query by query, of equal scores the positives last."""
    rows = [row for row in images if numbers[row] in kinds]
    columns = [c for c in range(truth.captions) if truth.caption_image[c] in rows]
    shown = {row: set(kinds[numbers[row]]) for row in rows}
    values = {"image_to_text": [], "text_to_image": []}
    for most in (0, 1, 2):
        for row in rows:
            right = np.array([len(shown[row] ^ shown[truth.caption_image[c]]) <= most for c in columns])
            values["image_to_text"].append(r_precision(similarity[row, columns], right))
        for column in columns:
            right = np.array([len(shown[truth.caption_image[column]] ^ shown[row]) <= most for row in rows])
            values["text_to_image"].append(r_precision(similarity[rows, column], right))
    return {direction: 100 * np.mean(found) for direction, found in values.items()}


def r_precision(scores, right):
    order = np.lexsort((right, -scores))
    return right[order][: right.sum()].mean()


@pytest.mark.parametrize("levels", [1000, 3, 1])
def test_pcmes_definition(tmp_path, kinds, levels):
    numbers = [100 + i for i in range(IMAGES)]
    random = np.random.default_rng(levels)
    truth = RetrievalTruth(
        random.permutation(np.repeat(np.arange(IMAGES), 2)), IMAGES, [f"COCO_val2014_{n:012d}.jpg" for n in numbers]
    )
    similarity = random.integers(-levels, levels, (IMAGES, 2 * IMAGES)) / 7
    file = write_instances(tmp_path / "instances.json", kinds)
    metrics = judge("pmrp", similarity, truth, files=[file])
    expected = pcme(similarity, truth, numbers, kinds, range(IMAGES))
    for direction, value in expected.items():
        assert metrics[f"{direction}/pmrp"] == pytest.approx(value, abs=1e-10)
    assert metrics["pmrp"] == pytest.approx(np.mean(list(expected.values())))
    assert metrics["unlabelled_images"] == 3
    assert "pmrp_1k" not in metrics


def test_five_thousand_images_have_folds_too(tmp_path, monkeypatch, kinds):
    monkeypatch.setattr("bcls.evaluation.judged.pmrp.COCO_5K", IMAGES)
    numbers = [100 + i for i in range(IMAGES)]
    truth = RetrievalTruth.from_counts([2] * IMAGES)
    truth = RetrievalTruth(truth.caption_image, IMAGES, list(map(str, numbers)))
    similarity = np.random.default_rng(1).normal(size=(IMAGES, 2 * IMAGES))
    metrics = judge("pmrp", similarity, truth, files=[write_instances(tmp_path / "i.json", kinds)])
    folds = [pcme(similarity, truth, numbers, kinds, range(8 * k, 8 * k + 8)) for k in range(5)]
    assert metrics["image_to_text/pmrp_1k"] == pytest.approx(np.mean([fold["image_to_text"] for fold in folds]))


def test_positives_beyond_the_gallery_count():
    scores, mask = np.array([[4.0, 3.0, 2.0, 1.0]]), np.array([[True, False, True, False]])
    assert masked_r_precision(scores, [mask], [1])[0] == pytest.approx([2 / 3])
    assert np.isnan(masked_r_precision(scores, [mask & False])).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"images": []}, "not COCO's instance annotations"),
        ({"annotations": []}, "not COCO's instance annotations"),
        ({"annotations": [{"image_id": 1, "category_id": 91}]}, r"annotations\[0\] needs .* got 1 and 91"),
        ({"annotations": [{"image_id": "1", "category_id": 1}]}, r"annotations\[0\] needs .* got '1' and 1"),
        ({"annotations": [7]}, r"annotations\[0\] needs"),
    ],
)
def test_files_of_another_form_are_refused(tmp_path, content, message):
    (tmp_path / "i.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        read_instance_labels(tmp_path / "i.json")


def test_annotations_of_other_images_are_refused(tmp_path, kinds):
    file = write_instances(tmp_path / "i.json", kinds)
    with pytest.raises(InputError, match="annotates none of the 2 images, such as 7: another split"):
        judge("pmrp", np.eye(2), RetrievalTruth(np.array([0, 1]), 2, ["7", "8"]), files=[file])
