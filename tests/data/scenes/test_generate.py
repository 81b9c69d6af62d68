"""A data set of scenes on disk."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from bcls.data import check_dataset, read_dataset
from bcls.data.scenes import Claims, Scene, make_scenes, open_scene_relevance
from bcls.data.scenes import generate as generate_module
from bcls.data.scenes.draw import PALETTE
from bcls.errors import InputError

SPLITS = {"train": 40, "val": 12}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("made") / "scenes"
    make_scenes(made, splits=SPLITS, captions_per_image=3, size=48, seed=7)
    return made


@pytest.fixture(scope="module")
def truths(folder):
    return [json.loads(line) for line in (folder / "scenes.jsonl").read_text().splitlines()]


def contents(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_same_arguments_give_the_same_bytes(folder, tmp_path):
    make_scenes(tmp_path / "again", splits=SPLITS, captions_per_image=3, size=48, seed=7)
    first, again = contents(folder), contents(tmp_path / "again")
    assert sorted(first) == sorted(again)
    assert [name for name in first if first[name] != again[name]] == []
    assert len(first) == 52 + 3


def test_another_seed_gives_other_scenes(folder, tmp_path):
    make_scenes(tmp_path / "other", splits=SPLITS, captions_per_image=3, size=48, seed=8)
    first, other = contents(folder), contents(tmp_path / "other")
    assert all(first[name] != other[name] for name in ("images.jsonl", "scenes.jsonl", "images/scene-00000.png"))


def test_splits_captions_and_size_are_those_asked_for(folder):
    dataset = read_dataset(folder)
    assert (dataset.name, dataset.splits) == ("scenes", SPLITS)
    assert np.bincount(dataset.caption_image).tolist() == [3] * 52
    for row in (0, 51):
        with Image.open(dataset.image_path(row)) as picture:
            assert (picture.size, picture.mode, picture.format) == ((48, 48), "RGB", "PNG")
    assert json.loads((folder / "dataset.json").read_text())["made"] == {"size": 48, "seed": 7}


def test_the_data_set_is_sound(folder):
    assert [problem for problem in check_dataset(read_dataset(folder)) if problem.fatal] == []


def test_the_returned_data_set_is_the_one_on_disk(tmp_path):
    made = make_scenes(tmp_path / "s", splits={"all": 2}, captions_per_image=1, size=16)
    assert made.images == read_dataset(tmp_path / "s").images


def test_pictures_show_the_colours_of_their_scenes(folder, truths):
    for truth in truths:
        pixels = np.asarray(Image.open(folder / "images" / f"{truth['id']}.png")).astype(int)
        for group in truth["scene"]["groups"]:
            near = np.abs(pixels - np.array(PALETTE[group["colour"]])).sum(axis=2) < 60
            assert near.sum() >= 3 * group["count"]


def test_a_third_of_the_pictures_are_variations_of_another(truths):
    def differs_in_one_attribute(first, second):
        if (first.relation, first.background) != (second.relation, second.background):
            return False
        if len(first.groups) != len(second.groups):
            return False
        pairs = [(a, b) for a, b in zip(first.groups, second.groups, strict=True) if a != b]
        return len(pairs) <= 1 and all(
            sum(getattr(a, name) != getattr(b, name) for name in ("shape", "colour", "size", "count")) == 1
            for a, b in pairs
        )

    made = [Scene.from_json(truth["scene"]) for truth in truths]
    near = sum(any(differs_in_one_attribute(old, new) for old in made[:row]) for row, new in enumerate(made))
    assert 52 / 5 < near < 52 / 2


@pytest.mark.parametrize("split", ["train", "val", "train+val"])
def test_own_captions_are_fully_relevant_and_others_less(folder, split):
    part = read_dataset(folder).split(split)
    images, captions = np.arange(len(part.images)), np.arange(len(part.caption_texts))
    matrix = open_scene_relevance(folder, split).matrix(images, captions)
    own = part.caption_image[None, :] == images[:, None]
    np.testing.assert_allclose(matrix[own], 1, atol=1e-6)
    assert 0 <= matrix.min() <= matrix.max() <= 1
    assert matrix[~own].mean() < 0.6
    assert ((matrix > 0) & (matrix < 1))[~own].mean() > 0.5


def test_the_truth_is_in_the_order_of_the_data_set(folder, truths):
    dataset = read_dataset(folder)
    assert [truth["id"] for truth in truths] == dataset.image_ids
    claims = [Claims.from_json(claim) for truth in truths for claim in truth["claims"]]
    assert len(claims) == len(dataset.caption_texts)
    for text, claim in zip(dataset.caption_texts, claims, strict=True):
        assert ("background" in text) == (claim.background is not None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"splits": {"train": 0}}, "every split needs a picture"),
        ({"splits": {"train": 3, "val": -1}}, "every split needs a picture"),
        ({"splits": {}}, "every split needs a picture"),
        ({"captions_per_image": 0}, "every picture a caption"),
        ({"size": 15}, "at least 16 pixels"),
        ({"seed": -1}, "the seed is -1; it must not be negative"),
    ],
)
def test_numbers_out_of_range_are_refused_and_leave_nothing(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        make_scenes(tmp_path / "s", **{"splits": {"train": 2}, **options})
    assert list(tmp_path.iterdir()) == []


def test_what_stands_there_is_not_overwritten(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("a file")
    for name in ("full", "file"):
        with pytest.raises(InputError, match=f"{name}: exists already; choose another folder"):
            make_scenes(tmp_path / name, splits={"train": 1})
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "thesis.tex"]


def test_an_empty_folder_and_missing_parents_are_fine(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "deep/er"):
        assert len(make_scenes(tmp_path / name, splits={"train": 1}, size=16).images) == 1


def test_an_interrupted_making_leaves_nothing(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(generate_module, "write_dataset", stop)
    with pytest.raises(KeyboardInterrupt):
        make_scenes(tmp_path / "s", splits={"train": 2}, size=16)
    assert list(tmp_path.iterdir()) == []


def test_without_its_truth_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"scenes\.jsonl: no such file: not a folder of made scenes"):
        open_scene_relevance(tmp_path, "train")


def test_a_split_that_was_not_made_is_named(folder):
    with pytest.raises(InputError, match=r"no split 'dev', 'test'"):
        open_scene_relevance(folder, "train+test+dev")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": ', "line 2: not JSON"),
        ("{}", "line 2: not a scene and its claims .*split"),
        ('{"split": "train", "scene": {}, "claims": []}', "line 2: not a scene"),
        ('{"split": "train", "scene": null, "claims": []}', "line 2: not a scene"),
    ],
)
def test_a_damaged_truth_is_named_by_its_line(tmp_path, truths, line, message):
    (tmp_path / "scenes.jsonl").write_text(f"{json.dumps(truths[0])}\n{line}\n")
    with pytest.raises(InputError, match=rf"scenes\.jsonl: {message}"):
        open_scene_relevance(tmp_path, "train")


def test_the_truth_of_an_unknown_split_is_refused(folder):
    with pytest.raises(InputError, match=r"scenes\.jsonl: no split 'test'"):
        open_scene_relevance(folder, "test")
