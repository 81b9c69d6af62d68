"""One step of training."""

from __future__ import annotations

import numpy as np
import torch

from bcls.data.batches import Batch
from bcls.losses import BCLSLoss
from bcls.models import BagOfWordsTower, PooledFeatureTower, RetrievalModel
from bcls.training import OptimizationConfig
from bcls.training.module import RetrievalModule


def _module(seed: int = 0) -> tuple[RetrievalModule, Batch]:
    torch.manual_seed(0)
    model = RetrievalModel(PooledFeatureTower(dim=4, dropout=0.5), BagOfWordsTower(dim=4, minimum_count=1))
    model.image_tower.fit(np.random.default_rng(0).normal(size=(8, 6)))
    captions = ["a dog", "a cat", "a bird on a tree"]
    model.caption_tower.fit(captions)
    batch = Batch(torch.randn(3, 6), model.caption_tower.tokenize(captions), torch.eye(3), None)
    module = RetrievalModule(model, BCLSLoss(gap=0.1), OptimizationConfig(), steps=10, seed=seed)
    module.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
    return module, batch


def test_the_loss_is_that_of_the_similarity_matrix():
    module, batch = _module()
    module.model.eval()
    expected = module.loss(module.model(batch.images, batch.captions), batch.relevance)
    torch.testing.assert_close(module.training_step(batch, 0), expected)


def test_dropout_depends_on_seed_and_step_alone():
    module, batch = _module(seed=1)
    first = module.training_step(batch, 0)
    torch.rand(100)
    assert torch.equal(module.training_step(batch, 0), first)
    other, batch = _module(seed=2)
    assert not torch.equal(other.training_step(batch, 0), first)
