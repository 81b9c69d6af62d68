"""From a config to what a run needs: data, labels, a fitted model, batches."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bcls.assessment.inputs import image_source, open_splits
from bcls.data import (
    NeighbourBatchSampler,
    RetrievalDataset,
    UniqueImageBatchSampler,
    image_neighbours,
)
from bcls.data.batches import BatchAssembler
from bcls.data.labels import label_split
from bcls.data.loader import BatchLoader, BatchSampler
from bcls.data.relevance_files import read_relevance_file
from bcls.models import RetrievalModel
from bcls.pictures import open_picture
from bcls.relevance import Calibration, NoisyRelevance, RelevanceSource
from bcls.training.checks import require_batch_size, require_label_source
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
