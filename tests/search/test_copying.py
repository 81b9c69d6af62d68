"""Copies of an index that another process writes to: each opens, and is the index as it was at one moment."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.search import IndexDamagedError, IndexMissingError, Record, create_index, open_index
from bcls.search.copying import copy_index
from bcls.search.manifest import NAME

FIELDS = {"number": "int"}
WRITER = """
import sys
from itertools import count

import numpy as np

from bcls.search import Record, create_index

draw = np.random.default_rng(0)
with create_index(sys.argv[1], dim=8, model="m", fields={"number": "int"}) as index:
    for number in count():
        vectors = draw.normal(size=(2, 8)).astype(np.float32)
        index.add([Record(f"{number}{side}", vector, {"number": number}) for side, vector in zip("ab", vectors)])
        if number >= 20:
            index.delete([f"{number - 20}a", f"{number - 20}b"])
        print(number, flush=True)
"""


class Writer:
    """A process that adds two records in one write, and deletes older ones, without end."""

    def __init__(self, place: str, log: Path) -> None:
        self._log = log
        with log.open("w") as out:
            self._process = subprocess.Popen([sys.executable, "-c", WRITER, place], stdout=out)
        deadline = time.monotonic() + 60
        while self.done() < 25:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def done(self) -> int:
        """The last number whose write has returned."""
        lines = self._log.read_text().split("\n")[:-1]
        return int(lines[-1]) if lines else -1

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(30)


@pytest.fixture(params=["memory:", ""], ids=["memory", "lancedb"])
def written(request, tmp_path):
    """A place that is being written to, and its writer."""
    if not request.param:
        pytest.importorskip("lancedb")
    place = f"{request.param}{tmp_path / 'index'}"
    writer = Writer(place, tmp_path / "log")
    yield place, writer
    writer.stop()


def check(copy: Path, done: int) -> None:
    """A copy holds all that was there when it was begun, and no write in part."""
    with open_index(copy) as index:
        numbers = Counter(fields["number"] for _, fields in index.scan())
        last = max(numbers)
        assert last >= done
        assert all(numbers[number] == 2 for number in range(last - 19, last + 1)), numbers
        assert set(numbers) <= set(range(last - 20, last + 1))
        index.add([Record("more", np.ones(8, np.float32), {"number": -1})])
        index.optimize()
        assert index.count() == sum(numbers.values()) + 1
    with open_index(copy) as index:
        assert index.get(["more"]) != [None]
    shutil.rmtree(copy)


@pytest.mark.parametrize("copies", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_a_copy_by_the_command_is_whole(written, tmp_path, copies):
    place, writer = written
    for number in range(copies):
        done = writer.done()
        copy_index(place, tmp_path / f"copy{number}").close()
        check(tmp_path / f"copy{number}", done)
    assert writer.done() > 25  # it went on meanwhile


@pytest.mark.parametrize("copies", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_a_memory_index_can_be_copied_by_cp_too(tmp_path, copies):
    writer = Writer(f"memory:{tmp_path / 'index'}", tmp_path / "log")
    try:
        for _ in range(copies):
            done = writer.done()
            subprocess.run(["cp", "-r", tmp_path / "index", tmp_path / "copy"], stderr=subprocess.DEVNULL, check=False)
            check(tmp_path / "copy", done)
    finally:
        writer.stop()


def filled(place: str, count: int = 3):
    index = create_index(place, dim=2, model="m", fields=FIELDS)
    for number in range(count):
        index.add([Record(f"r{number}", np.float32([number, 1]), {"number": number})])
    return index


def test_a_copy_is_of_the_same_identity_and_goes_its_own_way(tmp_path):
    with (
        filled(f"memory:{tmp_path / 'index'}") as index,
        copy_index(tmp_path / "index", tmp_path / "deep" / "copy") as copy,
    ):
        assert (copy.identity, copy.info().version) == (index.identity, index.info().version)
        copy.delete(["r0"])
        assert (index.count(), copy.count()) == (3, 2)
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["copy"]


@pytest.mark.parametrize("where", ["index", "taken", "milvus://h:1/x"])
def test_a_destination_that_is_there_is_refused(tmp_path, where):
    filled(f"memory:{tmp_path / 'index'}").close()
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match="a copy needs a new folder"):
        copy_index(tmp_path / "index", where if ":" in where else tmp_path / where)


def test_what_is_in_no_folder_is_not_copied(tmp_path):
    for place in ("memory:", "milvus://h:1/x"):
        with pytest.raises(InputError, match="only an index in a folder can be copied"):
            copy_index(place, tmp_path / "copy")
    with pytest.raises(IndexMissingError):
        copy_index(tmp_path / "nowhere", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_a_copy_of_a_damaged_index_does_not_appear(tmp_path):
    filled(f"memory:{tmp_path / 'index'}").close()
    next((tmp_path / "index" / "segments").glob("*.safetensors")).write_bytes(b"x")
    with pytest.raises(IndexDamagedError):
        copy_index(tmp_path / "index", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_missing_segment_is_damage_in_the_index_itself_and_an_older_version_in_a_copy(tmp_path, caplog):
    filled(f"memory:{tmp_path / 'index'}").close()
    shutil.copytree(tmp_path / "index", tmp_path / "copy")
    for folder in ("index", "copy"):
        (tmp_path / folder / "segments" / "00000003.safetensors").unlink()
    with pytest.raises(IndexDamagedError, match=r"a file of the index is missing; make the index again$"):
        open_index(tmp_path / "index")
    with open_index(tmp_path / "copy") as copy:
        assert sorted(name for name, _ in copy.scan()) == ["r0", "r1"]
        assert "it holds version 2, not 3" in caplog.text
        copy.refresh()
        assert copy.delete(["r0"]) == 1
        assert copy.info().version == "4"
    with open_index(tmp_path / "copy") as copy:
        assert [name for name, _ in copy.scan()] == ["r1"]


@pytest.mark.parametrize("gone", ["00000001", "00000002"])
def test_a_copy_that_lacks_what_came_first_or_between_holds_what_is_whole_or_nothing(tmp_path, gone):
    filled(f"memory:{tmp_path / 'index'}").close()
    shutil.copytree(tmp_path / "index", tmp_path / "copy")
    (tmp_path / "copy" / "segments" / f"{gone}.safetensors").unlink()
    if gone == "00000001":
        with pytest.raises(IndexDamagedError, match="or copy it again with `bcls index copy`"):
            open_index(tmp_path / "copy")
    else:
        assert open_index(tmp_path / "copy").count() == 1


def test_a_damaged_segment_is_damage_in_a_copy_too(tmp_path):
    filled(f"memory:{tmp_path / 'index'}").close()
    shutil.copytree(tmp_path / "index", tmp_path / "copy")
    (tmp_path / "copy" / "segments" / "00000003.safetensors").write_bytes(b"cut")
    with pytest.raises(IndexDamagedError, match="not what was written there"):
        open_index(tmp_path / "copy")


def test_an_index_of_an_earlier_release_opens_and_is_copied(tmp_path):
    """Its manifest names no inode, its segments name no segment before them."""
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    from bcls.search.memory_segments import _digest

    filled(f"memory:{tmp_path / 'index'}").close()
    content = json.loads((tmp_path / "index" / NAME).read_text())
    del content["segments_inode"]
    for segment in content["segments"]:
        file = tmp_path / "index" / segment["file"]
        with safe_open(file, "np") as opened:
            about = {"change": opened.metadata()["change"]}
        save_file(load_file(file), file, about)
        segment["sha256"] = _digest(file)
    (tmp_path / "index" / NAME).write_text(json.dumps(content))
    with open_index(tmp_path / "index") as index:
        assert index.count() == 3
        index.add([Record("new", np.ones(2, np.float32), {"number": 9})])
    with copy_index(tmp_path / "index", tmp_path / "copy") as copy:
        assert copy.count() == 4
    shutil.copytree(tmp_path / "index", tmp_path / "second")
    (tmp_path / "second" / "segments" / "00000004.safetensors").unlink()
    with pytest.raises(IndexDamagedError, match="is missing"):
        open_index(tmp_path / "second")
