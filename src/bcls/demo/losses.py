"""The whole way on made pictures: scenes, labels, three losses from pixels, true relevance, a report."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bcls.assessment.split_evaluator import SplitEvaluator
from bcls.data import RetrievalDataset, read_dataset
from bcls.data.images import PictureImages
from bcls.data.scenes import SceneRelevance, make_scenes, open_scene_relevance
from bcls.data.scenes.generate import DEFAULT_SPLITS
from bcls.errors import InputError
from bcls.evaluation.report import Bars, Curve, GalleryQuery, RankedItem, Report, Table, write_report
from bcls.files import read_json, write_json
from bcls.models import ConvTower, RetrievalModel
from bcls.training.callbacks.history import read_history
from bcls.training.config import load_config
from bcls.training.run import TrainingResult, train

logger = logging.getLogger("bcls")

LOSSES: dict[str, list[str]] = {
    "Triplet-HN": ["--loss", "TripletLoss", "--loss.negatives", "hard"],
    "Triplet-SN": ["--loss", "TripletLoss"],
    # CIDEr-D is small between most captions of two pictures, so that the gap must be small too.
    "BCLS": [
        *("--loss", "BCLSLoss", "--loss.pairs", "first", "--loss.window", "32"),
        *("--loss.gap", "0.03", "--loss.kendall_weight", "0.3"),
    ],
}
COLUMNS = {
    "i2t R@1": "image_to_text/recall@1",
    "t2i R@1": "text_to_image/recall@1",
    "rsum": "rsum",
    "NDCG@10": "ndcg@10",
    "NDCG": "ndcg",
    "tau-b": "tau_b",
}
SPLIT = "val"
GALLERY_QUERIES = 12
SHOWN = 10


@dataclass(frozen=True)
class DemoResult:
    """What the demo came to.

    Attributes:
        metrics: loss name -> metrics against the true relevance.
        report: the page.
        seconds: how long it took.
    """

    metrics: dict[str, dict[str, float]]
    report: Path
    seconds: float


def demo(folder: Path, *, seed: int = 0, epochs: int = 9, splits: Mapping[str, int] | None = None) -> DemoResult:
    """Make scenes, train three losses on them, judge each by the scenes' truth, write `report.html`.

    Continuous labels for training come from CIDEr-D between captions; the truth is only used to judge.

    Args:
        folder: where everything goes; scenes that lie there already are used again.
        seed: of the scenes and of training.
        epochs: of each run.
        splits: pictures in each split; None = 1,200 to train on and 300 to judge by.

    Raises:
        InputError: the folder cannot be used, or holds a demo of another seed, number of epochs or splits.
    """
    start = time.monotonic()
    scenes = folder / "scenes"
    made = {"seed": seed, "epochs": epochs, "splits": dict(DEFAULT_SPLITS if splits is None else splits)}
    claim_demo(folder, made)
    if not scenes.exists():
        logger.info("making scenes")
        make_scenes(scenes, seed=seed, splits=None if splits is None else dict(splits))
    results = {name: _train(name, folder, seed, epochs) for name in LOSSES}
    metrics = {name: result.metrics for name, result in results.items()}
    part = read_dataset(scenes).split(SPLIT)
    gallery = _gallery(part, open_scene_relevance(scenes, SPLIT), results)
    seconds = time.monotonic() - start
    report = write_report(folder / "report.html", _report(metrics, results, gallery, seed, seconds))
    return DemoResult(metrics, report, seconds)


def claim_demo(folder: Path, made: Mapping[str, Any]) -> None:
    """Make a folder that of one demo, so that its parts are never those of another.

    Args:
        folder: of the demo.
        made: what it is made of, JSON-able.

    Raises:
        InputError: it holds a demo that was made of something else.
    """
    file = folder / "demo.json"
    if file.exists():
        found = read_json(file)
        differing = [name for name in made if not isinstance(found, dict) or found.get(name) != made[name]]
        if differing:
            told = ", ".join(f"{name} {made[name]}" for name in differing)
            raise InputError(
                f"{folder}: holds a demo that was made otherwise, not with {told}: choose another --output"
            )
        return
    write_json(file, dict(made))


def _train(name: str, folder: Path, seed: int, epochs: int) -> TrainingResult:
    logger.info("training %s", name)
    words = [
        *("--data.path", str(folder / "scenes")),
        *("--labels.scorer", "CiderScorer"),
        *("--model.image_tower", "ConvTower", "--model.image_tower.dim", "256"),
        "--model.image_tower.channels=[24,48,96]",
        *("--model.caption_tower", "BagOfWordsTower", "--model.caption_tower.dim", "256"),
        *LOSSES[name],
        *("--optimization.epochs", str(epochs), "--optimization.learning_rate", "0.002"),
        *("--validation.scene_truth", "true", "--validation.monitor", "rsum"),
        *("--output", str(folder / "runs" / f"{name.lower()}-seed{seed}")),
        *("--seed", str(seed)),
    ]
    config, text = load_config(words)
    return train(config, text, resume=True)


def _gallery(
    part: RetrievalDataset, truth: SceneRelevance, results: Mapping[str, TrainingResult]
) -> list[GalleryQuery]:
    """Captions and pictures as queries, spread evenly, with what each model ranks first."""
    similarity = {name: _similarity(part, result) for name, result in results.items()}
    captions = np.linspace(0, len(part.caption_texts) - 1, GALLERY_QUERIES * 2 // 3).astype(np.int64)
    images = np.linspace(0, len(part.images) - 1, GALLERY_QUERIES // 3).astype(np.int64)
    everything = np.arange(len(part.images)), np.arange(len(part.caption_texts))
    queries = []
    for caption in captions.tolist():
        graded = truth.matrix(everything[0], np.array([caption]))[:, 0]
        rankings = {
            name: [
                RankedItem(
                    part.image_ids[row],
                    float(scores[row, caption]),
                    float(graded[row]),
                    bool(part.caption_image[caption] == row),
                    part.image_path(row),
                )
                for row in np.argsort(-scores[:, caption], kind="stable")[:SHOWN].tolist()
            ]
            for name, scores in similarity.items()
        }
        queries.append(GalleryQuery(part.caption_texts[caption], "text_to_image", rankings))
    for image in images.tolist():
        graded = truth.matrix(np.array([image]), everything[1])[0]
        rankings = {
            name: [
                RankedItem(
                    part.caption_texts[row],
                    float(scores[image, row]),
                    float(graded[row]),
                    bool(part.caption_image[row] == image),
                )
                for row in np.argsort(-scores[image], kind="stable")[:SHOWN].tolist()
            ]
            for name, scores in similarity.items()
        }
        queries.append(GalleryQuery(part.image_ids[image], "image_to_text", rankings, part.image_path(image)))
    return queries


def _similarity(part: RetrievalDataset, result: TrainingResult) -> np.ndarray:
    model = RetrievalModel.from_pretrained(result.folder / "model")
    assert isinstance(model.image_tower, ConvTower)
    pictures = PictureImages([part.image_path(row) for row in range(len(part.images))], model.image_tower.prepare)
    images, captions = SplitEvaluator(part, pictures, model).embed(model)
    similarity: np.ndarray = images @ captions.T
    return similarity


def _report(
    metrics: Mapping[str, Mapping[str, float]],
    results: Mapping[str, TrainingResult],
    gallery: Sequence[GalleryQuery],
    seed: int,
    seconds: float,
) -> Report:
    histories = {name: read_history(result.folder / "history.csv") for name, result in results.items()}

    def curve(title: str, column: str, decimals: int) -> Curve:
        series = {name: [(row["epoch"], row[column]) for row in rows] for name, rows in histories.items()}
        return Curve(title, "epoch", series, decimals)

    return Report(
        "Three losses on made pictures",
        summary=[
            "Three models were trained from pixels on made pictures with captions. They are the same but for the "
            "loss: Triplet-HN pushes away the hardest negative, Triplet-SN all violating negatives softly, and BCLS "
            "also learns from continuous labels how nearly each caption matches each picture.",
            "The labels for training come from the captions alone (CIDEr-D). Judged is against the true relevance, "
            "which is known because the pictures were drawn from scenes: the share of a caption's claims that hold.",
        ],
        tables=[
            Table(
                f"Results on {SPLIT}",
                list(COLUMNS),
                {name: [values[key] for key in COLUMNS.values()] for name, values in metrics.items()},
                note="Recall and rsum know one right answer a query. NDCG and tau-b (rank correlation) compare the "
                "ranking with the true relevance of everything. Higher is better.",
            )
        ],
        bars=[
            Bars("rsum (recall)", {name: values["rsum"] for name, values in metrics.items()}, decimals=1),
            Bars("NDCG@10 against the truth", {n: v["ndcg@10"] for n, v in metrics.items()}, decimals=3),
            Bars("tau-b against the truth", {n: v["tau_b"] for n, v in metrics.items()}, decimals=3),
        ],
        curves=[
            curve("Loss", "loss", 3),
            curve("rsum", "rsum", 1),
            curve("NDCG@10 against the truth", "ndcg@10", 3),
            curve("tau-b against the truth", "tau_b", 3),
        ],
        gallery=gallery,
        provenance={
            "Command": "bcls demo",
            "Seed": str(seed),
            "Time": f"{seconds:.0f} s",
            "Pictures": "drawn by bcls.data.scenes; captions and truth from the same scenes",
            "Labels for training": "CIDEr-D between captions",
        },
    )
