"""The recipes for Flickr30K and COCO: everything is built, on tiny weights, and one step is taken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bcls.models import PretrainedCaptionTower, PretrainedImageTower, RegionFeatureTower
from bcls.training import load_config
from bcls.training.inputs import open_data, prepare_inputs
from bcls.training.module import RetrievalModule
from tiny_folders import tiny_model

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
RECIPES = sorted([*CONFIGS.glob("flickr30k/*.yaml"), *CONFIGS.glob("coco/*.yaml")])
WORDS = ["dog", "cat", "boat", "tree"]


@pytest.fixture(scope="module")
def karpathy(tmp_path_factory) -> Path:
    """Karpathy's file with photographs beside it, in all the splits of COCO."""
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "images").mkdir()
    images = []
    for number in range(24):
        name = f"{number}.jpg"
        pixels = np.random.default_rng(number).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / name)
        texts = [f"a {WORDS[number % 4]} with {WORDS[number // 4 % 4]} {number}", f"one {WORDS[number % 4]}"]
        sentences = [{"sentid": 2 * number + k, "raw": text, "tokens": text.split()} for k, text in enumerate(texts)]
        split = ["train", "train", "restval", "val"][number % 4]
        images.append({"imgid": number, "filename": name, "split": split, "sentences": sentences})
    (folder / "dataset_coco.json").write_text(json.dumps({"dataset": "coco", "images": images}))
    return folder / "dataset_coco.json"


@pytest.fixture(scope="module")
def precomp(tmp_path_factory) -> Path:
    """A precomp folder of regions: eight of 20 values an image, five captions an image."""
    folder = tmp_path_factory.mktemp("precomp")
    random = np.random.default_rng(0)
    for split, images in (("train", 12), ("dev", 6)):
        np.save(folder / f"{split}_ims.npy", random.normal(size=(images, 8, 20)).astype(np.float32))
        captions = [f"a {WORDS[n % 4]} with {WORDS[(n + k) % 4]} {n}" for n in range(images) for k in range(5)]
        (folder / f"{split}_caps.txt").write_text("\n".join(captions) + "\n")
    return folder


@pytest.fixture
def settings_of(karpathy, precomp, tmp_path):
    """A recipe's settings on tiny data and tiny weights."""

    def settings(recipe: Path) -> list[str]:
        words = ["--config", str(recipe), "--output", str(tmp_path / "run")]
        words += ["--optimization.batch_size", "8", "--labels.scorer", "TfidfScorer"]
        if recipe.stem == "vse_infinity":
            return [*words, "--data.path", str(precomp), "--model.caption_tower.model", str(tiny_model("bert"))]
        tiny = str(tiny_model("siglip" if recipe.stem == "siglip" else "clip"))
        words += ["--data.path", str(karpathy)]
        return [*words, "--model.image_tower.model", tiny, "--model.caption_tower.model", tiny]

    return settings


@pytest.mark.parametrize("recipe", RECIPES, ids=[f"{path.parent.name}-{path.stem}" for path in RECIPES])
def test_a_recipe_builds_everything_and_takes_a_step(recipe, settings_of, tmp_path):
    config, text = load_config(settings_of(recipe))
    assert "bf16-mixed" in text
    inputs = prepare_inputs(config, open_data(config.data), tmp_path / "labels")
    assert len(inputs.dataset.split(config.data.train_split).images) == (18 if "restval" in text else 12)
    module = RetrievalModule(inputs.model, config.loss, config.optimization, steps=10, seed=0)
    optimizer = module.configure_optimizers()["optimizer"]
    peak = config.optimization.pretrained_learning_rate
    rates = sorted({group["initial_lr"] for group in optimizer.param_groups}, reverse=True)
    if recipe.stem == "vse_infinity":
        assert rates == pytest.approx([config.optimization.learning_rate, peak])
    else:
        assert rates == pytest.approx([peak, 0.8 * peak, 0.64 * peak, 0.512 * peak])
    batch = next(iter(inputs.loader))
    with torch.autocast("cpu", torch.bfloat16):
        terms = config.loss.terms(inputs.model(batch.images, batch.captions), batch.relevance, batch.positives)
        loss = config.loss.combine(terms)
    loss.backward()
    learning = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    before = [parameter.detach().clone() for parameter in learning]
    optimizer.step()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(parameter).all() for parameter in learning)
    assert not any(torch.equal(old, new) for old, new in zip(before, learning, strict=True) if new.grad is not None)


@pytest.mark.parametrize("recipe", RECIPES, ids=[f"{path.parent.name}-{path.stem}" for path in RECIPES])
def test_a_recipe_says_what_it_costs_and_what_to_hold_it_against(recipe):
    text = recipe.read_text()
    header = text.split("output:")[0]
    assert "# Cost: " in header
    assert "# Hold it against" in header
    assert f"bcls train --config configs/{recipe.parent.name}/{recipe.name}" in header
    config, _ = load_config(["--config", str(recipe)])
    assert isinstance(config.model.caption_tower, PretrainedCaptionTower)
    if recipe.stem == "vse_infinity":
        assert isinstance(config.model.image_tower, RegionFeatureTower)
        assert (config.model.image_tower.pooling, config.model.caption_tower.pooling) == ("gpo", "gpo")
    else:
        assert isinstance(config.model.image_tower, PretrainedImageTower)
        assert config.model.image_tower.model == config.model.caption_tower.model
