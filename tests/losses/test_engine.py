"""Which implementation is taken, and what is said where it cannot be."""

from __future__ import annotations

import pytest
import torch

import bcls.losses.engine as room
from bcls.errors import InputError, MissingExtraError
from bcls.losses import KendallLoss
from bcls.losses.engine import choose_engine


def test_auto_takes_the_compiled_one_where_it_pays():
    assert choose_engine(torch.zeros(63, 65)) == "torch"
    assert choose_engine(torch.zeros(64, 64)) == "compiled"
    assert choose_engine(torch.zeros(64, 64, device="meta")) == "torch"


@pytest.mark.parametrize("engine", ["torch", "compiled"])
def test_it_can_be_forced(engine):
    assert choose_engine(torch.zeros(2, 2), engine) == engine
    assert choose_engine(torch.zeros(640, 64), engine) == engine


def test_without_numba_there_is_torch(monkeypatch):
    monkeypatch.setattr(room, "find_numba", lambda: None)  # missing, or there and too old for this numpy
    assert choose_engine(torch.zeros(640, 64)) == "torch"
    with pytest.raises(MissingExtraError, match=r"bcls\[fast\]"):
        choose_engine(torch.zeros(640, 64), "compiled")


def test_another_device_is_refused():
    with pytest.raises(InputError, match="similarity is on meta"):
        choose_engine(torch.zeros(2, 2, device="meta"), "compiled")


class OnCuda:
    """What `choose_engine` asks of a matrix on a GPU; none is needed for the choice."""

    device = torch.device("cuda", 0)

    def numel(self):
        return 1 << 20


@pytest.mark.parametrize("pairs", ["all", "boundary", "window", "stride", "first"])
def test_auto_never_takes_triton(monkeypatch, pairs):
    monkeypatch.setattr(room, "_has_triton", lambda: True)
    assert choose_engine(OnCuda(), pairs=pairs) == "torch"


def test_triton_is_taken_by_name(monkeypatch):
    monkeypatch.setattr(room, "_has_triton", lambda: True)
    assert choose_engine(OnCuda(), "triton") == "triton"
    monkeypatch.setattr(room, "_has_triton", lambda: False)
    with pytest.raises(MissingExtraError, match=r"bcls\[triton\]"):
        choose_engine(OnCuda(), "triton")


def test_triton_is_for_all_pairs_on_cuda():
    for similarity, pairs in ((torch.zeros(2, 2), "all"), (OnCuda(), "first")):
        with pytest.raises(InputError, match="engine 'triton' counts all pairs on CUDA"):
            choose_engine(similarity, "triton", pairs=pairs)


def test_the_loss_keeps_its_engine():
    assert "engine='compiled'" in repr(KendallLoss(engine="compiled"))
