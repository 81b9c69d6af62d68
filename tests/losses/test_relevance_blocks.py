"""Blocks of relevance from a matrix and from a function."""

from __future__ import annotations

import math

import pytest
import torch

from bcls.errors import InputError
from bcls.losses.relevance_blocks import RelevanceBlocks

CPU = torch.device("cpu")
MATRIX = torch.tensor([[0.0, 0.1, math.nan], [0.3, 0.4, 0.5]])


def equal(block, expected):
    torch.testing.assert_close(block, torch.tensor(expected), equal_nan=True, atol=0, rtol=0)


@pytest.mark.parametrize("given", [MATRIX, lambda images, captions: MATRIX[images, captions]])
def test_a_block_is_that_part_of_the_matrix(given):
    blocks = RelevanceBlocks(given, 2, 3, CPU)
    equal(blocks(slice(1, 2), slice(0, 2)), [[0.3, 0.4]])
    equal(blocks.of_images(slice(0, 1)), [[0.0, 0.1, math.nan]])
    of_captions = blocks.of_captions(slice(1, 3))
    equal(of_captions, [[0.1, 0.4], [math.nan, 0.5]])
    assert of_captions.is_contiguous()


def test_the_function_is_asked_for_the_block_alone():
    asked = []

    def one(images, captions):
        asked.append((images, captions))
        return MATRIX[images, captions]

    blocks = RelevanceBlocks(one, 2, 3, CPU)
    blocks.of_images(slice(1, 2))
    blocks.of_captions(slice(2, 3))
    assert asked == [(slice(1, 2), slice(0, 3)), (slice(0, 2), slice(2, 3))]


def test_a_block_has_no_gradient_and_a_format_fit_for_sums():
    blocks = RelevanceBlocks(torch.rand(2, 3, dtype=torch.float16, requires_grad=True), 2, 3, CPU)
    block = blocks.of_images(slice(0, 2))
    assert block.dtype == torch.float32
    assert not block.requires_grad


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, r"needs relevance: an \(images, captions\) matrix in \[0, 1\], NaN = unknown, or a function"),
        (torch.rand(3, 2), r"relevance is \(3, 2\), but similarity is \(2, 3\)"),
        ([[0.1]], "relevance must be a tensor or a function, not list"),
    ],
)
def test_unusable_relevance_is_refused_at_once(given, message):
    with pytest.raises(InputError, match=message):
        RelevanceBlocks(given, 2, 3, CPU)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ([[0.1, 0.2]], "the relevance function must return a tensor, not list"),
        (torch.rand(2, 1), r"relevance is \(2, 1\), but similarity is \(1, 2\)"),
        (torch.ones(1, 2, dtype=torch.int64), "relevance must be floating point"),
        (torch.tensor([[0.5, 1.5]]), r"relevance of image 1 and caption 2 is 1.5: it must lie in \[0, 1\]"),
        (None, "the relevance function must return a tensor, not NoneType"),
    ],
)
def test_an_unusable_block_is_refused_when_it_is_asked_for(block, message):
    blocks = RelevanceBlocks(lambda images, captions: block, 2, 3, CPU)
    with pytest.raises(InputError, match=message):
        blocks(slice(1, 2), slice(1, 3))


def test_a_label_outside_is_named_by_its_place_in_the_whole():
    matrix = torch.full((4, 5), 0.5)
    matrix[3, 2] = -1.0
    blocks = RelevanceBlocks(matrix, 4, 5, CPU)
    blocks.of_images(slice(0, 3))
    with pytest.raises(InputError, match="relevance of image 3 and caption 2 is -1:"):
        blocks.of_captions(slice(1, 4))
