"""Judging a model on a split."""

from __future__ import annotations

import numpy as np
import torch

from bcls.data import read_dataset
from bcls.evaluation import RetrievalTruth, evaluate
from bcls.models import BagOfWordsTower, PooledFeatureTower, RetrievalModel
from bcls.training.inputs import image_source
from bcls.training.validation import SplitJudge


def _model(part) -> RetrievalModel:
    torch.manual_seed(0)
    model = RetrievalModel(PooledFeatureTower(dim=8), BagOfWordsTower(dim=8, minimum_count=1))
    model.image_tower.fit(part.features["vectors"].gather(np.arange(10)))
    model.caption_tower.fit(part.caption_texts)
    return model


def test_metrics_are_those_of_the_embeddings_one_by_one(tiny_data):
    part = read_dataset(tiny_data).split("val")
    model = _model(part).eval()
    metrics = SplitJudge(part, image_source(part, "vectors", model), model)(model)
    with torch.no_grad():
        rows = [part.features["vectors"].rows([image]) for image in part.image_ids]
        images = [model.encode_image(torch.from_numpy(part.features["vectors"].gather(row))) for row in rows]
        captions = [model.encode_text(model.caption_tower.tokenize([text])) for text in part.caption_texts]
    truth = RetrievalTruth(part.caption_image, len(part.images))
    assert metrics == evaluate(torch.cat(images).numpy(), torch.cat(captions).numpy(), truth)


def test_dropout_is_off_and_the_mode_is_put_back(tiny_data):
    part = read_dataset(tiny_data).split("val")
    model = _model(part)
    judge = SplitJudge(part, image_source(part, "vectors", model), model)
    model.train()
    assert judge(model) == judge(model)
    assert model.training
    model.eval()
    judge(model)
    assert not model.training
