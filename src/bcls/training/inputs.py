"""From a config to what a run needs: data, labels, a fitted model, batches."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import numpy as np
import torch

from bcls.data import (
    NeighbourBatchSampler,
    RetrievalDataset,
    UniqueImageBatchSampler,
    check_dataset,
    image_neighbours,
    read_dataset,
    refuse_problems,
)
from bcls.data.batches import BatchAssembler
from bcls.data.images import FeatureImages, ImageSource, PictureImages
from bcls.data.labels import label_split
from bcls.data.loader import BatchLoader, BatchSampler
from bcls.data.relevance_files import read_relevance_file
from bcls.errors import InputError
from bcls.models import RetrievalModel
from bcls.pictures import open_picture
from bcls.relevance import Calibration, NoisyRelevance, RelevanceSource
from bcls.training.checks import require_batch_size, require_image_source, require_images, require_label_source
from bcls.training.config import DataConfig, RunConfig

NEIGHBOURS = 64

logger = logging.getLogger("bcls")


@dataclass(frozen=True)
class TrainingInputs:
    """Everything that a training run works on."""

    dataset: RetrievalDataset
    model: RetrievalModel
    loader: BatchLoader


def open_data(config: DataConfig, dataset: RetrievalDataset | None = None) -> RetrievalDataset:
    """Read the data set and refuse it where the training and validation splits have problems.

    Args:
        config: which data.
        dataset: what is at the path, where it has been read already.

    Raises:
        InputError: unknown split or features, or problems; names the command that lists them all.
    """
    return open_splits(config.path, (config.train_split, config.validation_split), config.features, dataset)


def open_splits(
    path: str,
    splits: Sequence[str],
    features: str | None,
    dataset: RetrievalDataset | None = None,
    *,
    images: bool = True,
) -> RetrievalDataset:
    """Read a whole data set and refuse it where these splits have problems.

    Args:
        path: of the data set.
        splits: those that will be used.
        features: the features that will be used; None = the pictures.
        dataset: what is at the path, where it has been read already.
        images: whether features or images will be used; otherwise only the captions are checked.

    Raises:
        InputError: unknown split or features, or problems; names the command that lists them all.
    """
    dataset = read_dataset(path) if dataset is None else dataset
    if features is None:
        if images:
            require_images(dataset)
    elif features not in dataset.features:
        known = ", ".join(sorted(dataset.features)) or "none"
        raise InputError(f"{path}: no features {features!r}; there are: {known}")
    names = [] if features is None else [features]
    problems = check_dataset(dataset.split(splits), pictures=images and features is None, features=names)
    refuse_problems(problems, f"bcls data check {quote(str(path))}")
    return dataset


def image_source(
    dataset: RetrievalDataset, features: str | None, model: RetrievalModel, workers: int = 2
) -> ImageSource:
    """The images of a split, as the model's image tower takes them.

    Args:
        dataset: the split.
        features: the features' name; None = pictures.
        model: whose image tower.
        workers: threads that read pictures.

    Raises:
        InputError: the tower takes pictures and features were named, or the other way round, or the features are those
            of another encoder.
    """
    require_image_source(dataset, features, model.image_tower)
    if features is not None:
        return FeatureImages(dataset.features[features], dataset.feature_rows(features))
    prepare = getattr(model.image_tower, "prepare")  # noqa: B009 - of the towers that take pictures
    paths = [dataset.image_path(row) for row in range(len(dataset.images))]
    return PictureImages(paths, prepare, threads=workers)


def prepare_inputs(config: RunConfig, dataset: RetrievalDataset, labels_folder: Path) -> TrainingInputs:
    """Label, fit and arrange, in that order.

    Args:
        config: the run.
        dataset: of `open_data`.
        labels_folder: where encodings are kept.
    """
    train = dataset.split(config.data.train_split)
    relevance = _relevance(config, dataset, labels_folder)
    torch.manual_seed(config.seed)
    model = RetrievalModel(config.model.image_tower, config.model.caption_tower, config.model.similarity)
    _fit(model, train, config.data.features)
    assemble = BatchAssembler(
        image_source(train, config.data.features, model, config.data.workers),
        model.caption_tower.tokenize(train.caption_texts),
        train.caption_image,
        relevance if config.loss.uses_relevance else None,
    )
    return TrainingInputs(dataset, model, BatchLoader(_sampler(config, train, relevance), assemble))


def _relevance(config: RunConfig, dataset: RetrievalDataset, folder: Path) -> RelevanceSource | None:
    if not config.loss.uses_relevance and config.data.sampler == "unique":
        return None
    labels = _labels(config, dataset, folder)
    if config.labels.noise == 0:
        return labels
    caption_image = dataset.split(config.data.train_split).caption_image
    return NoisyRelevance(labels, caption_image, share=config.labels.noise, seed=config.seed)


def _labels(config: RunConfig, dataset: RetrievalDataset, folder: Path) -> RelevanceSource:
    require_label_source(config)
    if config.labels.table is not None:
        train = dataset.split(config.data.train_split)
        given = config.labels
        assert given.table is not None
        scale = {"lowest": given.lowest, "highest": given.highest}
        return read_relevance_file(given.table, train, **scale, aggregate=given.aggregate)
    assert config.labels.scorer is not None
    return label_split(
        dataset,
        config.data.train_split,
        config.labels.scorer,
        folder,
        fit_split=config.data.train_split,
        aggregate=config.labels.aggregate,
        calibration=None if config.labels.calibration is None else Calibration.load(config.labels.calibration),
    )


def _fit(model: RetrievalModel, train: RetrievalDataset, features: str | None) -> None:
    """Let the towers learn statistics and vocabulary from the train split, images from an even sample."""
    count = min(model.image_tower.fit_images, len(train.images))
    rows = np.unique(np.linspace(0, len(train.images) - 1, count).astype(np.int64))
    if features is not None:
        model.image_tower.fit(train.features[features].gather(np.sort(train.feature_rows(features)[rows])))
    else:
        model.image_tower.fit([open_picture(train.image_path(row)) for row in rows.tolist()])
    model.caption_tower.fit(train.caption_texts)


def _sampler(config: RunConfig, train: RetrievalDataset, relevance: RelevanceSource | None) -> BatchSampler:
    size = config.optimization.batch_size
    require_batch_size(config, train)
    if config.data.sampler == "unique":
        sampler = UniqueImageBatchSampler(train.caption_image, size, seed=config.seed)
    else:
        assert relevance is not None
        neighbours = image_neighbours(relevance, train.caption_image, min(NEIGHBOURS, len(train.images) - 1))
        sampler = NeighbourBatchSampler(train.caption_image, neighbours, size, seed=config.seed)
    logger.info(sampler.describe())
    return sampler
