"""Region features against pooling by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bcls.models import RegionFeatureTower

POOLINGS = ("mean", "max", "gpo")
FEATURES = np.random.default_rng(0).normal(3, 2, (8, 5, 4)).astype(np.float32)


def make(pooling: str, **settings) -> RegionFeatureTower:
    torch.manual_seed(0)
    tower = RegionFeatureTower(dim=6, pooling=pooling, **settings)
    tower.fit(FEATURES)
    return tower.eval()


def projected(tower: RegionFeatureTower) -> torch.Tensor:
    deviation = FEATURES.reshape(-1, 4).std(axis=0)
    standard = (FEATURES - FEATURES.reshape(-1, 4).mean(axis=0)) / deviation
    return tower.projection(torch.from_numpy(standard))


@pytest.mark.parametrize("hidden", [None, 7])
def test_pools_the_projected_regions(hidden):
    images = torch.from_numpy(FEATURES)
    mean, largest, general = (make(pooling, hidden=hidden) for pooling in POOLINGS)
    torch.testing.assert_close(mean(images), projected(mean).mean(dim=1), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(largest(images), projected(largest).amax(dim=1), atol=1e-5, rtol=1e-4)
    weights = general.pool.weights(torch.tensor([5]), 5)[0]
    ranked = projected(general).sort(dim=1, descending=True).values
    torch.testing.assert_close(general(images), torch.einsum("r,ird->id", weights, ranked), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_order_of_regions_does_not_matter(pooling):
    tower, images = make(pooling), torch.from_numpy(FEATURES)
    torch.testing.assert_close(tower(images[:, [3, 1, 4, 0, 2]]), tower(images), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_images_may_have_more_or_fewer_regions_than_in_training(pooling):
    tower, images = make(pooling), torch.from_numpy(FEATURES)
    assert tower(images[:, :2]).shape == (8, 6)
    assert tower(torch.cat([images, images], dim=1)).shape == (8, 6)


def test_poolings_agree_on_one_region():
    images = torch.from_numpy(FEATURES[:, :1])
    mean, *others = (make(pooling) for pooling in POOLINGS)
    for other in others:
        other.projection.load_state_dict(mean.projection.state_dict())
        torch.testing.assert_close(other(images), mean(images))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_regions_are_left_out_in_training_alone(pooling):
    tower, images = make(pooling, dropout=0.0, dropped_regions=0.4), torch.from_numpy(FEATURES)
    assert torch.equal(tower(images), make(pooling)(images))
    whole = tower.members(images)
    tower.train()
    torch.manual_seed(3)
    pooled = tower(images)
    torch.manual_seed(3)
    members = tower.members(images)
    counts = (members != 0).any(dim=2).sum(dim=1)
    assert counts.min() >= 1
    assert counts.min() < counts.max() == members.shape[1]
    for row, count in enumerate(counts.tolist()):
        kept = members[row, :count]
        places = [int((whole[row] - one).abs().sum(dim=1).argmin()) for one in kept]
        assert places == sorted(set(places))
        torch.testing.assert_close(kept, whole[row, places])
        torch.testing.assert_close(pooled[row], tower.pool(kept[None], torch.tensor([count]))[0])


def test_every_image_keeps_a_region():
    torch.manual_seed(0)
    tower = make("mean", dropout=0.0, dropped_regions=0.99).train()
    assert ((tower.members(torch.from_numpy(FEATURES)) != 0).any(dim=2).sum(dim=1) >= 1).all()
