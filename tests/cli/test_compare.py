"""`bcls compare`, as a person calls it."""

from __future__ import annotations

import json
import shutil

import pytest

from bcls.cli.models import distinct_names
from bcls.errors import InputError


@pytest.fixture
def runs(bcls, config, tmp_path):
    """Two runs that differ in their seed, and the options that both verbs need."""
    folders = [tmp_path / "one" / "run", tmp_path / "two" / "run"]
    for seed, folder in enumerate(folders):
        said = bcls("train", "--config", config, "--seed", seed, "--output", folder)
        assert said.code == 0, said.err
    return folders


def test_compare_tells_what_evaluate_tells(bcls, runs, tmp_path):
    options = ("--scorer", "tfidf", "--labels", tmp_path / "labels")
    out = tmp_path / "out"
    said = bcls("compare", *runs, *options, "--samples", 99, "--output", out)
    assert said.code == 0, said.err
    assert "two (new) against one (base)" in said.out
    assert max(map(len, said.out.split("\n\n")[0].splitlines()[:11])) <= 80
    content = json.loads((out / "comparison.json").read_text())
    for name, folder in zip(("one", "two"), runs, strict=True):
        assert bcls("evaluate", folder, *options).code == 0
        assert json.loads((folder / "val.tfidf.json").read_text())["metrics"] == content["metrics"][name]
    assert [row["metric"] for row in content["differences"]][-1] == "tau_b"
    assert content["about"]["samples"] == 99
    page = (out / "comparison.html").read_text()
    assert "<h1>one or two?</h1>" in page
    assert page.count('<details class="change') >= 1


def test_more_than_two_have_a_page_each_and_need_no_relevance(bcls, runs, tmp_path):
    third = tmp_path / "three" / "run"
    shutil.copytree(runs[0], third)
    said = bcls("compare", *runs, third, "--scorer", "none", "--samples", 9, "--output", tmp_path / "out")
    assert said.code == 0, said.err
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "comparison.json",
        "comparison-1.html",
        "comparison-2.html",
    }
    assert "No query changed" in (tmp_path / "out" / "comparison-2.html").read_text()


def test_refusals_are_one_line(bcls, runs, folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    text = (other / "images.jsonl").read_text()
    (other / "images.jsonl").write_text(text.replace("a small dog runs on grass 20", "another dog"))
    about = json.loads((other / "dataset.json").read_text())
    (other / "dataset.json").write_text(json.dumps({key: about[key] for key in about if key != "content_hash"}))
    moved = tmp_path / "moved" / "run"
    shutil.copytree(runs[1], moved)
    moved_config = (moved / "config.yaml").read_text()
    (moved / "config.yaml").write_text(moved_config.replace(str(folder), str(other)))
    for words, named in [
        ((runs[0],), "name two models or more"),
        ((runs[0], runs[0]), "stands there twice"),
        ((runs[0], tmp_path / "nowhere"), "nowhere is not a run"),
        ((*runs, "--samples", "0"), "--samples 0"),
        ((*runs, "--split", "test"), "no split 'test'"),
        ((*runs, "--scorer", "none", "--protocol", "coco-5k"), "needs 5,000 images"),
        ((runs[0], moved), "one and moved cannot be compared"),
    ]:
        said = bcls("compare", *words, "--output", tmp_path / "out", "--labels", tmp_path / "labels")
        assert said.code == 2, (words, said.err)
        assert named in said.err.splitlines()[-1], (words, said.err)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a", "b"], ["a", "b"]),
        (["runs/a/seed-0", "runs/b/seed-0", "runs/b/seed-1"], ["a/seed-0", "b/seed-0", "b/seed-1"]),
        (["x/run", "run"], ["x/run", "run"]),
        (["runs/a/", "runs/b"], ["a", "b"]),
        (["a", "a/b", "a/b/c"], ["a", "a/b", "a/b/c"]),
    ],
)
def test_names_are_where_paths_differ(paths, names):
    assert distinct_names(paths) == names


def test_the_same_path_twice_is_refused():
    with pytest.raises(InputError, match="a/ stands there twice"):
        distinct_names(["a", "a/"])
