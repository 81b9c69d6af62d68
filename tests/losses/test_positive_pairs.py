"""Positive pairs of every form of labels against a loop over all pairs."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.losses.positive_pairs import PositivePairs, cut_into_tiles, find_positive_pairs

CPU = torch.device("cpu")
FORMATS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def found(positives, images, captions):
    pairs = find_positive_pairs(positives, images, captions, CPU)
    return list(zip(pairs.images.tolist(), pairs.captions.tolist(), strict=True))


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("caption_format", FORMATS)
def test_ids_of_any_two_integer_formats_are_compared_by_value(image_format, caption_format):
    image_ids, caption_ids = [5, 3, 5, 0], [3, 5, 7, 5, 3]
    expected = [(i, j) for i, a in enumerate(image_ids) for j, b in enumerate(caption_ids) if a == b]
    given = torch.tensor(image_ids, dtype=image_format), torch.tensor(caption_ids, dtype=caption_format)
    assert found(given, 4, 5) == expected


@pytest.mark.parametrize("swapped", [False, True])
def test_an_id_beyond_32_bits_is_none_of_those_it_wraps_to(swapped):
    wide = torch.tensor([2**32 + 1, 2, 2**40], dtype=torch.int64)
    narrow = torch.tensor([1, 2, 0], dtype=torch.int32)
    assert found((narrow, wide) if swapped else (wide, narrow), 3, 3) == [(1, 1)]


def test_an_unsigned_id_is_none_of_the_negative_ones_it_wraps_to():
    assert found((torch.tensor([-1, 4], dtype=torch.int8), torch.tensor([255, 4], dtype=torch.uint8)), 2, 2) == [(1, 1)]


def test_large_ids_next_to_each_other_are_told_apart():
    ids = torch.tensor([2**53, 2**53 + 1, 2**62, 2**62 + 1, -(2**62)])
    assert found(ids, 5, 5) == [(i, i) for i in range(5)]


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=8), st.lists(st.integers(-3, 3), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_ids_and_their_bool_matrix_give_the_same_pairs(image_ids, caption_ids):
    expected = [(i, j) for i, a in enumerate(image_ids) for j, b in enumerate(caption_ids) if a == b]
    images, captions = torch.tensor(image_ids), torch.tensor(caption_ids)
    if not expected:
        with pytest.raises(InputError, match="no pair is positive"):
            found((images, captions), len(images), len(captions))
        return
    assert found((images, captions), len(images), len(captions)) == expected
    assert found(images[:, None] == captions[None, :], len(images), len(captions)) == expected


def test_one_tensor_of_ids_belongs_to_both_sides():
    assert found(torch.tensor([7, 8, 7]), 3, 3) == [(0, 0), (0, 2), (1, 1), (2, 0), (2, 2)]


def test_without_labels_image_i_belongs_to_caption_i():
    assert found(None, 3, 3) == [(0, 0), (1, 1), (2, 2)]
    assert found(None, 1, 1) == [(0, 0)]


@pytest.mark.parametrize(
    ("positives", "shape", "message"),
    [
        (None, (2, 3), r"2 images and 3 captions: without positives image i belongs to caption i"),
        (None, (0, 0), r"no pair is positive"),
        (torch.ones(3, 2, dtype=torch.bool), (2, 3), r"positives are \(3, 2\), but similarity is \(2, 3\)"),
        (torch.ones(2, 3, dtype=torch.int64), (2, 3), r"positives must be bool, not torch.int64; integer ids are one-"),
        (torch.zeros(2, 3, dtype=torch.bool), (2, 3), r"no pair is positive: a binary loss"),
        (torch.arange(3), (2, 3), r"the ids of images are \(3,\), but there are 2 images"),
        ((torch.arange(2), torch.arange(2)), (2, 3), r"the ids of captions are \(2,\), but there are 3 captions"),
        ((torch.zeros(2), torch.arange(3)), (2, 3), r"the ids of images must be integers, not torch.float32"),
        ((torch.arange(2), torch.ones(3, dtype=torch.bool)), (2, 3), r"ids of captions must be integers, not torch.b"),
        ((torch.arange(2), torch.ones(3, dtype=torch.complex64)), (2, 3), r"must be integers, not torch.complex64"),
        ((torch.tensor([1, 2]), torch.tensor([3, 4, 5])), (2, 3), r"no pair is positive"),
    ],
)
def test_unusable_labels_are_refused(positives, shape, message):
    with pytest.raises(InputError, match=message):
        find_positive_pairs(positives, *shape, CPU)


@given(st.integers(1, 7), st.integers(1, 7), st.integers(1, 9), st.integers(1, 9), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_tiles_cover_the_matrix_once_and_each_holds_the_pairs_within_it(rows, columns, height, width, seed):
    random = torch.Generator().manual_seed(seed)
    matrix = torch.rand(rows, columns, generator=random) < 0.5
    every = matrix.nonzero()
    every = every[torch.randperm(len(every), generator=random)]
    tiles, pairs = cut_into_tiles(PositivePairs(*every.unbind(1)), (rows, columns), (height, width))
    covered = torch.zeros(rows, columns, dtype=torch.int64)
    counted, following = torch.zeros(rows, columns, dtype=torch.bool), 0
    for tile in tiles:
        covered[tile.rows, tile.columns] += 1
        assert covered[tile.rows, tile.columns].shape <= (height, width)
        assert tile.pairs.start == following
        following = tile.pairs.stop
        for i, j in zip(pairs.images[tile.pairs].tolist(), pairs.captions[tile.pairs].tolist(), strict=True):
            assert tile.rows.start <= i < tile.rows.stop
            assert tile.columns.start <= j < tile.columns.stop
            counted[i, j] = True
    assert following == len(every)
    assert torch.equal(covered, torch.ones_like(covered))
    assert torch.equal(counted, matrix)


def test_tiles_come_row_by_row_and_the_last_ones_are_smaller():
    tiles, _ = cut_into_tiles(PositivePairs(torch.tensor([2]), torch.tensor([0])), (3, 3), (2, 2))
    corners = [(tile.rows, tile.columns) for tile in tiles]
    assert corners == [(slice(i, min(i + 2, 3)), slice(j, min(j + 2, 3))) for i in (0, 2) for j in (0, 2)]
    assert [tile.pairs for tile in tiles] == [slice(0, 0), slice(0, 0), slice(0, 1), slice(1, 1)]
