"""Small real trainings without a trainer around them, for what watches a run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from bcls.data import UniqueImageBatchSampler
from bcls.evaluation import RetrievalTruth, evaluate
from bcls.losses import RetrievalLoss
from bcls.models import BagOfWordsTower, BiGRUTower, PooledFeatureTower, RetrievalModel
from bcls.relevance import CaptionRelevance, TfidfScorer

WORDS = [f"word{number}" for number in range(20)]


class SmallRuns:
    """Images of three words each, two captions an image with the words in any order; features say which, with noise.

    Args:
        seed: of the data.
        images: to train on.
        validation: images to validate on.
        noise: of the features; the words themselves are ones.
    """

    def __init__(self, seed: int, images: int, validation: int, noise: float) -> None:
        random = np.random.default_rng(seed)
        total = images + validation
        own = [random.choice(len(WORDS), 3, replace=False) for _ in range(total)]
        features = noise * random.normal(size=(total, len(WORDS)))
        for row, words in enumerate(own):
            features[row, words] += 1
        texts = [" ".join(WORDS[word] for word in random.permutation(words)) for words in own for _ in range(2)]
        self.features = torch.from_numpy(features.astype(np.float32))
        self.texts = texts
        self.images, self.validation = images, validation
        self.caption_image = np.repeat(np.arange(images), 2)
        scorer = TfidfScorer()
        train = texts[: 2 * images]
        scorer.fit(train, self.caption_image)
        self.relevance = CaptionRelevance(scorer.encode(train), self.caption_image)

    def train(
        self, loss: RetrievalLoss, rates: Sequence[float], *, seed: int = 0, deep: bool = False
    ) -> list[dict[str, float]]:
        """Metrics of the validation images after each epoch; each has its learning rate."""
        torch.manual_seed(seed)
        towers = (
            (PooledFeatureTower(dim=32, hidden=64, dropout=0.0), BiGRUTower(dim=32, word_dim=32, minimum_count=1))
            if deep
            else (PooledFeatureTower(dim=32), BagOfWordsTower(dim=32, minimum_count=1))
        )
        model = RetrievalModel(*towers)
        model.image_tower.fit(self.features[: self.images].numpy())
        train = self.texts[: 2 * self.images]
        model.caption_tower.fit(train)
        tokens = model.caption_tower.tokenize(train)
        optimizer = torch.optim.AdamW(model.parameters(), lr=rates[0])
        sampler = UniqueImageBatchSampler(self.caption_image, 16, seed=seed)
        found = []
        for epoch, rate in enumerate(rates):
            optimizer.param_groups[0]["lr"] = rate
            sampler.set_epoch(epoch)
            model.train()
            for rows in sampler:
                images = self.caption_image[rows]
                similarity = model(self.features[images], tokens.select(torch.from_numpy(rows)))
                relevance = torch.from_numpy(self.relevance.matrix(images, rows))
                optimizer.zero_grad()
                loss.combine(loss.terms(similarity, relevance, None)).backward()
                optimizer.step()
            found.append(self._metrics(model.eval()))
        return found

    @torch.no_grad()
    def _metrics(self, model: RetrievalModel) -> dict[str, float]:
        truth = RetrievalTruth(np.repeat(np.arange(self.validation), 2), self.validation)
        images = model.encode_image(self.features[self.images :]).numpy()
        captions = model.encode_text(self.texts[2 * self.images :]).numpy()
        return evaluate(images, captions, truth)
