"""Recurrent layers without packing, against torch's packed ones."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bcls.models.exported.unpacked import EqualPooling, UnpackedGRU, UnpackedPooling, with_poolings
from bcls.models.gpo import GeneralizedPooling, MaxPooling

LENGTHS = torch.tensor([5, 1, 3, 5])


def packed_states(gru, vectors, lengths):
    packed = nn.utils.rnn.pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
    forward, backward = nn.utils.rnn.pad_packed_sequence(gru(packed)[0], batch_first=True)[0].chunk(2, dim=2)
    return (forward + backward) / 2


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_states_at_real_members_are_those_of_a_packed_gru(layers, bias):
    torch.manual_seed(layers)
    gru = nn.GRU(3, 4, layers, bias=bias, batch_first=True, bidirectional=True).double()
    vectors = torch.randn(4, 5, 3, dtype=torch.double)
    real = torch.arange(5) < LENGTHS[:, None]
    found = UnpackedGRU(gru).double()(vectors, LENGTHS)
    torch.testing.assert_close(found[real], packed_states(gru, vectors, LENGTHS)[real])


def test_padding_changes_nothing():
    unpacked = UnpackedGRU(nn.GRU(3, 4, batch_first=True, bidirectional=True))
    vectors = torch.randn(4, 5, 3)
    real = torch.arange(5) < LENGTHS[:, None]
    other = torch.where(real[..., None], vectors, 77.0)
    torch.testing.assert_close(unpacked(other, LENGTHS)[real], unpacked(vectors, LENGTHS)[real])


def test_pooling_is_that_of_the_packed_one():
    torch.manual_seed(0)
    pooling = GeneralizedPooling(encoding_dim=8, hidden_dim=6)
    vectors = torch.randn(4, 5, 7)
    torch.testing.assert_close(UnpackedPooling(pooling)(vectors, LENGTHS), pooling(vectors, LENGTHS))


@pytest.mark.parametrize("members", [1, 5, 9])
def test_pooling_of_one_size_is_that_of_any(members):
    torch.manual_seed(0)
    pooling = GeneralizedPooling(encoding_dim=8, hidden_dim=6)
    vectors, lengths = torch.randn(4, members, 7), torch.full((4,), members)
    torch.testing.assert_close(EqualPooling(pooling)(vectors, lengths), pooling(vectors, lengths))


def test_a_copy_alone_is_changed():
    module = nn.ModuleDict({"pool": GeneralizedPooling(), "deep": nn.Sequential(GeneralizedPooling(), MaxPooling())})
    copy = with_poolings(module, UnpackedPooling)
    assert isinstance(copy["pool"], UnpackedPooling)
    assert [type(part) for part in copy["deep"]] == [UnpackedPooling, MaxPooling]
    assert isinstance(module["pool"], GeneralizedPooling)
    assert isinstance(module["deep"][0], GeneralizedPooling)
