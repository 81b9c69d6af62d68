"""Blocks of scores and relevances."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.evaluation import CosineSimilarity, GradedRelevance, RetrievalTruth
from bcls.evaluation.similarity import relevance_blocks, similarity_blocks

TRUTH = RetrievalTruth.from_counts(
    [2, 1],
)
NAMED = RetrievalTruth(np.array([0, 0, 1]), 2, image_ids=["a.jpg", "b.jpg"], caption_ids=["a#0", "a#1", "b#0"])


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (torch.tensor([0.5, 1.0], dtype=torch.bfloat16), np.float32),
        (torch.tensor([0.5, 1.0], dtype=torch.float16), np.float32),
        (torch.tensor([0.5, 1.0], dtype=torch.float64, requires_grad=True), np.float64),
        (np.array([0.5, 1.0], dtype=np.float16), np.float32),
        (np.array([0.5, 1.0], dtype=np.float32), np.float32),
        ([0.5, 1.0], np.float64),
    ],
)
def test_any_floating_type_becomes_single_or_double(values, dtype):
    array = to_array(values, "similarity")
    assert array.dtype == dtype
    assert array.tolist() == [0.5, 1.0]


def test_whole_numbers_become_double():
    assert to_array(torch.tensor([True, False]), "similarity").dtype == np.float64


def test_blocks_turn_queries_into_rows():
    matrix = np.arange(6.0).reshape(2, 3)
    blocks = similarity_blocks(matrix, TRUTH)
    assert blocks.block("image_to_text", np.array([1]), np.array([0, 2])).tolist() == [[3, 5]]
    assert blocks.block("text_to_image", np.array([2, 1]), np.array([0, 1])).tolist() == [[2, 5], [1, 4]]
    by_function = similarity_blocks(lambda images, captions: matrix[np.ix_(images, captions)], TRUTH)
    assert by_function.block("text_to_image", np.array([2, 1]), np.array([0, 1])).tolist() == [[2, 5], [1, 4]]


def test_relevance_from_an_object():
    class Scorer:
        def matrix(self, images, captions):
            return torch.full((len(images), len(captions)), 0.25, dtype=torch.bfloat16)

    assert isinstance(Scorer(), GradedRelevance)
    block = relevance_blocks(Scorer(), TRUTH).block("text_to_image", np.arange(3), np.arange(2))
    assert block.tolist() == [[0.25, 0.25]] * 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: similarity_blocks(np.zeros((3, 2)), TRUTH),
            r"similarity matrix has shape \(3, 2\).*2 images and 3 cap",
        ),
        (lambda: relevance_blocks(np.zeros((2, 2)), TRUTH), r"relevance matrix has shape \(2, 2\)"),
        (
            lambda: similarity_blocks(CosineSimilarity(np.eye(3), np.eye(3)), TRUTH),
            "image_embeddings has 3 rows; .* 2 im",
        ),
        (lambda: similarity_blocks(CosineSimilarity(np.eye(2), np.eye(2)), TRUTH), "caption_embeddings has 2 rows"),
    ],
)
def test_sizes_must_be_those_of_the_truth(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_messages_name_rows_of_the_whole_matrix():
    matrix = np.array([[0.0, 0.0, 0.0], [0.0, np.nan, 0.0]])
    with pytest.raises(InputError, match=r"similarity of image row 1 \(b.jpg\) and caption row 1 \(a#1\) is nan"):
        similarity_blocks(matrix, NAMED).block("text_to_image", np.array([1, 2]), np.array([0, 1]))
    relevance_blocks(matrix, NAMED).block("text_to_image", np.array([1, 2]), np.array([0, 1]))  # unknown is allowed
    with pytest.raises(InputError, match=r"relevance of image row 0 \(a.jpg\) and caption row 2 \(b#0\) is 7.0, not"):
        relevance_blocks(np.array([[0, 0, 7], [0, 0, 0]]), NAMED).block("image_to_text", np.arange(2), np.arange(3))
    with pytest.raises(InputError, match=r"relevance of image row 0 .* is -inf"):
        relevance_blocks(np.array([[0, 0, -np.inf], [0, 0, 0]]), NAMED).block(
            "image_to_text", np.arange(2), np.arange(3)
        )


def test_a_block_of_the_wrong_shape_is_refused():
    with pytest.raises(InputError, match=r"similarity of 1 images and 3 captions came in shape \(2, 3\)"):
        similarity_blocks(lambda images, captions: np.zeros((2, 3)), TRUTH).block(
            "image_to_text", np.array([0]), np.arange(3)
        )
