"""What a training run is made of, as plain dataclasses; the YAML file of a run has the same shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from bcls.errors import InputError
from bcls.losses import RetrievalLoss, TripletLoss
from bcls.models import CaptionTower, ImageTower, Similarity
from bcls.relevance import Scorer


@dataclass
class DataConfig:
    """Which data.

    Args:
        path: a dataset folder, a Karpathy JSON file, a precomp folder, or a folder of pictures with a table.
        features: name of the precomputed features that stand for the images; null = the pictures themselves.
        train_split: the split to learn from; several are joined by `+`, e.g. `train+restval`.
        validation_split: the split to choose on.
        sampler: `unique` = random batches without an image twice; `neighbours` = batches of groups of
            semantic neighbours (by relevance), so that graded order has more to grade.
        workers: threads that read and prepare pictures; features need none.
    """

    path: str
    features: str | None = None
    train_split: str = "train"
    validation_split: str = "val"
    sampler: Literal["unique", "neighbours"] = "unique"
    workers: int = 2

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise InputError(f"data.workers is {self.workers}; it must be at least 1")


@dataclass
class LabelConfig:
    """Where continuous labels come from.

    Args:
        scorer: what compares two captions; null = no continuous labels.
        table: a file of given relevance of training pairs, instead of a scorer: a CSV or parquet table of rated pairs
            (see `RelevanceTable`), or a `.npy` or `.safetensors` matrix (images, captions) in the split's order.
        lowest: the file's score that means no relevance.
        highest: the file's score that means full relevance.
        aggregate: over an image's captions, the best (`max`) or the `mean`.
        calibration: a file of `bcls label audit` that puts the scorer's similarities on the scale of human ratings, so
            that a gap means the same for every scorer; null = similarities as they are.
        noise: share of the labels, own captions aside, that are replaced by those of random other pairs, to see what a
            loss makes of wrong labels; from the run's seed, and the same in every epoch.
        folder: where encodings are kept; null = `labels/` beside the run's folder.
    """

    scorer: Scorer | None = None
    table: str | None = None
    lowest: float = 0.0
    highest: float = 1.0
    aggregate: Literal["max", "mean"] = "max"
    calibration: str | None = None
    noise: float = 0.0
    folder: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.noise <= 1:
            raise InputError(f"labels.noise is {self.noise}; it is a share of all labels, from 0 to 1")


@dataclass
class ModelConfig:
    """The two towers, and how what they give is compared.

    Args:
        image_tower: turns images into vectors.
        caption_tower: turns captions into vectors of the same size.
        similarity: compares them; null = their cosine.
    """

    image_tower: ImageTower
    caption_tower: CaptionTower
    similarity: Similarity | None = None


@dataclass
class OptimizationConfig:
    """How to learn.

    Args:
        epochs: passes over the captions of the train split; see `UniqueImageBatchSampler` for those that one holds.
        batch_size: pairs in a batch.
        learning_rate: the peak, reached after the warm-up; then a cosine to zero.
        pretrained_learning_rate: the peak for parameters that come trained from elsewhere (a sentence encoder that is
            trained on).
        warmup: share of all steps in which the learning rate rises.
        weight_decay: AdamW's, on matrices only.
        gradient_clip: largest norm of the gradient; 0 = no clipping.
        hard_negatives_start: share of all steps in which a `TripletLoss` of `hard` negatives sums over all of them
            instead: from random weights the hardest alone can pull everything together. For no other loss.
        kendall_start: share of all steps before which the Kendall term has no weight. A model that makes everything
            alike at first never leaves that state with it, since equal similarities pay nothing.
        kendall_warmup: share of all steps in which its weight then rises from zero.
        precision: Lightning's name of the number format, e.g. `32-true`, `bf16-mixed`.
        accelerator: Lightning's name of the device, e.g. `auto`, `cpu`, `gpu`.
        devices: how many devices; 1 is all that there is yet, more are refused.
    """

    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 1e-3
    pretrained_learning_rate: float = 5e-5
    warmup: float = 0.1
    weight_decay: float = 0.01
    gradient_clip: float = 2.0
    hard_negatives_start: float = 0.0
    kendall_start: float = 0.0
    kendall_warmup: float = 0.1
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    accelerator: str = "auto"
    devices: int = 1

    def __post_init__(self) -> None:
        positive = {
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "pretrained_learning_rate": self.pretrained_learning_rate,
        }
        for name, value in positive.items():
            if value <= 0:
                raise InputError(f"optimization.{name} is {value}; it must be above 0")
        if self.devices != 1:
            raise InputError(f"optimization.devices is {self.devices}; training runs on one device: set it to 1")
        for name in ("warmup", "hard_negatives_start", "kendall_start", "kendall_warmup"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise InputError(f"optimization.{name} is {share}; it is a share of all steps, from 0 to 1")


@dataclass
class ValidationConfig:
    """How to judge while training.

    Args:
        monitor: the metric that chooses the best epoch, higher is better; any key of the evaluation's
            result, e.g. `rsum` or `ndcg@10`.
        scorer: continuous labels to judge by; take one that was not trained on. null = binary labels only.
        scene_truth: judge by the true relevance of made scenes instead of a scorer; the data set must be one of
            `bcls data scenes`.
        patience: epochs without a better value of the metric after which training stops; 0 = never.
    """

    monitor: str = "rsum"
    scorer: Scorer | None = None
    scene_truth: bool = False
    patience: int = 0


@dataclass
class RunConfig:
    """One training run.

    Args:
        data: which data.
        model: which towers.
        loss: which loss.
        output: the run's folder.
        labels: where continuous labels come from.
        optimization: how to learn.
        validation: how to judge while training.
        seed: of weights, order and dropout.
        checkpoint_steps: also save a checkpoint to resume from every so many steps; 0 = each epoch only.
    """

    data: DataConfig
    model: ModelConfig
    loss: RetrievalLoss
    output: str
    labels: LabelConfig = field(default_factory=LabelConfig)
    optimization: OptimizationConfig = field(default_factory=OptimizationConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    seed: int = 0
    checkpoint_steps: int = 0

    def __post_init__(self) -> None:
        for name, value in {"seed": self.seed, "checkpoint_steps": self.checkpoint_steps}.items():
            if value < 0:
                raise InputError(f"{name} is {value}; it must not be negative")
        if self.optimization.hard_negatives_start > 0 and not has_hard_negatives(self.loss):
            raise InputError(
                f"optimization.hard_negatives_start is {self.optimization.hard_negatives_start}, but the loss is "
                f"{type(self.loss).__name__}({self.loss.extra_repr()}); only TripletLoss with negatives: hard takes it"
            )


def has_hard_negatives(loss: RetrievalLoss) -> bool:
    """Whether a loss is Triplet-HN, the one that `optimization.hard_negatives_start` is for."""
    return isinstance(loss, TripletLoss) and loss.negatives == "hard"


def load_config(words: Sequence[str]) -> tuple[RunConfig, str]:
    """A run's config from command-line words.

    Args:
        words: e.g. `["--config", "configs/flickr8k/bcls.yaml", "--seed", "1"]`; later words win.

    Returns:
        The config with its towers, loss and scorers made, and the YAML text of it all, defaults included.

    Raises:
        InputError: an unknown key, a wrong type, a missing value; the message names it.
    """
    from bcls.training.parser import config_parser, parse_config  # noqa: PLC0415 - it needs the classes above

    config, text, _ = parse_config(config_parser("bcls train", ""), words)
    return config, text
