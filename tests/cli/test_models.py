"""Finding the model and the data that a command names, and short names for models."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.cli.models import FoundModel, distinct_names, find_model, model_place
from bcls.errors import InputError


@pytest.fixture
def run(tmp_path) -> Path:
    """A run's folder, as far as finding its model needs it."""
    folder = tmp_path / "run"
    (folder / "model").mkdir(parents=True)
    (folder / "config.yaml").write_text("data:\n  path: /data/set\n  features: vectors\nloss: {}\n")
    return folder


def test_a_run_gives_its_model_and_the_data_it_was_trained_on(run):
    assert find_model(str(run)) == FoundModel(run / "model", "/data/set", "vectors", is_run=True)


def test_what_the_person_names_comes_before_what_the_run_had(run):
    assert find_model(str(run), "/other") == FoundModel(run / "model", "/other", "vectors", is_run=True)
    assert find_model(str(run), None, "regions") == FoundModel(run / "model", "/data/set", "regions", is_run=True)


def test_a_folder_of_a_model_or_a_hub_id_is_the_model_itself(tmp_path):
    for named in (str(tmp_path), "openai/clip-vit-base-patch32"):
        assert model_place(named) == named
        assert find_model(named, "/data") == FoundModel(named, "/data", None, is_run=False)


def test_a_file_called_model_makes_no_run(tmp_path):
    (tmp_path / "model").touch()
    assert model_place(str(tmp_path)) == str(tmp_path)


@pytest.mark.parametrize("config", [None, "", "- a\n", "loss: {}\n", "data: /data/set\n", "data: {features: x}\n"])
def test_without_data_the_person_is_asked_for_it(run, config):
    if config is None:
        (run / "config.yaml").unlink()
    else:
        (run / "config.yaml").write_text(config)
    with pytest.raises(InputError, match="is not a run, so that its data is not known: name it with --data"):
        find_model(str(run))
    assert find_model(str(run), "/data").data == "/data"


def test_a_config_that_is_no_yaml_is_named(run):
    (run / "config.yaml").write_text("data: [")
    with pytest.raises(InputError, match=r"config.yaml: not YAML in UTF-8 \("):
        find_model(str(run))


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["runs/triplet/seed-0", "runs/bcls/seed-0"], ["triplet", "bcls"]),
        (["runs/a/0", "runs/a/1"], ["0", "1"]),
        (["runs/a/0/model", "runs/b/1/model"], ["a/0", "b/1"]),
        (["runs/bcls", "runs/bcls/long"], ["bcls", "bcls/long"]),
        (["a", "b/a"], ["a", "b/a"]),
        (["one"], ["one"]),
        (["runs/one"], ["one"]),
        (["./a/b", "a//c/"], ["b", "c"]),
        (["/runs/x", "runs/y"], ["/runs/x", "runs/y"]),
    ],
)
def test_names_are_the_parts_in_which_the_paths_differ(paths, names):
    assert distinct_names(paths) == names


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_names_are_as_distinct_as_their_paths_and_parts_of_them(paths):
    if len(set(paths)) < len(paths):
        with pytest.raises(InputError, match="stands there twice: name each model once"):
            distinct_names(paths)
        return
    names = distinct_names(paths)
    assert len(set(names)) == len(paths)
    assert all(name and name in path for name, path in zip(names, paths, strict=True))


def test_the_same_path_written_otherwise_stands_there_twice():
    with pytest.raises(InputError, match=r"^a/./b stands there twice"):
        distinct_names(["a/b", "c", "a/./b"])


def test_a_config_in_another_encoding_is_named(tmp_path):
    (tmp_path / "config.yaml").write_bytes("data:\n  path: caf\xe9\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"config\.yaml: not YAML in UTF-8"):
        find_model(str(tmp_path))
