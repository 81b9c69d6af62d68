"""Sets compared block by block: the result does not tell how they were cut."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import bcls.models.set_similarity as room
from bcls.errors import InputError
from bcls.models.set_similarity import SetSimilarity


class Summed(SetSimilarity):
    """A weight times the product of both sums, and the number of members: notes what it compared."""

    def __init__(self, block: int = room.BLOCK) -> None:
        super().__init__(block=block)
        self.weight = torch.nn.Parameter(torch.tensor(2.0, dtype=torch.float64))
        self.compared: list[tuple[int, ...]] = []
        self.sides = {"images": 0, "captions": 0}

    def image_side(self, images):
        self.sides["images"] += 1
        return images, images.sum(dim=1)

    def caption_side(self, captions):
        self.sides["captions"] += 1
        return captions, captions.sum(dim=1)

    def numbers(self, regions, words):
        return regions * words

    def compare(self, images, captions):
        self.compared.append((len(images[0]), *captions[0].shape[:2]))
        return self.weight * images[1] @ captions[1].T


lengths = st.lists(st.integers(1, 4), min_size=1, max_size=6)


@given(regions=lengths, words=lengths, block=st.integers(1, 60), padding=st.integers(0, 2), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_values_and_gradients_are_those_of_all_pairs_at_once(make_sets, regions, words, block, padding, seed):
    images, captions = make_sets(regions, padding=padding, seed=seed)[0], make_sets(words, padding=1, seed=seed + 1)[0]
    weights = torch.arange(float(len(regions) * len(words)), dtype=torch.float64).view(len(regions), -1)
    results = []
    model = Summed(block)
    for compute in (model, lambda i, c: model.weight * i.sum(dim=1) @ c.sum(dim=1).T):
        leaves = images.clone().requires_grad_(), captions.clone().requires_grad_()
        model.weight.grad = None
        found = compute(*leaves)
        (found * weights).sum().backward()
        real = [(sets != 0).any(dim=2, keepdim=True) for sets in (images, captions)]  # padding gets no gradient
        gradients = [leaf.grad * mask for leaf, mask in zip(leaves, real, strict=True)]
        results.append((found.detach(), model.weight.grad, *gradients))
        if compute is model:
            assert all(torch.equal(leaf.grad, own) for leaf, own in zip(leaves, gradients, strict=True))
    for own, expected in zip(*results, strict=True):
        torch.testing.assert_close(own, expected)


@pytest.mark.parametrize("block", [1, 6, 12, 40, 1000])
def test_no_block_is_larger_than_wanted_and_a_caption_has_no_needless_padding(make_sets, block):
    images, captions = make_sets([3] * 5)[0], make_sets([1, 4, 2, 4, 1, 3], padding=2)[0]
    model = Summed(block)
    with torch.no_grad():
        model(images, captions)
    for images_at_once, captions_at_once, words in model.compared:
        assert images_at_once * captions_at_once * 3 * words <= max(block, 3 * words)
    assert max(words for *_, words in model.compared) == 4
    assert sum(i * c for i, c, _ in model.compared) == 30
    if block == 1:
        assert sorted(words for *_, words in model.compared) == sorted([1, 4, 2, 4, 1, 3] * 5)


def test_sides_are_made_once_whatever_the_other_side_is_cut_into(make_sets):
    model = Summed(12)
    with torch.no_grad():
        model(make_sets([3] * 5)[0], make_sets([2] * 4)[0])
    assert model.sides["images"] == 1
    assert model.sides["captions"] < len(model.compared)


def test_images_are_taken_no_more_than_some_at_a_time(make_sets, monkeypatch):
    monkeypatch.setattr(room, "MOST_IMAGES", 2)
    model = Summed()
    with torch.no_grad():
        model(make_sets([1] * 5)[0], make_sets([1])[0])
    assert [images for images, *_ in model.compared] == [2, 2, 1]


@pytest.mark.parametrize(("block", "times"), [(10**6, 1), (4, 2)])
def test_several_blocks_are_computed_again_for_their_gradient_and_one_is_kept(make_sets, block, times):
    model = Summed(block)
    found = model(make_sets([2, 2])[0], make_sets([2, 2])[0])
    before = len(model.compared)
    found.sum().backward()
    assert len(model.compared) == before * times


def test_columns_stay_where_their_captions_were(make_sets):
    captions = make_sets([1, 4, 2, 4, 1, 3])[0]
    model, images = Summed(9), make_sets([2, 3])[0]
    with torch.no_grad():
        whole = model(images, captions)
        for column in range(6):
            torch.testing.assert_close(model(images, captions[column : column + 1])[:, 0], whole[:, column])


def test_a_set_without_members_is_compared_like_any_other(make_sets):
    found = Summed()(torch.zeros(2, 3, 4, dtype=torch.float64), make_sets([2])[0] * 0)
    assert found.tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize(("images", "captions"), [(0, 3), (3, 0), (0, 0)])
def test_nothing_on_a_side_gives_an_empty_matrix_of_its_format(images, captions):
    found = Summed()(torch.ones(images, 2, 4, dtype=torch.float64), torch.ones(captions, 2, 4, dtype=torch.float64))
    assert (found.shape, found.dtype) == ((images, captions), torch.float64)


def test_single_vectors_are_refused():
    with pytest.raises(
        InputError, match=r"Summed compares sets \(..., members, dim\); images are torch.Size\(\[2, 4\]\)"
    ):
        Summed()(torch.ones(2, 4), torch.ones(2, 3, 4))
    with pytest.raises(InputError, match="captions are"):
        Summed()(torch.ones(2, 3, 4), torch.ones(2, 4))


@pytest.mark.parametrize("block", [0, -1, 2.5])
def test_an_unusable_block_is_refused(block):
    with pytest.raises(InputError, match=f"block is {block}"):
        Summed(block)
