"""Dot products, as plain numpy has them, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bcls.errors import InputError
from bcls.evaluation import DotSimilarity, RetrievalTruth, embeddings_similarity, evaluate, evaluate_similarity

ROWS = np.arange(5), np.arange(7)


def matrices(kind, numbers):
    """Embeddings of 5 images and 7 captions."""
    return [arrays(kind, (rows, 4), elements=numbers) for rows in (5, 7)]


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.float32, (5, 4), elements=st.floats(-1e4, 1e4, width=32)),
    arrays(np.float32, (7, 4), elements=st.floats(-1e4, 1e4, width=32)),
)
def test_it_is_the_dot_product(images, captions):
    dot = DotSimilarity(images, captions)
    expected = images.astype(np.float64) @ captions.astype(np.float64).T
    lengths = np.linalg.norm(images.astype(float), axis=1)[:, None] * np.linalg.norm(captions.astype(float), axis=1)
    assert (np.abs(dot(*ROWS) - expected) <= np.abs(expected) * 1e-7 + 64 * lengths * 2.0**-39).all()
    image, caption = (grid.ravel() for grid in np.meshgrid(*ROWS, indexing="ij"))
    np.testing.assert_array_equal(dot.pairs(image, caption), dot(*ROWS).ravel())


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.int64, (5, 3), elements=st.integers(-1000, 1000)),
    arrays(np.int64, (7, 3), elements=st.integers(-1000, 1000)),
)
def test_whole_numbers_are_exact_so_that_ties_are_ties(images, captions):
    np.testing.assert_array_equal(DotSimilarity(images, captions)(*ROWS), (images @ captions.T).astype(np.float32))


def test_how_blocks_are_cut_changes_nothing():
    random = np.random.default_rng(0)
    dot = DotSimilarity(random.normal(size=(5, 300)) * 1e3, random.normal(size=(7, 300)))
    whole = dot(*ROWS)
    single = np.array([[dot(np.array([i]), np.array([c]))[0, 0] for c in range(7)] for i in range(5)])
    np.testing.assert_array_equal(single, whole)


def test_lengths_count_where_the_cosine_ignores_them():
    truth = RetrievalTruth.from_counts([1, 1])
    images, captions = np.eye(2), np.array([[1.0, 0.9], [0.1, 0.2]])
    assert evaluate(images, captions, truth)["image_to_text/recall@1"] == 100.0
    by_dot = evaluate(images, captions, truth, similarity_function="dot")
    assert by_dot["image_to_text/recall@1"] == 50.0
    assert by_dot == evaluate_similarity(images @ captions.T, truth)


def test_a_row_of_zeros_and_a_torch_tensor_are_taken():
    dot = DotSimilarity(torch.zeros(5, 2, dtype=torch.bfloat16), torch.ones(7, 2))
    assert (dot(*ROWS) == 0).all()


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [
        (np.ones(3), np.ones((2, 3)), "image_embeddings must be a matrix"),
        (np.ones((2, 3)), np.ones((2, 4)), "3 dimensions and caption_embeddings have 4"),
        ([[1.0, np.nan]], [[1.0, 1.0]], "image_embeddings: row 0 has a number that is not finite"),
    ],
)
def test_refusals(images, captions, message):
    with pytest.raises(InputError, match=message):
        embeddings_similarity(images, captions, "dot")


def test_scores_that_single_precision_cannot_hold_are_refused():
    with pytest.raises(InputError, match="not a finite number"):
        evaluate([[1e30]], [[1e30]], RetrievalTruth.from_counts([1]), similarity_function="dot")


def test_an_unknown_name_is_refused():
    with pytest.raises(InputError, match="similarity_function 'euclid': there are cosine, dot"):
        evaluate(np.eye(2), np.eye(2), RetrievalTruth.from_counts([1, 1]), similarity_function="euclid")
