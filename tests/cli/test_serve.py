"""`bcls serve`: what it refuses, and whom it pairs. That it serves is tested in tests/server/test_faults.py."""

from __future__ import annotations

import socket

import pytest
from PIL import Image

pytest.importorskip("fastapi")

from bcls.cli import main
from bcls.cli.arguments import parse_words
from bcls.cli.serve import _names, _pairs, _parser, _pictures_of, _uploads
from bcls.errors import InputError
from bcls.models import BagOfWordsTower, ConvTower, RetrievalModel
from bcls.search import create_index

FIELDS = {"kind": "str", "image": "str", "file": "str", "split": "str", "text": "str"}


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    model = RetrievalModel(ConvTower(dim=8, channels=(8,), image_size=16), BagOfWordsTower(dim=8, minimum_count=1))
    model.image_tower.fit([Image.new("RGB", (9, 9))])
    model.caption_tower.fit(["a dog"])
    folder = tmp_path_factory.mktemp("tiny") / "model"
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "name a model and its index, or --demo"),
        (["--demo", "model", "index"], "name a model and its index, or --demo"),
        (["model"], "model: each model needs its index"),
        (["nowhere", "index"], "nowhere: no such model"),
        (["--port", "x", "model", "index"], "port"),
        (["--max-k", "0", "model", "index"], "max_k is 0"),
    ],
)
def test_refused(words, says, capsys):
    assert main(["serve", "--port", "0", *words]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ([], []),
        (["a.example"], ["a.example"]),
        (["a.example,b.example"], ["a.example", "b.example"]),
        (["*"], ["*"]),
        (['["a.example", "b.example"]'], ["a.example", "b.example"]),
    ],
)
def test_names_are_given_as_people_write_them(words, names):
    given = parse_words(_parser(), [word for name in words for word in ("--allowed_hosts", name)])
    assert _names(given["allowed_hosts"]) == names


def test_a_short_key_is_refused(monkeypatch, capsys):
    monkeypatch.setenv("BCLS_WRITE_KEY", "short")
    assert main(["serve", "--port", "0", "model", "index"]) == 2
    assert "write_key" in capsys.readouterr().err


def test_an_index_of_another_model_is_refused(tiny_model, tmp_path, capsys):
    create_index(f"memory:{tmp_path / 'index'}", dim=8, model="another", fields=FIELDS).close()
    assert main(["serve", "--port", "0", str(tiny_model), str(tmp_path / "index")]) == 2
    assert "another model" in capsys.readouterr().err


def test_pairs_get_short_names_and_uploads_of_their_own(tiny_model, tmp_path):
    given = {"pictures": None, "uploads": None}
    places = [f"memory:{tmp_path / name / 'index'}" for name in ("one", "two")]
    for place in places:
        create_index(place, dim=8, model="m", fields=FIELDS).close()
    served = _pairs(given | {"pairs": [str(tiny_model), places[0], str(tiny_model), places[1]]})
    assert [one.name for one in served] == ["one", "two"]
    assert [one.uploads for one in served] == [tmp_path / "one" / "index-uploads", tmp_path / "two" / "index-uploads"]
    named = {"pictures": str(tmp_path), "uploads": str(tmp_path / "kept"), "pairs": [str(tiny_model), "milvus://h:1/x"]}
    kept = _pairs(named)
    assert kept[0].uploads == tmp_path / "kept"
    assert kept[0].name == tiny_model.name


def test_indices_of_one_uploads_folder_keep_their_pictures_apart(tmp_path):
    given = {"uploads": str(tmp_path), "pairs": ["model", "a/b", "model", "a-b"]}
    folders = {_uploads(index, given) for index in ("a/b", "a-b", "memory:a/b", "a%2Fb")}
    assert len(folders) == 4
    assert {folder.parent for folder in folders} == {tmp_path}


def test_data_that_cannot_be_read_any_more_asks_for_the_folder_of_its_pictures(tmp_path):
    (tmp_path / "data").mkdir()
    about = {"data": str(tmp_path / "data")}
    create_index(f"memory:{tmp_path / 'index'}", dim=8, model="m", fields=FIELDS, about=about).close()
    with pytest.raises(InputError, match=r"neither a data set nor an image .*; or name the folder .* with --pictures"):
        _pictures_of(str(tmp_path / "index"))


def test_a_folder_of_pictures_that_there_is_not_is_refused(bcls, tmp_path):
    said = bcls("serve", "model", "index", "--pictures", tmp_path / "nowhere")
    assert (said.code, said.err) == (2, f"bcls: error: {tmp_path / 'nowhere'}: no such folder (--pictures)\n")


def test_a_port_that_is_taken_is_told_before_a_demo_is_trained(tmp_path, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert main(["serve", "--demo", "--output", str(tmp_path / "demo"), "--port", port]) == 2
    assert "choose another --host or --port" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()
