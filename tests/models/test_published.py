"""Reading other people's checkpoints: what fills a tower, what is missing, what is left out."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import torch

from bcls.errors import InputError
from bcls.models import PooledFeatureTower
from bcls.models.published import ReadCheckpoint, Reading, two_sides

PLACE = Path("there.pth")


@pytest.fixture
def tower():
    fitted = PooledFeatureTower(dim=3)
    fitted.fit(torch.randn(5, 4, generator=torch.Generator().manual_seed(0)).numpy())
    return fitted


def found_for(tower, given=()):
    """A published tensor for each of the tower's own, of ones."""
    return {
        name: ([f"their.{name}"], torch.ones_like(tensor))
        for name, tensor in tower.state_dict().items()
        if name not in given
    }


def test_all_of_a_tower_is_filled_and_accounted_for(tower):
    reading = Reading(PLACE)
    found = found_for(tower)
    name = next(iter(found))
    found[name] = (["one", "other"], found[name][1])
    reading.fill(tower, "image_tower", found, set())
    assert all(torch.equal(tensor, torch.ones_like(tensor)) for tensor in tower.state_dict().values())
    assert reading.matched["image: one"] == reading.matched["image: other"] == f"image_tower.{name}"
    assert len(reading.matched) == len(found) + 1
    assert reading.unmatched == {}


def test_what_is_given_stays_as_it_is(tower):
    kept = next(iter(tower.state_dict()))
    before = tower.state_dict()[kept].clone()
    reading = Reading(PLACE)
    reading.fill(tower, "image_tower", found_for(tower, {kept}), {kept})
    assert torch.equal(tower.state_dict()[kept], before)
    assert f"image_tower.{kept}" not in reading.matched.values()


def test_a_tensor_that_nothing_fills_is_named_and_the_tower_left_alone(tower):
    missing = next(iter(tower.state_dict()))
    before = {name: tensor.clone() for name, tensor in tower.state_dict().items()}
    with pytest.raises(InputError, match=rf"^there.pth: holds nothing for 1 tensors of image_tower: {missing}$"):
        Reading(PLACE).fill(tower, "image_tower", found_for(tower, {missing}), set())
    assert all(torch.equal(tensor, before[name]) for name, tensor in tower.state_dict().items())


def test_a_tensor_of_another_shape_is_named_with_both(tower):
    found = found_for(tower)
    name = next(name for name, (_, tensor) in found.items() if tensor.ndim == 2)
    found[name] = (["a", "b"], torch.ones(7, 9))
    message = rf"a and b make image_tower.{name} \(7, 9\), but it must be \(\d+, \d+\)$"
    with pytest.raises(InputError, match=message):
        Reading(PLACE).fill(tower, "image_tower", found, set())


def test_missing_names_of_a_side_are_told_four_at_most():
    reading = Reading(PLACE)
    tensors = {"a": torch.ones(1)}
    reading.require("image", tensors, ["a"])
    with pytest.raises(InputError, match=r"^there.pth: the caption encoder has no b, c, d, e$"):
        reading.require("caption", tensors, ["a", "b", "c", "d", "e", "f"])


def test_what_became_of_each_tensor_is_told():
    reading = Reading(PLACE)
    reading.leave_out("caption", {"embed.unused": "not used", "extra": "of training alone"})
    assert reading.unmatched == {"caption: embed.unused": "not used", "caption: extra": "of training alone"}
    told = str(ReadCheckpoint(None, {"image: fc": "image_tower.layer"}, reading.unmatched, ("other tokens",)))
    assert told.splitlines() == [
        "matched 1 tensors, left 2 out",
        "  image: fc -> image_tower.layer",
        "  caption: embed.unused: not used",
        "  caption: extra: of training alone",
        "note: other tokens",
    ]


def test_both_sides_of_a_checkpoint_without_the_prefix_of_parallel_training(tmp_path):
    file = tmp_path / "model.pth"
    sides = [{"module.fc.weight": torch.ones(2)}, {"embed.module.weight": torch.zeros(3)}]
    torch.save({"model": sides, "opt": argparse.Namespace(data_name="f30k"), "epoch": 3}, file)
    images, captions = two_sides(file)
    assert {name: tensor.tolist() for name, tensor in images.items()} == {"fc.weight": [1, 1]}
    assert {name: tensor.tolist() for name, tensor in captions.items()} == {"embed.module.weight": [0, 0, 0]}


@pytest.mark.parametrize("model", [[{}, {}, {}], [{1: torch.ones(1)}, {}], [{"a": [1.0]}, {}], "model", None])
def test_what_is_no_pair_of_state_dicts_is_refused(tmp_path, model):
    torch.save({"model": model}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="not such a checkpoint: no pair of state dicts under 'model'"):
        two_sides(tmp_path / "other.pth")


def test_a_folder_is_no_checkpoint(tmp_path):
    with pytest.raises(InputError, match="damaged, or holds objects other than tensors"):
        two_sides(tmp_path)
