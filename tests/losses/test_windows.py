"""SW-HS pair selection against loops over positions and windows."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.losses import select_pairs

FORMS = ("boundary", "window", "stride", "first")


def naive_pairs(similarity: list[float], relevance: list[float], form: str, window: int, gap: float):
    """Chosen (more, less) indices of one query, position by position, straight from the definition."""
    order = sorted((j for j in range(len(relevance)) if not math.isnan(relevance[j])), key=lambda j: -relevance[j])
    n = len(order)

    def least(positions):
        return min(positions, key=lambda p: similarity[order[p]])

    def most(positions):
        return max(positions, key=lambda p: similarity[order[p]])

    chosen = []
    if form == "window":
        w = min(window, n)
        for p in range(n - w + 1 if w >= 2 else 0):
            chosen.append((least(range(p, p + w // 2)), most(range(p + w - w // 2, p + w))))
    else:
        w = min(window, n - 1)
        for p in range(n):
            if form == "boundary" and w > 0 and p + w < n:
                chosen.append((least(range(p + 1)), most(range(p + w, n))))
            if form == "stride" and w > 0 and p + w < n:
                chosen.append((p, p + w))
            if form == "first":
                below = [
                    q
                    for q in range(p + 1, min(p + window, n - 1) + 1)
                    if relevance[order[p]] - relevance[order[q]] > gap
                ]
                if below:
                    chosen.append((p, most(below)))
    pairs = [(order[a], order[b]) for a, b in chosen]
    return [(a, b) for a, b in pairs if relevance[a] - relevance[b] > gap]


@pytest.mark.parametrize("form", FORMS)
@given(
    queries=st.integers(1, 3),
    candidates=st.integers(1, 12),
    window=st.integers(2, 14),
    gap=st.sampled_from([0.0, 0.1, 0.35]),
    seed=st.integers(0, 100_000),
    holes=st.sampled_from([0.0, 0.3, 1.0]),
)
@settings(max_examples=80, deadline=None)
def test_pairs_equal_the_definition(make_matrices, form, queries, candidates, window, gap, seed, holes):
    similarity, relevance, _ = make_matrices(queries, candidates, seed, holes=holes)
    chosen = select_pairs(similarity, relevance, pairs=form, window=window, gap=gap)
    for row in range(queries):
        here = chosen.counts[row]
        ours = list(zip(chosen.more[row][here].tolist(), chosen.less[row][here].tolist(), strict=True))
        assert ours == naive_pairs(similarity[row].tolist(), relevance[row].tolist(), form, window, gap)


@pytest.mark.parametrize("form", FORMS)
def test_a_window_wider_than_the_batch_is_narrowed(make_matrices, form):
    similarity, relevance, _ = make_matrices(3, 6, 5, holes=0, tied=False)
    wide = select_pairs(similarity, relevance, pairs=form, window=1000, gap=0.0)
    fit = select_pairs(similarity, relevance, pairs=form, window=6 if form == "window" else 5, gap=0.0)
    assert all(torch.equal(a, b) for a, b in zip(wide, fit, strict=True))
    assert wide.counts.any()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("share", [0.01, 0.5, 0.75])
@given(seed=st.integers(0, 100_000))
@settings(max_examples=30, deadline=None)
def test_a_share_is_that_share_of_each_querys_known_candidates(make_matrices, form, share, seed):
    similarity, relevance, _ = make_matrices(4, 9, seed, holes=0.3)
    chosen = select_pairs(similarity, relevance, pairs=form, window=share, gap=0.1)
    for row in range(4):
        known = int((~relevance[row].isnan()).sum())
        window = max(2 if form == "window" else 1, math.floor(share * known))
        here = chosen.counts[row]
        ours = list(zip(chosen.more[row][here].tolist(), chosen.less[row][here].tolist(), strict=True))
        assert ours == naive_pairs(similarity[row].tolist(), relevance[row].tolist(), form, window, 0.1)


@pytest.mark.parametrize("form", FORMS)
def test_no_array_with_a_window_axis(make_matrices, form):
    """The largest tensor made while selecting has no more elements than a few similarity matrices."""
    largest = 0

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            nonlocal largest
            result = function(*args, **(kwargs or {}))
            for part in result if isinstance(result, (tuple, list)) else [result]:
                if isinstance(part, torch.Tensor):
                    largest = max(largest, part.numel())
            return result

    similarity, relevance, _ = make_matrices(40, 200, 1, holes=0)
    with Watch():
        select_pairs(similarity, relevance, pairs=form, window=32, gap=0.1)
    assert largest <= 2 * similarity.numel()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"similarity": torch.tensor([[0.1, float("nan"), 0.9]])}, "similarity of image 0 and caption 1 is nan"),
        ({"relevance": torch.tensor([[1.0, 0.6, 2.0]])}, "relevance of image 0 and caption 2 is 2"),
        ({"relevance": torch.tensor([[1, 0, 0]], dtype=torch.uint8)}, "relevance must be floating point"),
        ({"pairs": "diagonal"}, "pairs is 'diagonal'"),
        ({"window": 0}, "window is 0"),
        ({"gap": 1.0}, "gap is 1.0"),
    ],
)
def test_pairs_of_what_cannot_be_ordered_are_refused(change, says):
    given = {
        "similarity": torch.tensor([[0.1, 0.5, 0.9]]),
        "relevance": torch.tensor([[1.0, 0.6, 0.2]]),
        "pairs": "stride",
        "window": 1,
        "gap": 0.1,
    }
    assert select_pairs(**given).counts.any()
    with pytest.raises(InputError, match=says):
        select_pairs(**given | change)
