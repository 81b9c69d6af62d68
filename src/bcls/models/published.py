"""What other people's checkpoints hold, and what became of it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bcls.errors import InputError
from bcls.models.retrieval_model import RetrievalModel
from bcls.models.towers import Tower


@dataclass(frozen=True)
class ReadCheckpoint:
    """A model, and what became of each tensor of the file that it was read from.

    Attributes:
        model: in evaluation mode.
        matched: published name -> our name.
        unmatched: published name -> why it is not used.
        notes: what differs from the published model for other reasons.
    """

    model: RetrievalModel
    matched: dict[str, str]
    unmatched: dict[str, str]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"matched {len(self.matched)} tensors, left {len(self.unmatched)} out"]
        lines += [f"  {published} -> {ours}" for published, ours in self.matched.items()]
        lines += [f"  {published}: {why}" for published, why in self.unmatched.items()]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


class Reading:
    """Copies tensors into towers and keeps account."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.matched: dict[str, str] = {}
        self.unmatched: dict[str, str] = {}
        self.notes: list[str] = []

    def require(self, side: str, tensors: Mapping[str, Tensor], names: list[str]) -> None:
        """Raise `InputError` where a side of the published model lacks a tensor."""
        missing = [name for name in names if name not in tensors]
        if missing:
            raise InputError(f"{self.place}: the {side} encoder has no {', '.join(missing[:4])}")

    def shaped(self, side: str, tensors: Mapping[str, Tensor], name: str, *shape: int | None) -> Tensor:
        """A tensor of one side of the published model.

        Raises:
            InputError: there is none, or it is of another shape; None = any size.
        """
        self.require(side, tensors, [name])
        found = tensors[name]
        if len(found.shape) != len(shape) or any(
            size < 1 if wanted is None else size != wanted for size, wanted in zip(found.shape, shape, strict=True)
        ):
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise InputError(f"{self.place}: the {side} encoder's {name} is {tuple(found.shape)}, not ({wanted})")
        return found

    def fill(self, tower: Tower, side: str, found: Mapping[str, tuple[list[str], Tensor]], given: set[str]) -> None:
        """Fill all of a tower.

        Args:
            tower: whose tensors are replaced.
            side: `image_tower` or `caption_tower`.
            found: our name -> the published names that it is made of, and the tensor.
            given: our names that need no published tensor.
        """
        wanted = {name: tensor for name, tensor in tower.state_dict().items() if name not in given}
        missing = sorted(wanted.keys() - found.keys())
        if missing:
            raise InputError(
                f"{self.place}: holds nothing for {len(missing)} tensors of {side}: {', '.join(missing[:4])}"
            )
        for name, (published, tensor) in found.items():
            if tensor.shape != wanted[name].shape:
                raise InputError(
                    f"{self.place}: {' and '.join(published)} make {side}.{name} {tuple(tensor.shape)}, but it must be "
                    f"{tuple(wanted[name].shape)}"
                )
            if not tensor.is_floating_point():
                raise InputError(
                    f"{self.place}: {' and '.join(published)} holds {tensor.dtype}, no floating-point numbers"
                )
            self.matched |= {f"{side.split('_', maxsplit=1)[0]}: {one}": f"{side}.{name}" for one in published}
        with torch.no_grad():
            tower.load_state_dict({name: tensor for name, (_, tensor) in found.items()}, strict=False)

    def leave_out(self, side: str, names: Mapping[str, str]) -> None:
        """Note why tensors are not used."""
        self.unmatched |= {f"{side}: {name}": why for name, why in names.items()}


def two_sides(place: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The state dicts of the image and the caption encoder in a checkpoint of VSE++, SCAN, SGRAF or VSE-infinity.

    The file is a pickle by its format. It is read by torch's reader of tensors, which makes tensors, plain containers
    and the namespace of options, and refuses everything else: nothing in it is run.

    Raises:
        InputError: no such file, damaged, other objects in it, or no pair of state dicts.
    """
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(place, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{place}: no such file") from None
    except Exception as error:  # the reader stumbles over damage in nearly every way
        why = " ".join(str(error).split())[:160]
        raise InputError(f"{place}: damaged, or holds objects other than tensors, which are not read ({why})") from None
    sides = content.get("model") if isinstance(content, dict) else None
    if not isinstance(sides, (list, tuple)) or len(sides) != 2 or not all(map(_is_state, sides)):
        raise InputError(f"{place}: not such a checkpoint: no pair of state dicts under 'model'")
    images, captions = ({name.removeprefix("module."): tensor for name, tensor in side.items()} for side in sides)
    return images, captions


def _is_state(side: Any) -> bool:
    return isinstance(side, dict) and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in side.items())
