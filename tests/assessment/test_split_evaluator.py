"""Evaluating a model on a split."""

from __future__ import annotations

import numpy as np
import torch

from bcls.assessment.inputs import image_source
from bcls.assessment.split_evaluator import SplitEvaluator
from bcls.data import read_dataset
from bcls.evaluation import RetrievalTruth, evaluate
from bcls.models import BagOfWordsTower, PooledFeatureTower, RetrievalModel


def _model(part) -> RetrievalModel:
    torch.manual_seed(0)
    model = RetrievalModel(PooledFeatureTower(dim=8), BagOfWordsTower(dim=8, minimum_count=1))
    model.image_tower.fit(part.features["vectors"].gather(np.arange(10)))
    model.caption_tower.fit(part.caption_texts)
    return model


def test_metrics_are_those_of_the_embeddings_one_by_one(tiny_data):
    part = read_dataset(tiny_data).split("val")
    model = _model(part).eval()
    metrics = SplitEvaluator(part, image_source(part, "vectors", model), model)(model)
    with torch.no_grad():
        rows = [part.features["vectors"].rows([image]) for image in part.image_ids]
        images = [model.encode_image(torch.from_numpy(part.features["vectors"].gather(row))) for row in rows]
        captions = [model.encode_text(model.caption_tower.tokenize([text])) for text in part.caption_texts]
    truth = RetrievalTruth(part.caption_image, len(part.images))
    assert metrics == evaluate(torch.cat(images).numpy(), torch.cat(captions).numpy(), truth)


def test_dropout_is_off_and_the_mode_is_put_back(tiny_data):
    part = read_dataset(tiny_data).split("val")
    model = _model(part)
    evaluator = SplitEvaluator(part, image_source(part, "vectors", model), model)
    model.train()
    assert evaluator(model) == evaluator(model)
    assert model.training
    model.eval()
    evaluator(model)
    assert not model.training


class _Counted:
    """Labels that count how often they are made."""

    def __init__(self) -> None:
        self.asked = 0

    def matrix(self, images, captions):
        self.asked += 1
        return np.random.default_rng(0).random((48, 72)).astype(np.float32)[np.ix_(images % 48, captions % 72)]


def test_labels_are_made_once_and_metrics_have_the_names_that_were_told(tiny_data, monkeypatch):
    part = read_dataset(tiny_data).split("val")
    model, labels = _model(part), _Counted()
    source = image_source(part, "vectors", model)
    evaluator = SplitEvaluator(part, source, model, labels)
    metrics = evaluator(model)
    assert (evaluator(model), labels.asked) == (metrics, 1)
    assert sorted(evaluator.metric_names()) == sorted(metrics)
    assert sorted(SplitEvaluator(part, source, model).metric_names()) == sorted(
        SplitEvaluator(part, source, model)(model)
    )
    monkeypatch.setattr("bcls.assessment.split_evaluator.KEPT_LABELS", 1)
    assert SplitEvaluator(part, source, model, labels)(model) == metrics
    assert labels.asked > 1


def test_metrics_are_the_summary_of_the_queries(tiny_data):
    part = read_dataset(tiny_data).split("val")
    model = _model(part)
    evaluator = SplitEvaluator(part, image_source(part, "vectors", model), model)
    queries = evaluator.queries(model)
    assert queries["text_to_image/rank"].shape == (len(part.caption_texts),)
    assert evaluator.summary(queries) == evaluator(model)
