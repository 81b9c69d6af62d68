"""Standardised features against NumPy, and features that are no use."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bcls.errors import InputError
from bcls.models import PooledFeatureTower, RegionFeatureTower
from bcls.models.pooled_features import Standardize


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(50, 4), (10, 5, 4)])
def test_standardised_features_have_mean_0_and_deviation_1(dtype, shape):
    features = np.random.default_rng(0).normal([0, 100, -3, 1e-2], [1, 20, 0.1, 1e-2], shape).astype(dtype)
    standardize = Standardize(4)
    standardize.fit(features)
    values = standardize(torch.from_numpy(features)).reshape(-1, 4)
    torch.testing.assert_close(values.mean(dim=0), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(values.std(dim=0, correction=0), torch.ones(4), atol=1e-4, rtol=0)


def test_statistics_of_half_precision_features_do_not_overflow():
    features = np.full((100, 1), 60_000, dtype=np.float16)
    features[::2] = 30_000
    standardize = Standardize(1)
    standardize.fit(features)
    assert standardize.mean.item() == pytest.approx(45_000, rel=1e-3)
    assert standardize.deviation.item() == pytest.approx(15_000, rel=1e-3)


def test_a_feature_that_never_changed_in_training_does_not_drown_the_others():
    features = np.random.default_rng(0).normal(size=(50, 3))
    features[:, 1] = 0.0
    standardize = Standardize(3)
    standardize.fit(features)
    values = standardize(torch.tensor([[0.0, 0.5, 0.0]]))
    assert values[0, 1] == 0.5


def test_equals_a_linear_map_of_the_standardised_features():
    features = np.random.default_rng(0).normal(5, 3, (20, 4))
    tower = PooledFeatureTower(dim=3).eval()
    tower.fit(features)
    tower.eval()
    linear = next(module for module in tower.modules() if isinstance(module, torch.nn.Linear))
    weight, bias = (parameter.detach().double().numpy() for parameter in (linear.weight, linear.bias))
    expected = (features - features.mean(axis=0)) / features.std(axis=0) @ weight.T + bias
    np.testing.assert_allclose(tower(torch.from_numpy(features)).detach(), expected, atol=1e-5)


def test_statistics_are_saved_but_not_learnt():
    tower = PooledFeatureTower(dim=3)
    tower.fit(np.random.default_rng(0).normal(size=(20, 4)))
    assert {"standardize.mean", "standardize.deviation"} <= set(tower.state_dict())
    assert not any("standardize" in name for name, _ in tower.named_parameters())


@pytest.mark.parametrize(
    ("tower", "shape", "message"),
    [
        (PooledFeatureTower(dim=3), (2, 3, 4), r"features of shape \(images, dim\), not an array of shape \(2, 3, 4\)"),
        (RegionFeatureTower(dim=3), (2, 4), r"\(images, regions, dim\), not an array of shape \(2, 4\)"),
    ],
)
def test_features_of_another_kind_are_refused(tower, shape, message):
    with pytest.raises(InputError, match=message):
        tower.fit(np.zeros(shape))


def test_masked_and_missing_features_are_refused():
    sample = np.random.default_rng(0).normal(size=(5, 3))
    tower = PooledFeatureTower(dim=2)
    with pytest.raises(InputError, match="features of image 2 are masked"):
        tower.fit(np.ma.array(sample, mask=np.arange(15).reshape(5, 3) == 7))
    sample[3, 1] = np.nan
    with pytest.raises(InputError, match="features of image 3 of the sample are not finite"):
        tower.fit(sample)
