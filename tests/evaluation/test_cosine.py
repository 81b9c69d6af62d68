"""The cosine of embeddings, one block at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation.cosine import GRID, UNIT_ROWS, CosineSimilarity


def test_cosine_is_that_of_torch():
    random = torch.Generator().manual_seed(0)
    images, captions = torch.randn(6, 5, generator=random), torch.randn(7, 5, generator=random)
    expected = torch.nn.functional.cosine_similarity(images[:, None], captions[None], dim=-1)
    cosine = CosineSimilarity(images, captions)
    np.testing.assert_allclose(cosine(np.arange(6), np.arange(7)), expected, atol=1e-6)
    np.testing.assert_array_equal(
        cosine(np.array([4, 1]), np.array([6])), cosine(np.arange(6), np.arange(7))[[4, 1], 6:]
    )


def test_equal_embeddings_tie_in_every_block():
    random = np.random.default_rng(9)
    images = random.standard_normal((3, 48))
    captions = np.repeat(random.standard_normal((1, 48)), 41, axis=0)
    cosine = CosineSimilarity(images, captions)
    whole = cosine(np.arange(3), np.arange(41))
    assert (whole == whole[:, :1]).all()
    assert all((cosine(np.array([i]), np.arange(5, 40)) == whole[i, 0]).all() for i in range(3))


def test_what_is_orthogonal_ties_in_every_block():
    """Sums that cancel leave another trace of rounding in every order of summation."""
    random = np.random.default_rng(2)
    basis = np.linalg.qr(random.standard_normal((48, 48)))[0]
    cosine = CosineSimilarity(basis[:3], basis[3:40])
    images, captions = np.arange(3), np.arange(37)
    assert not cosine(images, captions).any()
    assert not cosine(images[1:2], captions[5:9]).any()
    assert not cosine.pairs(images, captions[:3]).any()


def test_huge_and_tiny_embeddings_keep_their_direction():
    cosine = CosineSimilarity([[1e200, 0.0], [1e-200, 1e-200]], [[1.0, 0.0]])
    np.testing.assert_allclose(cosine(np.arange(2), np.arange(1)), [[1], [0.5**0.5]], rtol=1e-6)


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [
        ([[1.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]], "caption_embeddings: row 1 is zero"),
        ([[1.0, 0.0], [np.nan, 0.0]], [[1.0, 0.0]], "image_embeddings: row 1 has a number that is not finite"),
        ([[1.0, 0.0]], [[1.0]], "2 dimensions and caption_embeddings have 1"),
        ([1.0, 0.0], [[1.0, 0.0]], r"got shape \(2,\)"),
        ([["a"]], [[1.0]], "must be numbers"),
        ([[1j]], [[1.0]], "must be numbers"),
        (np.zeros((1, 0)), [[1.0]], "image_embeddings: row 0 is zero"),
        ([[1.0, 0.0]], [[-np.inf, 0.0]], "caption_embeddings: row 0 has a number that is not finite"),
        ([[1.0]], [[[1.0]]], r"caption_embeddings must be a matrix \(rows, dimensions\), got shape \(1, 1, 1\)"),
    ],
)
def test_bad_embeddings_are_refused(images, captions, message):
    with pytest.raises(InputError, match=message):
        CosineSimilarity(images, captions)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.bool_])
def test_embeddings_of_any_type_have_a_cosine_in_single_precision(dtype):
    cosine = CosineSimilarity(np.array([[1, 1]], dtype=dtype), np.array([[1, 0], [1, 1]], dtype=dtype))
    scores = cosine(np.arange(1), np.arange(2))
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, [[0.5**0.5, 1]], rtol=1e-7)


def test_units_have_length_1_and_the_direction_of_their_row():
    rows = np.random.default_rng(1).standard_normal((2 * UNIT_ROWS + 5, 7)) * np.logspace(-30, 30, 7)
    cosine = CosineSimilarity(rows, np.ones((1, 7)))
    np.testing.assert_allclose(np.linalg.norm(cosine.images, axis=1), 1, rtol=1e-15)
    naive = [row / np.sqrt(sum(float(x) ** 2 for x in row)) for row in rows]
    np.testing.assert_allclose(cosine.images, naive, rtol=1e-13)


def test_a_bad_row_is_named_wherever_it_lies():
    rows = np.ones((2 * UNIT_ROWS + 3, 2))
    for row in (0, UNIT_ROWS - 1, UNIT_ROWS, 2 * UNIT_ROWS + 2):
        for bad, message in ((0.0, "is zero, which has no direction"), (np.inf, "has a number that is not finite")):
            broken = rows.copy()
            broken[row] = bad
            with pytest.raises(InputError, match=rf"^caption_embeddings: row {row} {message}$"):
                CosineSimilarity(rows, broken)


def test_what_is_given_is_left_as_it_is():
    images = np.array([[3.0, 4.0]])
    CosineSimilarity(images, images)
    assert images.tolist() == [[3.0, 4.0]]


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 40))
@settings(deadline=None, max_examples=40)
def test_pairs_are_those_of_the_block(seed, spread, count):
    random = np.random.default_rng(seed)
    cosine = CosineSimilarity(
        random.integers(-spread, spread, (9, 6)) + 0.5, random.integers(-spread, spread, (8, 6)) + 0.5
    )
    images, captions = random.integers(0, 9, count), random.integers(0, 8, count)
    found = cosine.pairs(images, captions)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, cosine(np.arange(9), np.arange(8))[images, captions])


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=40)
def test_a_part_is_the_part_of_the_whole(seed):
    random = np.random.default_rng(seed)
    cosine = CosineSimilarity(random.integers(-2, 3, (7, 33)) + 0.25, random.integers(-2, 3, (12, 33)) + 0.25)
    images, captions = (random.permutation(size)[: random.integers(1, size + 1)] for size in (7, 12))
    whole = cosine(np.arange(7), np.arange(12))
    np.testing.assert_array_equal(cosine(images, captions), whole[np.ix_(images, captions)])


def test_pairs_of_no_rows_and_blocks_of_no_rows_are_empty():
    cosine = CosineSimilarity(np.eye(2), np.eye(2))
    none = np.zeros(0, dtype=np.int64)
    assert cosine.pairs(none, none).shape == (0,)
    assert cosine(none, np.arange(2)).shape == (0, 2)
    assert cosine(np.arange(2), none).shape == (2, 0)


def test_a_side_without_rows_has_no_scores():
    assert CosineSimilarity(np.zeros((0, 3)), np.eye(3))(np.arange(0), np.arange(3)).shape == (0, 3)


def test_the_length_of_an_embedding_does_not_matter():
    random = np.random.default_rng(3)
    images, captions = random.standard_normal((4, 9)), random.standard_normal((5, 9))
    plain = CosineSimilarity(images, captions)(np.arange(4), np.arange(5))
    scaled = CosineSimilarity(images * 2.0**40, captions * 2.0**-40)(np.arange(4), np.arange(5))
    np.testing.assert_array_equal(scaled, plain)


def test_a_cosine_near_0_lies_on_the_grid():
    angle = np.linspace(1e-9, 1e-7, 50)
    cosine = CosineSimilarity([[1.0, 0.0]], np.stack([np.sin(angle), np.cos(angle)], axis=1))
    steps = cosine(np.arange(1), np.arange(50)).astype(np.float64) / (GRID * 2.0**-52)
    np.testing.assert_array_equal(steps, np.round(steps))
    np.testing.assert_allclose(steps[0] * 2.0**-39, angle, atol=2.0**-40)
    assert np.unique(steps).size > 40
