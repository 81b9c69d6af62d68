"""What every loss has from its base."""

from __future__ import annotations

import inspect

import pytest
import torch

import bcls.losses as room
from bcls.errors import InputError
from bcls.losses.base import RetrievalLoss

LOSSES = {
    name: one
    for name, one in vars(room).items()
    if inspect.isclass(one) and issubclass(one, RetrievalLoss) and one is not RetrievalLoss
}


class Fixed(RetrievalLoss):
    """Takes any terms."""

    uses_relevance = False

    def terms(self, similarity, relevance=None, positives=None):
        return {}


def test_a_loss_without_terms_cannot_be_made():
    with pytest.raises(TypeError, match=r"abstract method '?terms"):
        type("Unfinished", (RetrievalLoss,), {})()


def test_terms_are_summed():
    terms = {"a": torch.tensor(1.0), "b": torch.tensor(10.0), "c": torch.tensor(100.0)}
    assert Fixed().combine(terms).item() == 111.0
    assert [term.item() for term in terms.values()] == [1.0, 10.0, 100.0]  # left as they were


def test_a_single_term_is_the_loss():
    term = torch.tensor(2.5, requires_grad=True)
    assert Fixed().combine({"a": term}) is term


def test_the_gradient_reaches_every_term():
    terms = {name: torch.tensor(1.0, requires_grad=True) for name in "abc"}
    Fixed().combine(terms).backward()
    assert [term.grad.item() for term in terms.values()] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_says_whether_it_uses_relevance_and_names_its_terms_alike(name):
    assert type(LOSSES[name].uses_relevance) is bool
    parameters = inspect.signature(LOSSES[name].terms).parameters
    assert list(parameters) == ["self", "similarity", "relevance", "positives"]
    assert parameters["relevance"].default is None
    assert parameters["positives"].default is None


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_has_the_call_of_the_base(name):
    assert LOSSES[name].forward is RetrievalLoss.forward
    parameters = inspect.signature(LOSSES[name]).parameters.values()
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in parameters)


@pytest.mark.parametrize("name", LOSSES)
def test_forward_is_the_combination_of_the_terms(make_matrices, name):
    matrices = make_matrices(6, 7, 5)
    loss = LOSSES[name]()
    assert loss(*matrices) == loss.combine(loss.terms(*matrices))
    assert loss(matrices[0], positives=matrices[2], relevance=matrices[1]) == loss(*matrices)


@pytest.mark.parametrize("name", LOSSES)
def test_relevance_is_needed_or_ignored(make_matrices, name):
    similarity, relevance, positives = make_matrices(6, 7, 5)
    loss = LOSSES[name]()
    if loss.uses_relevance:
        with pytest.raises(InputError, match=r"^this loss needs relevance: an \(images, captions\) matrix"):
            loss(similarity, positives=positives)
    else:
        assert loss(similarity, relevance, positives) == loss(similarity, positives=positives)
        assert loss(similarity[:, :6], relevance[:, :6]) == loss(similarity[:, :6])


@pytest.mark.parametrize("name", [name for name, one in LOSSES.items() if not one.uses_relevance])
def test_positives_in_the_second_place_work_with_a_warning(make_matrices, name):
    similarity, _, positives = make_matrices(6, 7, 5)
    loss = LOSSES[name]()
    with pytest.warns(DeprecationWarning, match=rf"{name}\(similarity, positives\) is deprecated") as caught:
        found = loss(similarity, positives)
    assert found == loss(similarity, positives=positives)
    assert caught[0].filename == __file__
    with pytest.raises(InputError, match="positives must be bool"):
        loss(similarity, positives.long())


OTHER = {"gap": 0.25, "temperature": 0.0625, "kendall_margin": 0.375, "pairs": "stride", "window": 7, "engine": "torch"}
OTHER |= {"negatives": "all", "sampling": "hard", "within": "batch", "divisor": 3.5, "threshold": 0.125}
OTHER |= {"thresholds": (0.5, 0.25), "margins": (0.1, 0.2), "weights": (0.3, 0.4), "learnable_temperature": True}
WITHIN = {("BCLSLoss", "kendall_margin"): "margin"}  # the name that the loss within has for it


@pytest.mark.parametrize("name", LOSSES)
def test_the_text_of_a_loss_names_every_setting(name):
    defaults = {key: one.default for key, one in inspect.signature(LOSSES[name]).parameters.items()}
    others = {key: OTHER.get(key, not old if isinstance(old, bool) else 0.75) for key, old in defaults.items()}
    for key, value in others.items():
        assert value != defaults[key]
        given = others if name == "LadderLoss" else {key: value}
        assert f"{WITHIN.get((name, key), key)}={value!r}" in repr(LOSSES[name](**given))


def test_reading_a_learnt_temperature_changes_nothing():
    loss = room.InfoNCELoss(learnable_temperature=True)
    with torch.no_grad():
        loss.log_temperature.fill_(-20.0)
    assert loss.temperature.item() == pytest.approx(0.01)
    assert "temperature=0.01" in repr(loss)
    assert loss.log_temperature.item() == -20.0
    loss.terms(torch.rand(3, 3))
    assert loss.log_temperature.exp().item() == pytest.approx(0.01)
