"""Two models and a collection to search with them, made on the spot; what `bcls serve --demo` shows."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from bcls.data.scenes import make_scenes
from bcls.demo.losses import LOSSES, claim_demo
from bcls.embedding import embed, fill_index
from bcls.training.config import load_config
from bcls.training.run import train

logger = logging.getLogger("bcls")

COMPARED = ("BCLS", "Triplet-SN")
SPLITS = {"train": 900, "val": 100, "new": 200}
PIXELS = 128


@dataclass(frozen=True)
class SearchDemo:
    """What was made.

    Attributes:
        pictures: folder of the pictures.
        models: name -> the model's folder.
        indexes: name -> the index, as `open_index` takes it.
    """

    pictures: Path
    models: dict[str, Path]
    indexes: dict[str, str]


def make_search_demo(
    folder: Path, *, seed: int = 0, epochs: int = 10, splits: dict[str, int] | None = None
) -> SearchDemo:
    """Draw scenes, train two models that differ in their loss, and index all pictures with each.

    Whatever stands in the folder already is used again, so that a second call takes a moment.

    Args:
        folder: where everything goes.
        seed: of scenes and training.
        epochs: of each model.
        splits: pictures in each split, `train` and `val` among them; None = 900, 100, and 200 that are `new`.

    Raises:
        InputError: the folder cannot be used, or holds a demo that was made otherwise.
    """
    chosen = SPLITS if splits is None else splits
    claim_demo(folder, {"seed": seed, "epochs": epochs, "splits": chosen, "pixels": PIXELS})
    scenes = folder / "scenes"
    if not scenes.exists():
        logger.info("drawing pictures")
        make_scenes(scenes, seed=seed, size=PIXELS, splits=chosen)
    models, indexes = {}, {}
    for name in COMPARED:
        run = folder / "runs" / name.lower()
        if not (run / "result.json").exists():
            logger.info("training %s from pixels", name)
            _train(name, scenes, run, seed, epochs)
        models[name] = run / "model"
        done = embed(models[name], scenes, folder / "embeddings" / name.lower())
        indexes[name] = f"memory:{folder / 'indexes' / name.lower()}"
        fill_index(done.embeddings, indexes[name]).close()
    return SearchDemo(scenes / "images", models, indexes)


def _train(name: str, scenes: Path, run: Path, seed: int, epochs: int) -> None:
    words = [
        *("--data.path", str(scenes), "--labels.scorer", "CiderScorer"),
        *("--model.image_tower", "ConvTower", "--model.image_tower.dim", "128"),
        *("--model.image_tower.image_size", "48", "--model.image_tower.channels=[16,32,64]"),
        *("--model.caption_tower", "BagOfWordsTower", "--model.caption_tower.dim", "128"),
        *LOSSES[name],
        *("--optimization.epochs", str(epochs), "--optimization.batch_size", "64"),
        *("--optimization.learning_rate", "0.004"),
        *("--validation.scene_truth", "true", "--validation.monitor", "rsum"),
        *("--output", str(run), "--seed", str(seed)),
    ]
    config, text = load_config(words)
    train(config, text, resume=True)
