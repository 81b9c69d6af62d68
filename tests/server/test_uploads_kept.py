"""A real server never removes an added image that it does not know: they are the only copies."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bcls.models import fingerprint
from bcls.search import create_index, open_index
from bcls.search.copying import copy_index
from bcls.server.upload_owner import kept_files

from .conftest import FIELDS, WRITE_KEY, base64_of, records_of
from .process import command, running
from .test_faults import ask, noise

KEY = {"BCLS_WRITE_KEY": WRITE_KEY}


def add(port: int, name: str, number: int) -> None:
    new = {"id": name, "image": base64_of(noise(number)), "captions": ["one"]}
    status, answer = ask(port, "POST", "/v1/images", new)
    assert status == 201, answer


def refusal(*words: str | Path) -> str:
    """What a server that does not start says."""
    done = subprocess.run(
        command(*words), capture_output=True, text=True, env=os.environ | KEY, timeout=120, check=False
    )
    assert done.returncode == 2, done.stderr
    return done.stderr


def bcls(*words: str | Path) -> str:
    call = [sys.executable, "-m", "bcls", *map(str, words)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("engine", ["memory", pytest.param("lancedb", marks=pytest.mark.slow)])
def test_after_the_index_is_made_again_its_images_are_there_and_the_command_in_the_message_hands_them_over(
    collection, model, embedder, tmp_path, engine
):
    place, pictures = collection(engine)
    with running(model, place, pictures, **KEY) as server:
        add(server.port, "only-copy", 1)
    uploads = tmp_path / "index-uploads"
    before = {file.name: file.read_bytes() for file in kept_files(uploads)}
    shutil.rmtree(tmp_path / "index")
    with create_index(place, dim=8, model=fingerprint(model), fields=FIELDS) as index:
        index.add(records_of(embedder, pictures))
    said = refusal(model, place, pictures)
    assert {file.name: file.read_bytes() for file in kept_files(uploads)} == before
    with running(model, place, pictures) as server:  # one that only reads
        assert ask(server.port, "GET", "/readyz")[0] == 200
    words = re.search(r"bcls (index uploads .* --take_over)", said)[1].split()
    assert next(iter(before)) in bcls(*words)
    with running(model, place, pictures, **KEY) as server:
        add(server.port, "another", 2)
    assert before.items() <= {file.name: file.read_bytes() for file in kept_files(uploads)}.items()


@pytest.mark.parametrize("engine", ["memory", pytest.param("lancedb", marks=pytest.mark.slow)])
def test_on_an_older_backup_of_the_index_the_images_since_then_stay(collection, model, tmp_path, engine):
    place, pictures = collection(engine)
    with running(model, place, pictures, **KEY) as server:
        add(server.port, "old", 1)
        copy_index(place, tmp_path / "backup").close()
        add(server.port, "since", 2)
        ask(server.port, "DELETE", "/v1/images/old")
    uploads = tmp_path / "index-uploads"
    before = kept_files(uploads)
    shutil.rmtree(tmp_path / "index")
    shutil.move(tmp_path / "backup", tmp_path / "index")
    for file in before:
        os.utime(file, (0, 0))  # as if long ago
    with running(model, place, pictures, **KEY) as server:
        assert ask(server.port, "GET", "/v1/images/since")[0] == 404
        add(server.port, "new", 3)
        assert set(before) < set(kept_files(uploads))
    assert str(before[0]) in bcls("index", "uploads", place)
    assert set(before) < set(kept_files(uploads))


def test_beside_another_index_with_the_same_folder_neither_loses_images(collection, model, embedder, tmp_path):
    place, pictures = collection("memory")
    other = f"memory:{tmp_path / 'other'}"
    with create_index(other, dim=8, model=fingerprint(model), fields=FIELDS) as index:
        index.add(records_of(embedder, pictures)[:3])
    shared = ("--uploads", tmp_path / "shared")
    with (
        running(model, place, pictures, *shared, **KEY) as server,
        running(model, other, pictures, *shared, **KEY) as two,
    ):
        add(server.port, "mine", 1)  # the first that writes has it
        new = {"id": "theirs", "image": base64_of(noise(2))}
        status, answer = ask(two.port, "POST", "/v1/images", new)
        assert (status, b"another index" in answer) == (409, True)
        assert str(tmp_path).encode() not in answer
    for file in kept_files(tmp_path / "shared"):
        os.utime(file, (0, 0))
    said = refusal(model, other, pictures, *shared)
    assert "belongs to another index" in said
    assert "Choose another folder with --uploads" in said
    with running(model, place, pictures, *shared, **KEY) as server:
        assert ask(server.port, "GET", "/v1/images/mine")[0] == 200
    assert len(kept_files(tmp_path / "shared")) == 1


def test_killed_between_the_file_and_its_record_it_leaves_a_file_that_is_listed_and_not_removed(
    collection, model, tmp_path
):
    place, pictures = collection("memory")
    killed = "from bcls.search.memory import MemoryIndex\nimport os\nMemoryIndex._add = lambda *given: os._exit(9)"
    with (
        running(model, place, pictures, before=killed, **KEY) as server,
        pytest.raises((OSError, http.client.HTTPException)),
    ):
        ask(server.port, "POST", "/v1/images", {"id": "lost", "image": base64_of(noise(1))})
    (orphan,) = kept_files(tmp_path / "index-uploads")
    os.utime(orphan, (0, 0))
    with running(model, place, pictures, **KEY) as server:
        assert ask(server.port, "GET", "/v1/images/lost")[0] == 404
        add(server.port, "kept", 2)
    assert orphan.exists()
    listed = bcls("index", "uploads", place)
    assert listed == f"{orphan}\n1 images that no record names: delete them with --delete\n"
    assert orphan.exists()
    assert bcls("index", "uploads", place, "--delete").endswith("1 images deleted\n")
    with open_index(place) as index:
        (left,) = kept_files(tmp_path / "index-uploads")
        assert index.get(["kept"])[0].fields["file"] == f"uploaded:{left.name}"
    assert json.loads((tmp_path / "index-uploads" / "bcls-uploads.json").read_text())["index"] == index.identity
