"""The evaluator of sentence-transformers, against the evaluation, on a real multimodal model."""

from __future__ import annotations

import pytest
from PIL import Image

from bcls.data import read_dataset
from bcls.data.scenes import open_scene_relevance
from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, evaluate, read_result

sentence_transformers = pytest.importorskip("sentence_transformers", reason="needs the extra `sentence-transformers`")

from bcls.integrations.sentence_transformers import GradedRetrievalEvaluator  # noqa: E402


@pytest.fixture(scope="module")
def task(tiny_clip, scenes):
    part = read_dataset(scenes).split("val")
    return {
        "model": sentence_transformers.SentenceTransformer(str(tiny_clip), device="cpu"),
        "images": [Image.open(part.image_path(row)) for row in range(len(part.images))],
        "captions": part.caption_texts,
        "truth": RetrievalTruth(part.caption_image, len(part.images)),
        "relevance": open_scene_relevance(str(scenes), "val"),
    }


def test_pictures_and_captions_are_judged_as_the_evaluation_does(task, tmp_path):
    model = task["model"]
    given = {name: task[name] for name in ("images", "captions", "truth")}
    evaluator = GradedRetrievalEvaluator(**given, relevance=task["relevance"], name="scenes")
    found = evaluator(model, str(tmp_path / "results"), epoch=1, steps=20)
    expected = evaluate(
        model.encode(task["images"]), model.encode(task["captions"]), task["truth"], relevance=task["relevance"]
    )
    assert found == pytest.approx({f"scenes_{name}": value for name, value in expected.items()}, nan_ok=True)
    assert evaluator.primary_metric == "scenes_ndcg@10"
    assert evaluator.primary_metric in found
    metrics, about = read_result(tmp_path / "results" / "graded_retrieval_scenes_epoch1_steps20.json")
    assert metrics["rsum"] == found["scenes_rsum"]
    assert about["steps"] == 20
    assert model.model_card_data.eval_results_dict[evaluator] == found


def test_without_relevance_recall_decides(task):
    evaluator = GradedRetrievalEvaluator(task["images"], task["captions"], task["truth"])
    assert evaluator.primary_metric == "rsum"
    assert evaluator.primary_metric in evaluator(task["model"])


def test_other_counts_than_those_of_the_truth_are_refused(task):
    with pytest.raises(InputError, match="11 images are given, but the truth has 12"):
        GradedRetrievalEvaluator(task["images"][1:], task["captions"], task["truth"])
    with pytest.raises(InputError, match="1 captions are given"):
        GradedRetrievalEvaluator(task["images"], ["a"], task["truth"])
