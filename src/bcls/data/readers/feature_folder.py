"""Features that lie beside a data set."""

from __future__ import annotations

from pathlib import Path

from bcls.data.features import FeatureStore


def features_beside(folder: Path) -> dict[str, FeatureStore]:
    """Every feature store in `folder/features`: a sub-folder of shards, or a single `.npy` file, by its name."""
    place = folder / "features"
    if not place.is_dir():
        return {}
    folders = [path for path in sorted(place.iterdir()) if path.is_dir() and any(path.glob("[!.]*.npy"))]
    files = {path.stem: path for path in sorted(place.glob("[!.]*.npy"))}
    return {name: FeatureStore.open(path) for name, path in ({path.name: path for path in folders} | files).items()}
