"""Arrays from files: memory-mapped, checked, never pickled."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bcls.errors import InputError
from bcls.evaluation import read_embeddings, read_similarity


class _Bomb:
    """Says so when somebody unpickles it."""

    def __reduce__(self):
        return exec, ("import sys; sys.bomb = True",)


def _save(path, array):
    np.save(path, array)
    return path


def test_single_precision_stays_in_the_file(tmp_path):
    array = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    read = read_embeddings(_save(tmp_path / "a.npy", array))
    np.testing.assert_array_equal(read, array)
    base = read
    while isinstance(base.base, np.ndarray):
        base = base.base
    assert isinstance(base, np.memmap)


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.int32])
def test_other_numbers_are_converted(tmp_path, kind):
    array = np.arange(1, 7).reshape(2, 3).astype(kind)
    np.testing.assert_array_equal(read_similarity(_save(tmp_path / "a.npy", array)), array)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16])
def test_safetensors(tmp_path, kind):
    tensor = torch.arange(1, 7).reshape(2, 3).to(kind)
    save_file({"x": tensor, "y": 2 * tensor}, tmp_path / "two.safetensors")
    save_file({"x": tensor}, tmp_path / "one.safetensors")
    np.testing.assert_array_equal(read_embeddings(tmp_path / "one.safetensors"), tensor.float())
    np.testing.assert_array_equal(read_embeddings(f"{tmp_path}/two.safetensors:y"), 2 * tensor.float())
    with pytest.raises(InputError, match=r"holds 2 tensors \(x, y\): name one as .*two\.safetensors:NAME"):
        read_embeddings(tmp_path / "two.safetensors")
    with pytest.raises(InputError, match=r"no tensor 'z'; there are: x, y"):
        read_embeddings(f"{tmp_path}/two.safetensors:z")


def test_no_pickle_is_read(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([[_Bomb()]], dtype=object), allow_pickle=True)
    (tmp_path / "raw.npy").write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(InputError, match=r"objects\.npy: holds pickled Python objects"):
        read_embeddings(tmp_path / "objects.npy")
    with pytest.raises(InputError, match=r"raw\.npy: not a whole \.npy file"):
        read_embeddings(tmp_path / "raw.npy")
    assert not hasattr(sys, "bomb")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones(3), r"shape is \(3,\)"),
        (np.ones((0, 3)), r"shape is \(0, 3\)"),
        (np.ones((2, 2, 2)), r"shape is \(2, 2, 2\)"),
        (np.ones((2, 2), dtype=complex), "must be numbers"),
        (np.array([["a", "b"]]), "must be numbers"),
        (np.array([[1, 2], [3, np.nan]]), "row 1, column 1 is nan"),
        (np.array([[1, 2], [-np.inf, 4]]), "row 1, column 0 is -inf"),
        (np.array([[1, 2], [0, 0]]), "row 1 is zero"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, array, message):
    with pytest.raises(InputError, match=rf"a\.npy.*{message}"):
        read_embeddings(_save(tmp_path / "a.npy", array))


def test_a_bad_number_is_found_in_a_later_block(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[read_similarity.__module__], "BLOCK_NUMBERS", 4)
    array = np.zeros((9, 2))
    array[7, 1] = np.inf
    with pytest.raises(InputError, match="row 7, column 1 is inf"):
        read_similarity(_save(tmp_path / "a.npy", array))


def test_broken_files_are_named(tmp_path):
    whole = _save(tmp_path / "whole.npy", np.ones((9, 9))).read_bytes()
    for name, content in [("cut.npy", whole[:200]), ("empty.npy", b""), ("head.npy", whole[:20])]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=rf"{name}: not a whole"):
            read_embeddings(tmp_path / name)
    (tmp_path / "bad.safetensors").write_bytes(b"\xff" * 30)
    with pytest.raises(InputError, match="not a readable"):
        read_embeddings(tmp_path / "bad.safetensors")
    (tmp_path / "a.npz").write_bytes(b"")
    with pytest.raises(InputError, match=r"\.npy and \.safetensors files only"):
        read_embeddings(tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"gone\.npy: no such file"):
        read_embeddings(tmp_path / "gone.npy")


@pytest.mark.parametrize("damage", [b"[", b"9" * 5000, b"{" * 5000, b"\xff", b"'"])
@pytest.mark.parametrize("place", [10, 20, 40, 80])
def test_whatever_a_damaged_header_makes_numpy_raise_is_told_with_the_files_name(tmp_path, damage, place):
    np.save(tmp_path / "a.npy", np.zeros((4, 3), np.float32))
    whole = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(whole[:place] + damage + whole[place:])
    with pytest.raises(InputError, match=r"a\.npy: "):
        read_embeddings(tmp_path / "a.npy")
