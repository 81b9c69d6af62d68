"""One training batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bcls.data import FeatureStore
from bcls.data.batches import Batch, BatchAssembler
from bcls.data.images import FeatureImages
from bcls.relevance import CaptionRelevance, DenseEncodings

CAPTION_IMAGE = np.array([0, 0, 1, 2, 2, 2])


class Tokens:
    """Captions as a tensor of numbers."""

    def __init__(self, numbers):
        self.numbers = numbers

    def select(self, rows):
        return Tokens(self.numbers[rows])

    def to(self, device):
        return Tokens(self.numbers.to(device))


@pytest.fixture
def images():
    features = np.arange(6, dtype=np.float16).reshape(3, 2)
    return FeatureImages(FeatureStore([features], list("abc"), "here"), np.arange(3))


@pytest.fixture
def relevance():
    angle = np.linspace(0, 1.5, 6, dtype=np.float32)
    return CaptionRelevance(DenseEncodings(np.stack([np.cos(angle), np.sin(angle)], axis=1)), CAPTION_IMAGE)


def test_images_and_captions_are_pairs(images):
    rows = np.array([4, 1, 2])
    batch = BatchAssembler(images, Tokens(torch.arange(6)), CAPTION_IMAGE)(rows)
    assert len(batch) == 3
    assert batch.captions.numbers.tolist() == [4, 1, 2]
    assert batch.images.tolist() == [[4, 5], [0, 1], [2, 3]]


def test_relevance_is_that_of_the_batch_alone(images, relevance):
    rows = np.array([3, 0, 2])
    batch = BatchAssembler(images, Tokens(torch.arange(6)), CAPTION_IMAGE, relevance)(rows)
    whole = relevance.matrix(np.arange(3), np.arange(6))
    np.testing.assert_array_equal(batch.relevance.numpy(), whole[np.ix_([2, 0, 1], rows)])
    assert batch.relevance.diagonal().tolist() == [1, 1, 1]


def test_without_labels_there_is_no_relevance(images):
    assert BatchAssembler(images, Tokens(torch.arange(6)), CAPTION_IMAGE)(np.array([0, 2])).relevance is None


def test_positives_are_told_only_where_an_image_is_there_twice(images):
    assemble = BatchAssembler(images, Tokens(torch.arange(6)), CAPTION_IMAGE)
    assert assemble(np.array([0, 2, 5])).positives is None
    positives = assemble(np.array([0, 2, 1])).positives
    assert positives.dtype == torch.bool
    assert positives.tolist() == [[True, False, True], [False, True, False], [True, False, True]]


def test_all_parts_move_to_a_device():
    moved = Batch(torch.ones(2, 3), Tokens(torch.arange(2)), torch.ones(2, 2), torch.ones(2, 2) > 0).to("meta")
    parts = [moved.images, moved.captions.numbers, moved.relevance, moved.positives]
    assert [part.device.type for part in parts] == ["meta"] * 4


def test_what_is_not_there_stays_away_on_another_device():
    moved = Batch(torch.ones(2, 3), Tokens(torch.arange(2)), None, None).to("meta")
    assert (moved.relevance, moved.positives) == (None, None)
