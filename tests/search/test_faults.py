"""What must not be lost or believed when something breaks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from bcls.search import (
    EngineUnavailableError,
    Filter,
    IndexDamagedError,
    Record,
    create_index,
    open_index,
)

BLOCK = 40
FIELDS = {"block": "int"}


@pytest.fixture(params=["memory", "lancedb"])
def place(request, tmp_path: Path) -> str:
    """A place on disk, for each engine that has one."""
    if request.param == "lancedb":
        pytest.importorskip("lancedb")
        return str(tmp_path / "index")
    return f"memory:{tmp_path / 'index'}"


def block_of(number: int, size: int = BLOCK, dim: int = 8) -> list[Record]:
    vectors = np.random.default_rng(number).normal(size=(size, dim)).astype(np.float32)
    return [Record(f"{number:04d}-{row:04d}", vector, {"block": number}) for row, vector in enumerate(vectors)]


def run(code: str, *words: str) -> subprocess.Popen:
    """This file's helpers and some code, in a process of its own."""
    head = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from test_faults import *\n"
    return subprocess.Popen([sys.executable, "-c", head + code, *words], stdout=subprocess.PIPE, text=True)


WRITES = """
index = open_index(sys.argv[1])
for number in range(int(sys.argv[2]), 10_000):
    index.add(block_of(number))
    print("added", number, flush=True)
    if number % 5 == 4:
        index.delete([record.id for record in block_of(number - 4)])
        print("deleted", number - 4, flush=True)
"""


def test_sigkill_loses_nothing_that_was_acknowledged(place):
    create_index(place, dim=8, model="m", fields=FIELDS).close()
    added, deleted = set(), set()
    for turn, patience in enumerate((0.1, 0.23)):
        process = run(WRITES, place, str(100 * turn))
        said = [process.stdout.readline()]  # the time runs from the first write
        time.sleep(patience)
        os.kill(process.pid, signal.SIGKILL)
        said += process.stdout.read().splitlines(keepends=True)
        process.wait()
        whole = [line.split() for line in said if line.endswith("\n")]
        assert whole, "the writer did nothing"
        added |= {int(number) for what, number in whole if what == "added"}
        deleted |= {int(number) for what, number in whole if what == "deleted"}
        with open_index(place) as index:
            counts = {number: index.count(Filter.parse(f"block={number}")) for number in range(0, max(added) + 3)}
            assert set(counts.values()) <= {0, BLOCK}, "half a block"
            assert all(counts[number] == BLOCK for number in added - deleted if number % 5 or number + 5 in added)
            assert all(counts[number] == 0 for number in deleted)
            number = max(added)
            record = block_of(number)[7]
            assert index.search(record.vector[None], 1)[0][0].id == record.id
            assert index.add(block_of(9999)) == BLOCK


FULL = """
import resource
index = open_index(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    index.add(block_of(2, 3000, 64))
except WriteFailedError as error:
    print("refused:", str(error).splitlines()[0])
print(index.count(), index.search(block_of(1, 10, 64)[3].vector[None], 1)[0][0].id)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(index.add(block_of(2, 3000, 64)), index.count())
"""


def test_a_full_disk_refuses_the_block_and_spoils_nothing(place):
    with create_index(place, dim=64, model="m", fields=FIELDS) as index:
        index.add(block_of(1, 10, 64))
    process = run("from bcls.search import WriteFailedError\n" + FULL, place)
    lines = process.stdout.read().splitlines()
    assert process.wait() == 0
    assert lines[0].startswith("refused:")
    assert "could not be written" in lines[0]
    assert lines[1:] == ["10 0001-0003", "3000 3010"]
    with open_index(place) as index:
        assert index.count() == 3010


def test_two_processes_write_at_once(place):
    create_index(place, dim=8, model="m", fields=FIELDS).close()
    code = """
index = open_index(sys.argv[1])
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 6):
    index.add(block_of(number, 5))
    index.add(block_of(999, 5))
"""
    writers = [run(code, place, start) for start in ("0", "100")]
    assert [writer.wait() for writer in writers] == [0, 0]
    with open_index(place) as index:
        assert index.count() == 2 * 6 * 5 + 5


def data_files(place: str) -> list[Path]:
    folder = Path(place.removeprefix("memory:"))
    return sorted([*folder.glob("segments/*"), *folder.glob("records.lance/data/*")])


def test_a_damaged_file_is_told(place):
    with create_index(place, dim=8, model="m", fields=FIELDS) as index:
        index.add(block_of(1))
    file = data_files(place)[0]
    whole = file.read_bytes()

    def look():
        with open_index(place) as index:
            index.search(block_of(1)[0].vector[None], 5)

    look()
    for damage in (None, b"", whole[: len(whole) // 2], bytes(len(whole))):
        file.unlink() if damage is None else file.write_bytes(damage)
        with pytest.raises(IndexDamagedError, match="make the index again"):
            look()
        file.write_bytes(whole)
    vector = block_of(1)[0].vector
    stored = (vector / np.linalg.norm(vector.astype(np.float64))).astype(np.float32).tobytes()
    assert whole.count(stored) == 1
    file.write_bytes(whole.replace(stored, stored[:2] + b"\x7f\x43" + stored[4:]))
    with pytest.raises(IndexDamagedError, match="make the index again"):
        look()


def test_a_damaged_description_is_told(place):
    create_index(place, dim=8, model="m", fields=FIELDS).close()
    file = Path(place.removeprefix("memory:")) / "index.json"
    whole = file.read_text()
    for damage in ("", "{", "[]", whole.replace('"dim"', '"size"'), whole.replace('"format": 1', '"format": 2')):
        file.write_text(damage)
        with pytest.raises(IndexDamagedError, match=r"index\.json"):
            open_index(place)
    file.write_text(whole.replace('"engine": "', '"engine": "x'))
    with pytest.raises(IndexDamagedError, match="engine"):
        open_index(place)


@pytest.mark.milvus
def test_milvus_killed_and_restarted_under_load(milvus_server):
    place = f"milvus://127.0.0.1:{milvus_server.port}/killed"
    acknowledged, found, refused, wrong, over = [], [], [], [], threading.Event()
    with create_index(place, dim=8, model="m", fields=FIELDS) as index:
        index.add(block_of(0))
        query = block_of(0)[3]

        def write():
            for number in range(1, 10_000):
                while not over.is_set():
                    try:
                        index.add(block_of(number))
                        acknowledged.append(number)
                        break
                    except EngineUnavailableError as error:
                        refused.append(error)

        def read():
            while not over.is_set():
                try:
                    found.append(index.search(query.vector[None], 1)[0][0].id)
                except EngineUnavailableError as error:
                    refused.append(error)
                except Exception as error:
                    wrong.append(error)

        threads = [threading.Thread(target=target) for target in (write, read, read)]
        for thread in threads:
            thread.start()
        time.sleep(5)
        milvus_server.kill()
        time.sleep(3)
        before = len(acknowledged), len(found)
        milvus_server.start()
        deadline = time.monotonic() + 120
        while not (len(acknowledged) > before[0] + 2 and len(found) > before[1] + 2) and time.monotonic() < deadline:
            time.sleep(0.5)
        over.set()
        for thread in threads:
            thread.join()
        assert not wrong
        assert refused
        assert len(acknowledged) > before[0] + 2
        assert len(found) > before[1] + 2
        assert set(found) == {query.id}
        for number in [0, *acknowledged]:
            assert index.count(Filter.parse(f"block={number}")) == BLOCK
