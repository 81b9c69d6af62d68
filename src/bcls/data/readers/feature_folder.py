"""Features that lie beside a data set."""

from __future__ import annotations

from pathlib import Path

from bcls.data.features import FeatureStore, array_files
from bcls.data.left_out import Tally
from bcls.errors import InputError
from bcls.files import natural_order

NOT_FEATURES = "entries of features/ that are no .npy arrays or folders of them"


def features_beside(folder: Path, tally: Tally | None = None) -> dict[str, FeatureStore]:
    """Every feature store in `folder/features`: a sub-folder of shards, or a single `.npy` file, by its name.

    Args:
        folder: of the data set.
        tally: counts what else lies in `folder/features`.

    Raises:
        InputError: features that cannot be opened, or a folder and a file of one name.
    """
    place, tally = folder / "features", tally or Tally()
    if not place.is_dir():
        return {}
    found: dict[str, FeatureStore] = {}
    arrays = set(array_files(place))
    for path in natural_order(place.iterdir()):
        shards = array_files(path) if path.is_dir() else []
        if path.name.startswith(".") or path.name == "ids.json" or path.name.endswith(".ids.json"):
            continue
        if not shards and path not in arrays:
            tally.add(NOT_FEATURES, path.name)
            continue
        name = path.name if path.is_dir() else path.stem
        if name in found:
            raise InputError(f"{place}: two features are named {name!r}, a folder and a file; rename one of them")
        found[name] = FeatureStore.open(path)
        if path.is_dir():
            _count_strays(path, tally)
    return found


def _count_strays(folder: Path, tally: Tally) -> None:
    """Count what lies among the shards of a store and is not read."""
    known = {"ids.json", "about.json", "broken.json"} | {file.name for file in array_files(folder)}
    for path in natural_order(folder.iterdir()):
        if path.name not in known and not path.name.startswith("."):
            tally.add("files among the shards of features that are not read", f"{folder.name}/{path.name}")
