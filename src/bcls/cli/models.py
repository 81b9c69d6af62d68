"""Finding the model and the data that a command names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bcls.cli.run_defaults import RunDefaults, read_run
from bcls.errors import InputError


@dataclass(frozen=True)
class FoundModel:
    """A model to judge.

    Attributes:
        model: its folder, or a hub id.
        data: path of the data set to judge it on.
        features: what its image tower takes; None = pictures.
        is_run: whether a run's folder was named.
        run: what the run's config says.
    """

    model: str | Path
    data: str
    features: str | None
    is_run: bool
    run: RunDefaults = field(default_factory=RunDefaults, compare=False)


def model_place(named: str) -> str | Path:
    """The model of a run's folder; anything else is a model's folder or a hub id itself."""
    inside = Path(named) / "model"
    return inside if inside.is_dir() else named


def find_model(named: str, data: str | None = None, features: str | None = None) -> FoundModel:
    """The model of a run's folder, a model's folder or a hub id, and its data.

    Args:
        named: what the person wrote.
        data: the data set to use in place of the run's.
        features: the features to use in place of the run's.

    Raises:
        InputError: no data is known, or the run's config cannot be read.
    """
    folder = Path(named)
    run = read_run(folder)
    path = data or run.data
    if path is None:
        raise InputError(f"{folder} is not a run, so that its data is not known: name it with --data")
    model = model_place(named)
    return FoundModel(model, path, features or run.features, is_run=model != named, run=run)


def distinct_names(paths: Sequence[str]) -> list[str]:
    """Short names of models: the parts of their paths in which they differ.

    Raises:
        InputError: a path stands there twice.

    Example:
        >>> distinct_names(["runs/triplet/seed-0", "runs/bcls/seed-0"])
        ['triplet', 'bcls']
        >>> distinct_names(["runs/bcls", "runs/bcls/long"])
        ['bcls', 'bcls/long']
        >>> distinct_names(["/runs/x", "runs/y"])
        ['/runs/x', 'runs/y']
    """
    parts = [Path(path).parts for path in paths]
    for place, one in enumerate(parts):
        if one in parts[:place]:
            raise InputError(f"{paths[place]} stands there twice: name each model once")
    shortest = min(map(len, parts))
    start = next((place for place in range(shortest) if len({one[place] for one in parts}) > 1), shortest - 1)
    room = shortest - start - 1
    end = next((place for place in range(room) if len({one[-1 - place] for one in parts}) > 1), room)
    return [str(Path(*one[start : len(one) - end])) for one in parts]
