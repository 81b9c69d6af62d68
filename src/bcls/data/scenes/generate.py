"""Makes a data set of scenes: pictures, captions, and what is true of them."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bcls.data.dataset import RetrievalDataset
from bcls.data.readers.folder import read_folder, write_dataset
from bcls.data.readers.lines import json_line, lines_of
from bcls.data.records import Caption, ImageRecord
from bcls.data.scenes.draw import draw_scene
from bcls.data.scenes.phrases import describe
from bcls.data.scenes.scene import BACKGROUNDS, COLOURS, MOST, SHAPES, SIZES, Claims, Group, Scene
from bcls.data.scenes.truth import SceneRelevance
from bcls.data.split_names import chosen_splits
from bcls.errors import InputError
from bcls.files import read_json, write_json
from bcls.progress import progress

TRUTH = "scenes.jsonl"
DEFAULT_SPLITS = {"train": 1200, "val": 300}


def make_scenes(
    folder: str | Path,
    *,
    splits: dict[str, int] | None = None,
    captions_per_image: int = 5,
    size: int = 64,
    seed: int = 0,
) -> RetrievalDataset:
    """Write a dataset folder of made pictures whose true relevance is known.

    A third of the pictures are variations of another one with one attribute changed, so that near misses abound.
    The same arguments give the same bytes.

    Args:
        folder: where to; must not exist, or be empty.
        splits: how many pictures each split has; None = 1,200 for `train` and 300 for `val`.
        captions_per_image: captions of each picture.
        size: side of a picture, in pixels.
        seed: of all randomness.

    Returns:
        The data set, as `read_dataset(folder)` gives it. `open_scene_relevance` gives its truth.

    Raises:
        InputError: the folder holds something, or a number is out of range.
    """
    folder = Path(folder)
    splits = DEFAULT_SPLITS if splits is None else splits
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: exists already; choose another folder")
    if not splits or min([captions_per_image, *splits.values()]) < 1 or size < 16:
        raise InputError("scenes: every split needs a picture, every picture a caption and at least 16 pixels")
    if seed < 0:
        raise InputError(f"scenes: the seed is {seed}; it must not be negative")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        fresh = Path(temporary) / "fresh"
        _write(fresh, splits, captions_per_image, size, seed)
        if folder.exists():
            folder.rmdir()
        shutil.move(fresh, folder)
    return read_folder(folder)


def open_scene_relevance(folder: str | Path, split: str) -> SceneRelevance:
    """The true relevance of one split's pictures and captions, or of several joined by `+`, in the data set's order.

    Raises:
        InputError: the folder is not one of `make_scenes`, its truth is damaged, or it has no such split.
    """
    file = Path(folder) / TRUTH
    if not file.is_file():
        raise InputError(f"{file}: no such file: not a folder of made scenes, so that its true relevance is not known")
    rows = [json_line(line, f"{file}: line {number}") for number, line in enumerate(lines_of(file), start=1)]
    known = {name for row in rows if isinstance(name := row.get("split"), str)}
    wanted = chosen_splits(split, known, str(file))
    scenes, claims = [], []
    for number, row in enumerate(rows, start=1):
        try:
            if row["split"] in wanted:
                scenes.append(Scene.from_json(row["scene"]))
                claims += [Claims.from_json(claim) for claim in row["claims"]]
        except (KeyError, TypeError) as error:
            raise InputError(f"{file}: line {number}: not a scene and its claims ({error})") from None
    return SceneRelevance(scenes, claims)


def _write(folder: Path, splits: dict[str, int], captions_per_image: int, size: int, seed: int) -> None:
    (folder / "images").mkdir(parents=True)
    random = np.random.default_rng(seed)
    order = [split for split, count in splits.items() for _ in range(count)]
    records: list[ImageRecord] = []
    truths: list[dict[str, Any]] = []
    scenes: list[Scene] = []
    for number in progress(range(len(order)), "drawing scenes", unit=" pictures"):
        scene = _variation(scenes, random) if scenes and random.random() < 1 / 3 else _random_scene(random)
        scenes.append(scene)
        name = f"scene-{number:05d}"
        draw_scene(scene, size, random).save(folder / "images" / f"{name}.png")
        told = [describe(scene, random) for _ in range(captions_per_image)]
        captions = tuple(Caption(f"{name}#{k}", text) for k, (text, _) in enumerate(told))
        records.append(ImageRecord(name, f"{name}.png", order[number], captions))
        truths.append(
            {
                "id": name,
                "split": order[number],
                "scene": scene.to_json(),
                "claims": [claims.to_json() for _, claims in told],
            }
        )
    write_dataset(folder, RetrievalDataset("scenes", records))
    (folder / TRUTH).write_text("\n".join(json.dumps(truth) for truth in truths) + "\n", encoding="utf-8")
    about = read_json(folder / "dataset.json")
    write_json(folder / "dataset.json", {**about, "made": {"size": size, "seed": seed}})


def _random_scene(random: np.random.Generator) -> Scene:
    count = int(random.choice([1, 2, 3], p=[0.3, 0.5, 0.2]))
    groups = tuple(_random_group(random) for _ in range(count))
    return Scene(groups, ("left of", "above")[int(random.integers(2))], _one(BACKGROUNDS, random))


def _random_group(random: np.random.Generator) -> Group:
    return Group(_one(SHAPES, random), _one(COLOURS, random), _one(SIZES, random), int(random.integers(1, MOST + 1)))


def _variation(scenes: list[Scene], random: np.random.Generator) -> Scene:
    """Another picture's scene with one attribute of one group changed."""
    base = scenes[int(random.integers(len(scenes)))]
    place = int(random.integers(len(base.groups)))
    other = _random_group(random)
    old = base.groups[place]
    changed = [
        Group(other.shape, old.colour, old.size, old.count),
        Group(old.shape, other.colour, old.size, old.count),
        Group(old.shape, old.colour, other.size, old.count),
        Group(old.shape, old.colour, old.size, other.count),
    ][int(random.integers(4))]
    groups = (*base.groups[:place], changed, *base.groups[place + 1 :])
    return Scene(groups, base.relation, base.background)


def _one(choices: tuple[str, ...], random: np.random.Generator) -> str:
    return choices[int(random.integers(len(choices)))]
