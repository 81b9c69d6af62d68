"""Everything that can be said against a run before any work is done: no encoding, no fitting, no picture opened."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bcls.assessment.inputs import require_image_source
from bcls.assessment.split_evaluator import metric_names
from bcls.data import RetrievalDataset, read_dataset
from bcls.data.scenes import open_scene_relevance
from bcls.errors import InputError, MissingExtraError
from bcls.models import RetrievalModel
from bcls.relevance import Calibration
from bcls.training.callbacks.best_model import require_metric
from bcls.training.config import ModelConfig, OptimizationConfig, RunConfig


def check_run(config: RunConfig, dataset: RetrievalDataset | None = None) -> RetrievalDataset:
    """Refuse a run that cannot succeed; nothing is written.

    Looked at are the towers and the similarity (their sizes), the monitored metric, optional packages, the files of
    labels, the folders to write into, the device, the splits, the features or images that the image tower takes, and
    the batch size. Cost: the records of the data set are read once, seconds at the size of COCO.

    Args:
        config: the run.
        dataset: of `config.data.path`, where it has been read already.

    Returns:
        The data set.

    Raises:
        InputError: what is wrong, where, and what to do.
        MissingExtraError: a package is not installed.
    """
    _require_model(config.model)
    _require_packages(config)
    require_label_source(config)
    _require_label_files(config)
    require_metric(
        config.validation.monitor,
        metric_names(graded=config.validation.scene_truth or config.validation.scorer is not None),
    )
    _require_writable("output", Path(config.output))
    if config.labels.folder is not None:
        _require_writable("labels.folder", Path(config.labels.folder))
    _require_device(config.optimization)
    dataset = read_dataset(config.data.path) if dataset is None else dataset
    train = dataset.split(config.data.train_split)
    require_image_source(dataset, config.data.features, config.model.image_tower)
    for split in (config.data.train_split, config.data.validation_split):
        part = dataset.split(split)
        if config.data.features is not None:
            part.feature_rows(config.data.features)
    require_batch_size(config, train)
    if config.validation.scene_truth:
        open_scene_relevance(config.data.path, config.data.validation_split)
    return dataset


def require_label_source(config: RunConfig) -> None:
    """Refuse a loss or a sampler of continuous labels without any, or with both kinds at once.

    Raises:
        InputError: names the fields.
    """
    if not config.loss.uses_relevance and config.data.sampler == "unique":
        return
    if config.labels.table is not None:
        if config.labels.calibration is not None:
            raise InputError("labels.calibration is for a scorer; a table of ratings is on the scale of people already")
    elif config.labels.scorer is None:
        what = type(config.loss).__name__ if config.loss.uses_relevance else "data.sampler: neighbours"
        raise InputError(f"{what} needs continuous labels: set labels.scorer, e.g. to SentenceScorer or TfidfScorer")


def require_batch_size(config: RunConfig, train: RetrievalDataset) -> None:
    """Refuse a batch of more captions than there are images with a caption.

    Raises:
        InputError: says how many there are.
    """
    size, images = config.optimization.batch_size, len(np.unique(train.caption_image))
    if size > images:
        raise InputError(
            f"optimization.batch_size is {size}, but the train split has {images} images and a batch "
            "never holds an image twice: choose a smaller batch"
        )


def _require_model(model: ModelConfig) -> None:
    try:
        RetrievalModel(model.image_tower, model.caption_tower, model.similarity)
    except InputError as error:
        raise InputError(
            f"model: {error}: set dim of model.image_tower, model.caption_tower and model.similarity to one value"
            if "dim" in str(error)
            else f"model: {error}"
        ) from None


def _require_packages(config: RunConfig) -> None:
    """Each part says which package it needs, as `needs = (module, extra)`."""
    trains_on = config.labels.scorer if config.labels.table is None else None
    towers = [part for tower in (config.model.image_tower, config.model.caption_tower) for part in tower.modules()]
    for part in (*towers, config.validation.scorer, trains_on):
        needs = getattr(part, "needs", None)
        if needs is not None and find_spec(needs[0]) is None:
            raise MissingExtraError(type(part).__name__, needs[1])
    if Path(config.labels.table or "").suffix == ".parquet" and find_spec("pyarrow") is None:
        raise MissingExtraError("a parquet table", "parquet")
    kendall = getattr(config.loss, "kendall", config.loss)
    if getattr(kendall, "engine", None) == "compiled" and find_spec("numba") is None:
        raise MissingExtraError("the compiled Kendall loss", "fast")


def _require_label_files(config: RunConfig) -> None:
    labels = config.labels
    if labels.table is not None and not Path(labels.table).is_file():
        raise InputError(f"labels.table: {labels.table}: no such file")
    if labels.calibration is not None:
        calibration = Calibration.load(labels.calibration)
        if labels.scorer is not None and labels.table is None:
            calibration.require(labels.scorer)


def _require_writable(field: str, folder: Path) -> None:
    """The nearest folder that exists must be one that a new folder can be made in."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise InputError(f"{field} is {folder}, but {place} is a file")
    if not os.access(place, os.W_OK | os.X_OK):
        raise InputError(f"{field} is {folder}, but there is no permission to write into {place}")


def _require_device(optimization: OptimizationConfig) -> None:
    import lightning as L  # noqa: PLC0415
    from lightning.fabric.utilities.exceptions import MisconfigurationException  # noqa: PLC0415

    try:
        L.Trainer(
            accelerator=optimization.accelerator,
            devices=optimization.devices,
            precision=optimization.precision,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        raise InputError(
            f"optimization: accelerator {optimization.accelerator!r} with precision {optimization.precision!r} cannot "
            f"be used here: {' '.join(str(error).split())}"
        ) from None
