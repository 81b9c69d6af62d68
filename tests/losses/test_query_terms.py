"""The terms of a block of queries against those of all of them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import bcls.losses.engine as engine_room
from bcls.errors import InputError, MissingExtraError
from bcls.losses import KendallLoss
from bcls.losses.query_terms import kendall_blocks, triplet_blocks

FORMS = ("boundary", "window", "stride", "first")


def all_pairs(similarity, relevance, gap, margin):
    """Sum, number and gradient of the hinges of all ordered pairs, by loops."""
    total, terms, gradient = 0.0, 0, torch.zeros_like(similarity)
    for q, (s, r) in enumerate(zip(similarity.tolist(), relevance.tolist(), strict=True)):
        for a in range(len(s)):
            for b in range(len(s)):
                if r[a] - r[b] > gap:
                    terms += 1
                    hinge = margin + s[b] - s[a]
                    total += max(0.0, hinge)
                    if hinge > 0:
                        gradient[q, b] += 1
                        gradient[q, a] -= 1
    return total, terms, gradient


@given(seed=st.integers(0, 10_000), margin=st.sampled_from([0.0, 0.3]))
@settings(max_examples=20, deadline=None)
def test_all_pairs_of_a_block_equal_the_formula(make_matrices, seed, margin):
    pytest.importorskip("numba")
    similarity, relevance, _ = make_matrices(5, 7, seed)
    one_block = kendall_blocks(lambda part: relevance[part], KendallLoss(pairs="all", gap=0.2, margin=margin))
    part = slice(1, 4)
    found = one_block(similarity[part], part, True)
    total, terms, gradient = all_pairs(similarity[part], relevance[part], 0.2, margin)
    assert found.total.item() == pytest.approx(total, abs=1e-12)
    assert found.terms.item() == terms
    assert torch.equal(found.gradient, gradient)


@pytest.mark.parametrize("form", FORMS)
@given(seed=st.integers(0, 10_000), margin=st.sampled_from([0.0, 0.3]))
@settings(max_examples=10, deadline=None)
def test_both_engines_find_the_same_terms(make_matrices, form, seed, margin):
    pytest.importorskip("numba")
    similarity, relevance, _ = make_matrices(4, 9, seed)
    results = []
    for engine in ("torch", "compiled"):
        loss = KendallLoss(pairs=form, window=3, gap=0.1, margin=margin, engine=engine)
        results.append(kendall_blocks(lambda part: relevance[part], loss)(similarity, slice(0, 4), True))
    torch.testing.assert_close(results[0].total, results[1].total, atol=1e-12, rtol=0)
    assert results[0].terms == results[1].terms
    assert torch.equal(results[0].gradient, results[1].gradient)


def test_adjacent_candidates_in_order_of_relevance_are_compared_by_hand():
    similarity = torch.tensor([[0.1, 0.5, 0.3, 0.9]])
    relevance = torch.tensor([[1.0, 0.6, 0.2, 0.15]])  # the last two differ by less than the gap
    loss = KendallLoss(pairs="stride", window=1, gap=0.1, engine="torch")
    found = kendall_blocks(lambda part: relevance[part], loss)(similarity, slice(0, 1), True)
    assert found.total.item() == pytest.approx(0.4)  # 0.5 - 0.1 pays, 0.3 - 0.5 does not
    assert found.terms.item() == 2
    assert found.gradient.tolist() == [[-1.0, 1.0, 0.0, 0.0]]


def test_torch_makes_no_gradient_that_is_not_wanted(make_matrices):
    similarity, relevance, _ = make_matrices(3, 6, 0)
    one_block = kendall_blocks(lambda part: relevance[part], KendallLoss(engine="torch"))
    without, with_gradient = (one_block(similarity, slice(0, 3), wanted) for wanted in (False, True))
    assert without.gradient is None
    assert (without.total, without.terms) == (with_gradient.total, with_gradient.terms)


def test_relevance_is_asked_for_the_slice_of_the_block(make_matrices):
    similarity, relevance, _ = make_matrices(6, 6, 1)
    asked = []
    one_block = kendall_blocks(lambda part: asked.append(part) or relevance[part], KendallLoss(engine="torch"))
    one_block(similarity[2:5], slice(2, 5), False)
    assert asked == [slice(2, 5)]


def test_all_pairs_by_torch_are_refused():
    for engine in ("torch", "triton"):
        with pytest.raises(InputError, match=f"all pairs are counted by engine 'compiled' alone, not '{engine}'"):
            kendall_blocks(lambda part: None, KendallLoss(pairs="all", engine=engine))


def test_all_pairs_without_numba_tell_the_extra(monkeypatch):
    monkeypatch.setattr(engine_room, "find_numba", lambda: None)
    one_block = kendall_blocks(lambda part: torch.rand(2, 3), KendallLoss(pairs="all"))
    with pytest.raises(MissingExtraError, match=r"bcls\[fast\]"):
        one_block(torch.rand(2, 3), slice(0, 2), True)


def weighed(similarity, positives):
    """A term a positive pair: the square of its score times the sum of its query's."""
    rows, columns = positives.nonzero(as_tuple=True)
    return similarity[rows, columns].square() * similarity.sum(dim=1)[rows]


@given(seed=st.integers(0, 10_000), start=st.integers(0, 5), length=st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_positive_pairs_of_a_block_give_their_terms_and_gradient(make_matrices, seed, start, length):
    similarity, _, positives = make_matrices(6, 5, seed)
    order = torch.randperm(int(positives.sum()), generator=torch.Generator().manual_seed(seed))
    queries, candidates = (part[order] for part in positives.nonzero(as_tuple=True))
    part = slice(start, min(6, start + length))
    found = triplet_blocks(weighed, queries, candidates)(similarity[part].clone(), part, True)
    leaf = similarity[part].clone().requires_grad_()
    expected = weighed(leaf, positives[part]).sum()
    assert found.terms.item() == int(positives[part].sum())
    assert not found.total.requires_grad
    torch.testing.assert_close(found.total, expected.detach())
    if found.terms == 0:
        assert found.gradient is None
    else:
        torch.testing.assert_close(found.gradient, torch.autograd.grad(expected, leaf)[0])


def test_a_block_without_positive_pairs_is_not_asked_for_terms():
    def never(similarity, positives):
        raise AssertionError

    one_block = triplet_blocks(never, torch.tensor([0, 3]), torch.tensor([1, 1]))
    found = one_block(torch.rand(2, 2), slice(1, 3), True)
    assert (found.total.item(), found.terms.item(), found.gradient) == (0.0, 0, None)


def test_triplets_make_no_gradient_that_is_not_wanted_even_within_autograd():
    one_block = triplet_blocks(weighed, torch.tensor([0]), torch.tensor([1]))
    similarity = torch.tensor([[2.0, 3.0]])
    with torch.enable_grad():
        found = one_block(similarity, slice(0, 1), False)
    assert found.gradient is None
    assert found.total.item() == 45.0
    with torch.no_grad():  # as the forward pass of a function is run
        found = one_block(similarity, slice(0, 1), True)
    assert found.gradient.tolist() == [[9.0, 39.0]]
