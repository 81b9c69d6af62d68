"""InfoNCE against PyTorch's cross entropy and a loop."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from bcls.errors import InputError
from bcls.losses import InfoNCELoss, infonce_loss


def test_equals_cross_entropy_on_the_diagonal(make_matrices):
    similarity, _, _ = make_matrices(7, 7, 1)
    target = torch.arange(7)
    expected = (F.cross_entropy(similarity / 0.1, target) + F.cross_entropy(similarity.T / 0.1, target)) / 2
    assert InfoNCELoss(temperature=0.1)(similarity).item() == pytest.approx(expected.item(), abs=1e-12)


def test_other_positives_are_left_out_of_the_sum(make_matrices):
    similarity, _, positives = make_matrices(5, 6, 2)

    def direction(s, p):
        terms = []
        for i in range(len(s)):
            negatives = sum(math.exp(s[i, n] / 0.2) for n in range(s.shape[1]) if not p[i, n])
            for j in range(s.shape[1]):
                if p[i, j]:
                    own = math.exp(s[i, j] / 0.2)
                    terms.append(-math.log(own / (own + negatives)))
        return sum(terms) / len(terms)

    expected = (direction(similarity, positives) + direction(similarity.T, positives.T)) / 2
    assert InfoNCELoss(temperature=0.2)(similarity, positives=positives).item() == pytest.approx(expected, abs=1e-12)


def test_a_learnable_temperature_learns_and_stays_in_range():
    loss = InfoNCELoss(temperature=0.05, learnable_temperature=True)
    loss(torch.randn(4, 4)).backward()
    assert loss.log_temperature.grad.abs() > 0
    with torch.no_grad():
        loss.log_temperature.fill_(-20.0)
    assert loss.temperature.item() == pytest.approx(0.01)


@pytest.mark.parametrize("bound", [0.01, 1.0])
def test_a_temperature_at_its_bound_comes_back(bound):
    loss = InfoNCELoss(temperature=bound, learnable_temperature=True)
    with torch.no_grad():
        loss.log_temperature.add_(1.0 if bound == 1.0 else -1.0)
    loss(torch.randn(4, 4, generator=torch.Generator().manual_seed(0))).backward()
    assert loss.log_temperature.grad.abs() > 0


def test_a_fixed_temperature_has_no_parameter():
    assert list(InfoNCELoss().parameters()) == []


@pytest.mark.parametrize("settings", [{"temperature": 0}, {"temperature": 2.0, "learnable_temperature": True}])
def test_unusable_settings_are_refused(settings):
    with pytest.raises(InputError, match="temperature"):
        InfoNCELoss(**settings)


def test_terms():
    similarity = torch.randn(3, 3)
    assert InfoNCELoss().terms(similarity)["infonce"] == InfoNCELoss()(similarity)


def test_a_learnt_temperature_is_exact_under_autocast():
    similarity = torch.randn(8, 8, generator=torch.Generator().manual_seed(0))
    plain, mixed = InfoNCELoss(learnable_temperature=True), InfoNCELoss(learnable_temperature=True)
    plain(similarity).backward()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = mixed(similarity)
    value.backward()
    assert mixed.log_temperature.grad.item() == pytest.approx(plain.log_temperature.grad.item(), rel=1e-6)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf"), [0.1, 0.2]])
def test_a_learnt_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(InputError, match="temperature"):
        infonce_loss(torch.eye(2), temperature=torch.tensor(temperature))


def test_two_batches_may_be_computed_before_the_backward_pass():
    loss = InfoNCELoss(learnable_temperature=True)
    (loss(torch.eye(3)) + loss(torch.ones(3, 3))).backward()
    assert loss.log_temperature.grad != 0
