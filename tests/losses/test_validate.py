"""Losses without checks of values: the same numbers, nothing read from the device, one whole graph."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from bcls import losses
from bcls.errors import InputError
from bcls.losses import BCLSLoss, KendallLoss, SemanticMarginLoss, TripletLoss
from bcls.losses.matrices import check_similarity

NAMES = [name for name in losses.__all__ if name.endswith("Loss") and name not in ("RetrievalLoss", "ChunkedLoss")]
LOSSES = {name: getattr(losses, name) for name in NAMES}
LOSSES |= {f"Triplet {form}": partial(TripletLoss, negatives=form) for form in ("hard", "semi-hard", "all")}
LOSSES |= {
    f"Kendall {form} {window}": partial(KendallLoss, pairs=form, window=window, margin=0.1)
    for form in ("boundary", "window", "stride", "first", "all")
    for window in (3, 0.5)
}
LOSSES["BCLSLoss"] = partial(BCLSLoss, engine="torch")
LOSSES["InfoNCE, learnt"] = partial(losses.InfoNCELoss, learnable_temperature=True)
LOSSES["SAM, hard"] = partial(SemanticMarginLoss, sampling="hard", negatives="soft")
LOSSES["CoSENT, batch"] = partial(losses.CoSENTLoss, within="batch")
every_loss = pytest.mark.parametrize("name", LOSSES)

READS = {"_local_scalar_dense", "nonzero", "is_nonzero", "item", "equal", "masked_select", "unique", "_unique2"}


class Reads(TorchDispatchMode):
    """Lists the operators whose result has to be read from the device before the program goes on."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        indices = args[1] if name.startswith("index") and len(args) > 1 and isinstance(args[1], (list, tuple)) else ()
        if name in READS or any(index is not None and index.dtype == torch.bool for index in indices):
            self.seen.append(name)
        return function(*args, **(kwargs or {}))


def step(loss, similarity, relevance, positives):
    leaf = similarity.clone().requires_grad_()
    value = loss(leaf, relevance, positives)
    value.backward()
    return value.detach(), leaf.grad


@every_loss
@pytest.mark.parametrize("diagonal", [True, False])
def test_a_step_reads_nothing_from_the_device(make_matrices, name, diagonal):
    similarity, relevance, positives = make_matrices(6, 6, 2)
    with Reads() as reads:
        step(LOSSES[name](validate=False), similarity, relevance, None if diagonal else positives)
    assert reads.seen == []


def test_the_checks_and_every_way_to_wait_are_counted():
    with Reads() as reads:
        step(BCLSLoss(engine="torch"), torch.rand(3, 3), torch.rand(3, 3), None)
    assert "nonzero" in reads.seen
    numbers, mask = torch.rand(3), torch.tensor([True, False, True])
    for wait in (lambda: numbers[mask], lambda: numbers.max().item(), lambda: bool(mask.any()), mask.nonzero):
        with Reads() as reads:
            wait()
        assert reads.seen


@every_loss
def test_a_step_needs_no_numbers(name):
    """Tensors with a shape and nothing in them: also `tolist`, which on the CPU is no operator, would fail."""
    with FakeTensorMode():
        _, gradient = step(LOSSES[name](validate=False), torch.rand(6, 6), torch.rand(6, 6), torch.rand(6, 6) < 0.2)
        assert gradient.shape == (6, 6)
        with pytest.raises(DataDependentOutputException):
            check_similarity(torch.rand(6, 6))


@every_loss
@pytest.mark.parametrize("diagonal", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_the_numbers_are_those_with_checks(make_matrices, name, diagonal, seed):
    similarity, relevance, positives = make_matrices(8, 8, seed)
    positives[3], positives[4] = True, False  # no negative, no positive
    labels = (relevance, None if diagonal else positives)
    found = step(LOSSES[name](validate=False), similarity, *labels)
    expected = step(LOSSES[name](), similarity, *labels)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=1e-10)


def test_the_gradient_of_a_learnt_temperature_is_that_with_checks(make_matrices):
    similarity, _, positives = make_matrices(8, 8, 0)
    gradients = []
    for validate in (True, False):
        loss = losses.InfoNCELoss(learnable_temperature=True, validate=validate)
        loss(similarity, positives=positives).backward()
        gradients.append(loss.log_temperature.grad.item())
    assert gradients[0] == pytest.approx(gradients[1], rel=1e-6)


@every_loss
def test_without_any_pair_the_value_and_its_gradient_are_zero_or_finite(name):
    similarity = torch.rand(4, 4, generator=torch.Generator().manual_seed(0))
    value, gradient = step(
        LOSSES[name](validate=False), similarity, torch.full((4, 4), math.nan), torch.zeros(4, 4, dtype=torch.bool)
    )
    if name == "SigmoidLoss":  # every pair is a negative
        assert value > 0
        return
    assert value == 0
    assert torch.equal(gradient, torch.zeros(4, 4))


def test_values_are_not_checked_but_shapes_and_formats_are():
    similarity, relevance = torch.tensor([[math.nan, 1.0], [0.0, 1.0]]), torch.full((2, 2), 5.0)
    assert BCLSLoss(validate=False)(similarity, relevance).isnan()
    with pytest.raises(InputError, match="finite"):
        BCLSLoss()(similarity, relevance)
    with pytest.raises(InputError, match=r"relevance is \(3, 2\)"):
        BCLSLoss(validate=False)(similarity, torch.rand(3, 2))
    with pytest.raises(InputError, match="positives must be bool"):
        BCLSLoss(validate=False)(similarity, relevance, torch.eye(2))


def compiled_equals_eager(loss, size=64, **options):
    random = torch.Generator().manual_seed(0)
    similarity, relevance = torch.rand(size, size, generator=random), torch.rand(size, size, generator=random)
    relevance[0, 1] = math.nan
    torch.compiler.reset()
    found = step(torch.compile(loss, **options), similarity, relevance, None)
    for ours, theirs in zip(found, step(loss, similarity, relevance, None), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


@pytest.mark.parametrize("engine", ["torch", "compiled"])
@pytest.mark.parametrize("pairs", ["boundary", "window", "stride", "first", "all"])
def test_bcls_is_one_graph(engine, pairs):
    loss = BCLSLoss(validate=False, engine=engine, pairs=pairs)
    compiled_equals_eager(loss, size=16, fullgraph=True, backend="aot_eager")


@pytest.mark.parametrize("name", [name for name in LOSSES if "Kendall" not in name and name != "BCLSLoss"])
def test_every_loss_is_one_graph(name):
    compiled_equals_eager(LOSSES[name](validate=False), size=8, fullgraph=True, backend="eager")


@pytest.mark.slow
def test_bcls_is_compiled_whole_by_the_engine_of_its_own():
    compiled_equals_eager(BCLSLoss(validate=False), fullgraph=True)


@pytest.mark.slow
def test_bcls_is_compiled_whole_from_torch():
    compiled_equals_eager(BCLSLoss(validate=False, engine="torch"), fullgraph=True)


@pytest.mark.parametrize("engine", ["auto", "torch", "compiled"])
def test_with_checks_compiling_breaks_the_graph_and_nothing_else(engine):
    compiled_equals_eager(BCLSLoss(engine=engine), backend="aot_eager")


def test_the_operator_keeps_the_rules_of_operators():
    from bcls.losses.compiled.kendall import _kendall_operator

    similarity, relevance = torch.rand(5, 6, requires_grad=True), torch.rand(5, 6)
    torch.library.opcheck(_kendall_operator, (similarity, relevance, 0.1, 0.05, "boundary", 0, 0.5))
