"""The sum of caption towers."""

from __future__ import annotations

import pytest
import torch

from bcls.errors import InputError
from bcls.models import BagOfWordsTower, BiGRUTower, PooledFeatureTower, SumCaptionTower


def two(dim: int = 6) -> list:
    return [BagOfWordsTower(dim=dim, minimum_count=1), BiGRUTower(dim=dim, word_dim=5, minimum_count=2)]


@pytest.fixture
def tower(captions) -> SumCaptionTower:
    tower = SumCaptionTower(towers=two())
    tower.fit(captions)
    return tower.eval()


def test_is_the_sum_of_its_towers(tower, captions):
    first, second = tower.towers
    expected = first(first.tokenize(captions)) + second(second.tokenize(captions))
    torch.testing.assert_close(tower(tower.tokenize(captions)), expected)
    assert tower.dim == 6


def test_fits_each_tower_by_its_own_settings(tower):
    bag, gru = tower.towers
    assert tower.fitted() == {"towers": [bag.fitted(), gru.fitted()]}
    assert len(bag.fitted()["vocabulary"]) > len(gru.fitted()["vocabulary"])


def test_is_not_fitted_before_each_tower_is(captions):
    towers = two()
    towers[0].fit(captions)
    assert SumCaptionTower(towers=towers).fitted() is None


def test_sums_may_be_summed(captions):
    tower = SumCaptionTower(towers=[SumCaptionTower(towers=two()), *two()])
    tower.fit(captions)
    assert tower(tower.tokenize(captions)).shape == (len(captions), 6)


def test_moving_captions_moves_those_of_each_tower(tower, captions):
    moved = tower.tokenize(captions).to("meta")
    assert [batch.words.device.type for batch in moved.batches] == ["meta", "meta"]
    assert len(moved) == len(captions)


@pytest.mark.parametrize(
    ("towers", "message"),
    [
        ([], r"agree on dim; they have \[\]"),
        ([*two(6), *two(4)], r"agree on dim; they have \[4, 6\]"),
        ([*two(6), PooledFeatureTower(dim=6)], "PooledFeatureTower is no caption tower"),
    ],
)
def test_towers_that_cannot_be_summed_are_refused(towers, message):
    with pytest.raises(InputError, match=message):
        SumCaptionTower(towers=towers)
