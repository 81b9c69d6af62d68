"""What the three matrices of a loss must be, and what they become."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bcls.errors import InputError
from bcls.losses.matrices import (
    TOLERANCE,
    both_directions,
    check_positives,
    check_relevance,
    check_similarity,
    require_relevance,
    require_tensor,
)

NAN = math.nan
FORMATS = {
    torch.float16: torch.float32,
    torch.bfloat16: torch.float32,
    torch.float32: torch.float32,
    torch.float64: torch.float64,
}
formats = pytest.mark.parametrize(("given", "wanted"), FORMATS.items())


@formats
def test_similarity_keeps_its_values_in_a_format_fit_for_sums(given, wanted):
    similarity = torch.tensor([[0.5, -2.0, 3.0]], dtype=given)
    checked = check_similarity(similarity)
    assert checked.dtype == wanted
    assert checked.tolist() == [[0.5, -2.0, 3.0]]


def test_similarity_keeps_its_gradient():
    similarity = torch.randn(2, 3, dtype=torch.float16, requires_grad=True)
    check_similarity(similarity).sum().backward()
    assert torch.equal(similarity.grad, torch.ones(2, 3, dtype=torch.float16))


@pytest.mark.parametrize("shape", [(3,), (0, 3), (3, 0), (1, 2, 3), ()])
def test_similarity_of_another_shape_is_refused(shape):
    with pytest.raises(InputError, match=r"non-empty \(images, captions\) matrix, not \("):
        check_similarity(torch.zeros(shape))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool])
def test_similarity_of_whole_numbers_is_refused(dtype):
    with pytest.raises(InputError, match=f"similarity must be floating point, not {dtype}"):
        check_similarity(torch.ones(2, 2, dtype=dtype))


@pytest.mark.parametrize(("value", "name"), [(NAN, "nan"), (math.inf, "inf"), (-math.inf, "-inf")])
def test_the_first_score_that_is_not_finite_is_named(value, name):
    similarity = torch.zeros(3, 4)
    similarity[1, 2] = similarity[2, 0] = value
    with pytest.raises(InputError, match=f"similarity of image 1 and caption 2 is {name}: scores must be finite"):
        check_similarity(similarity)


def test_missing_relevance_is_refused_and_what_is_there_is_passed_on():
    relevance = torch.rand(2, 2)
    assert require_relevance(relevance) is relevance
    with pytest.raises(InputError, match=r"needs relevance: an \(images, captions\) matrix in \[0, 1\]"):
        require_relevance(None)
    with pytest.raises(InputError, match="needs relevance"):
        check_relevance(torch.zeros(2, 2), None)


@formats
def test_relevance_keeps_its_values_and_holes_and_loses_its_gradient(given, wanted):
    relevance = torch.tensor([[0.0, NAN, 1.0, 0.25]], dtype=given, requires_grad=True)
    checked = check_relevance(torch.zeros(1, 4), relevance)
    assert checked.dtype == wanted
    assert not checked.requires_grad
    torch.testing.assert_close(checked, torch.tensor([[0.0, NAN, 1.0, 0.25]], dtype=wanted), equal_nan=True)


def test_relevance_may_be_unknown_throughout():
    assert check_relevance(torch.zeros(2, 2), torch.full((2, 2), NAN)).isnan().all()


def test_relevance_may_leave_the_interval_by_a_rounding_error():
    edge = torch.tensor([[-0.9 * TOLERANCE, 1 + 0.9 * TOLERANCE]], dtype=torch.float64)
    assert torch.equal(check_relevance(torch.zeros(1, 2), edge), edge)


@pytest.mark.parametrize("value", [-2 * TOLERANCE, 1 + 2 * TOLERANCE, 5.0, math.inf, -math.inf])
@pytest.mark.parametrize("hole", [0.5, NAN])
def test_the_first_label_outside_is_named_also_beside_holes(value, hole):
    relevance = torch.full((2, 3), hole, dtype=torch.float64)
    relevance[1, 1] = relevance[1, 2] = value
    with pytest.raises(InputError, match=r"relevance of image 1 and caption 1 is .*: it must lie in \[0, 1\]"):
        check_relevance(torch.zeros(2, 3), relevance)
    with pytest.raises(InputError, match=rf"relevance of image 11 and caption 21 is {value:.6g}:"):
        check_relevance(torch.zeros(2, 3), relevance, first=(10, 20))


def test_relevance_of_another_shape_or_kind_is_refused():
    with pytest.raises(InputError, match=r"relevance is \(3, 2\), but similarity is \(2, 3\)"):
        check_relevance(torch.zeros(2, 3), torch.rand(3, 2))
    with pytest.raises(InputError, match=r"relevance must be floating point in \[0, 1\], not torch.int64"):
        check_relevance(torch.zeros(2, 2), torch.ones(2, 2, dtype=torch.int64))


def test_the_diagonal_is_positive_where_nothing_is_said():
    assert check_positives(torch.zeros(2, 2), None).tolist() == [[True, False], [False, True]]
    with pytest.raises(InputError, match=r"similarity is \(2, 3\): without positives the diagonal is meant"):
        check_positives(torch.zeros(2, 3), None)


def test_positives_are_passed_on():
    positives = torch.tensor([[False, True, True], [False, False, False]])
    assert torch.equal(check_positives(torch.zeros(2, 3), positives), positives)


def test_unusable_positives_are_refused():
    similarity = torch.zeros(2, 3)
    with pytest.raises(InputError, match=r"positives are \(3, 2\), but similarity is \(2, 3\)"):
        check_positives(similarity, torch.ones(3, 2, dtype=torch.bool))
    with pytest.raises(InputError, match=r"positives must be bool, not torch.float32"):
        check_positives(similarity, torch.ones(2, 3))
    with pytest.raises(InputError, match="no pair is positive: a binary loss has nothing to learn from"):
        check_positives(similarity, torch.zeros(2, 3, dtype=torch.bool))


def test_both_directions_see_rows_and_then_columns_of_every_matrix():
    seen = []

    def one(first, second):
        seen.append((first.tolist(), second.tolist()))
        return first[0].sum() - second[0].sum()

    first, second = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[0.0, 10.0], [20.0, 0.0]])
    value = both_directions(one, first, second)
    assert seen == [(first.tolist(), second.tolist()), ([[1, 3], [2, 4]], [[0, 20], [10, 0]])]
    assert value.item() == ((3 - 10) + (4 - 20)) / 2


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (np.ones((2, 2)), r"x must be a torch tensor, not ndarray: use torch.from_numpy"),
        ([[1.0]], "x must be a torch tensor, not list"),
        (torch.eye(2).to_sparse(), "x must be a dense tensor"),
        (torch.ones(2, 2, device="meta"), "x is on the device 'meta'"),
    ],
)
def test_what_is_no_plain_tensor_is_refused(value, says):
    with pytest.raises(InputError, match=says):
        require_tensor(value, "x")
