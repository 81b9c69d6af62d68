"""Losses in blocks of whole queries against the same terms of the whole matrix."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.losses.blocked import Inputs, Needs
from bcls.losses.query_blocks import WORTH_GATHERING, BlockTerms, query_blocks, query_slices

EVERY = Needs(True, True, False)


def squares(weights):
    """Terms w * s^2 / 2, one for each w that is not zero: their gradient is as sparse as the weights."""

    def one_block(similarity, part, gradients):
        w = weights[part]
        gradient = w * similarity if gradients else None
        return BlockTerms((w * similarity.square()).sum() / 2, w.count_nonzero(), gradient)

    return one_block


def naive(images, captions, of_rows, of_columns):
    similarity = images @ captions.T
    parts = []
    for weights, scores in ((of_rows, similarity), (of_columns, similarity.T)):
        parts.append((weights * scores.square()).sum() / 2 / max(1, int(weights.count_nonzero())))
    return (parts[0] + parts[1]) / 2


def batch(images, captions, seed, share, dimensions=3):
    random = torch.Generator().manual_seed(seed)
    vectors = [torch.randn(n, dimensions, generator=random, dtype=torch.float64) for n in (images, captions)]
    weights = []
    for shape in ((images, captions), (captions, images)):
        drawn = torch.rand(shape, generator=random, dtype=torch.float64) + 0.5
        weights.append(drawn * (torch.rand(shape, generator=random) < share))
    return *vectors, *weights


@given(
    images=st.integers(1, 12),
    captions=st.integers(1, 12),
    seed=st.integers(0, 10_000),
    share=st.sampled_from([0.0, 0.02, 1.0]),
    block=st.sampled_from([1, 13, 30, 1000]),
)
@settings(max_examples=40, deadline=None)
def test_value_and_gradients_are_those_of_the_whole_matrix(images, captions, seed, share, block):
    *vectors, of_rows, of_columns = batch(images, captions, seed, share)
    leaves = [v.clone().requires_grad_() for v in vectors]
    expected = naive(*leaves, of_rows, of_columns)
    expected.backward()
    more = {"rows": squares(of_rows), "columns": squares(of_columns), "block": block}
    found = query_blocks(Inputs(*vectors, None), EVERY, **more)
    torch.testing.assert_close(found.value, expected.detach())
    torch.testing.assert_close(found.images, leaves[0].grad)
    torch.testing.assert_close(found.captions, leaves[1].grad)
    assert found.temperature is None


@pytest.mark.parametrize("filled", [0, 1, 3, 4, 128])
def test_few_and_many_gradients_are_pulled_back_alike(filled):
    images, captions, _, _ = batch(8, 16, 1, 1.0, dimensions=50)  # wide: the few are gathered in several turns
    assert 3 * WORTH_GATHERING <= 128 - WORTH_GATHERING
    gradient = torch.zeros(128, dtype=torch.float64)
    gradient[torch.randperm(128, generator=torch.Generator().manual_seed(0))[:filled]] = 2.0
    gradient = gradient.view(8, 16)

    def rows(similarity, part, gradients):
        return BlockTerms(similarity.new_zeros(()), torch.tensor(1), gradient[part])

    def columns(similarity, part, gradients):
        return BlockTerms(similarity.new_zeros(()), torch.tensor(0), None)

    found = query_blocks(Inputs(images, captions, None), EVERY, rows=rows, columns=columns, block=1000)
    torch.testing.assert_close(found.images, gradient @ captions / 2)
    torch.testing.assert_close(found.captions, gradient.T @ images / 2)


@pytest.mark.parametrize("of_images", [False, True])
@pytest.mark.parametrize("of_captions", [False, True])
def test_what_is_not_wanted_is_not_made(of_images, of_captions):
    images, captions, of_rows, of_columns = batch(4, 6, 5, 1.0)
    asked = []

    def asking(one):
        return lambda similarity, part, gradients: asked.append(gradients) or one(similarity, part, gradients)

    more = {"rows": asking(squares(of_rows)), "columns": asking(squares(of_columns)), "block": 12}
    whole = query_blocks(Inputs(images, captions, None), EVERY, **more)
    asked.clear()
    found = query_blocks(Inputs(images, captions, None), Needs(of_images, of_captions, False), **more)
    assert set(asked) == {of_images or of_captions}
    assert found.value == whole.value
    assert (found.images is not None, found.captions is not None) == (of_images, of_captions)
    if of_images:
        assert torch.equal(found.images, whole.images)
    if of_captions:
        assert torch.equal(found.captions, whole.captions)


def test_each_direction_has_its_own_queries_scores_and_number_of_terms():
    images, captions = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [5.0], [7.0]])
    seen = {"rows": [], "columns": []}

    def one(name, terms):
        def one_block(similarity, part, gradients):
            seen[name].append((part, similarity.tolist()))
            return BlockTerms(similarity.sum(), torch.tensor(terms), None)

        return one_block

    inputs = Inputs(images, captions, None)
    found = query_blocks(inputs, Needs(False, False, False), rows=one("rows", 5), columns=one("columns", 1), block=4)
    assert seen["rows"] == [(slice(0, 1), [[3.0, 5.0, 7.0]]), (slice(1, 2), [[6.0, 10.0, 14.0]])]
    assert seen["columns"] == [(slice(0, 2), [[3.0, 6.0], [5.0, 10.0]]), (slice(2, 3), [[7.0, 14.0]])]
    assert found.value.item() == pytest.approx((45 / 10 + 45 / 2) / 2)  # rows: 5 terms a block, in two blocks


@given(st.integers(0, 20), st.integers(1, 20), st.integers(1, 200))
@settings(max_examples=40, deadline=None)
def test_slices_cover_all_queries_within_the_block_as_few_as_can_be(queries, candidates, block):
    slices = query_slices(queries, candidates, block)
    assert [q for part in slices for q in range(part.start, part.stop)] == list(range(queries))
    rows = max(1, block // candidates)
    assert all(part.stop - part.start == rows for part in slices[:-1])
    assert all(0 < part.stop - part.start <= rows for part in slices)
