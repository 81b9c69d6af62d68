"""Data sets on disk into batches: readers, feature store, checks, samplers."""

from __future__ import annotations

from bcls.data.check import check_dataset, refuse_problems
from bcls.data.dataset import RetrievalDataset
from bcls.data.features import FeatureStore, write_features
from bcls.data.problem import Problem
from bcls.data.readers import (
    read_dataset,
    read_folder,
    read_image_folder,
    read_karpathy,
    read_precomp,
    shards_of,
    unpack_webdataset,
    write_dataset,
)
from bcls.data.records import Caption, ImageRecord
from bcls.data.samplers import NeighbourBatchSampler, UniqueImageBatchSampler, image_neighbours

__all__ = [
    "Caption",
    "FeatureStore",
    "ImageRecord",
    "NeighbourBatchSampler",
    "Problem",
    "RetrievalDataset",
    "UniqueImageBatchSampler",
    "check_dataset",
    "image_neighbours",
    "read_dataset",
    "read_folder",
    "read_image_folder",
    "read_karpathy",
    "read_precomp",
    "refuse_problems",
    "shards_of",
    "unpack_webdataset",
    "write_dataset",
    "write_features",
]
