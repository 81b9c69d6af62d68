"""Settings that make no sense are refused by name."""

from __future__ import annotations

import pytest

from bcls.errors import InputError
from bcls.training import OptimizationConfig


@pytest.mark.parametrize("name", ["epochs", "batch_size", "learning_rate"])
@pytest.mark.parametrize("value", [0, -1])
def test_numbers_that_must_be_positive(name, value):
    with pytest.raises(InputError, match=f"optimization.{name} is {value}"):
        OptimizationConfig(**{name: value})


@pytest.mark.parametrize("name", ["warmup", "kendall_warmup"])
@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_shares_are_shares(name, value):
    with pytest.raises(InputError, match=f"optimization.{name} is {value}"):
        OptimizationConfig(**{name: value})
