"""A log of changes on disk: what counts, what is damaged, what a full disk leaves."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import bcls.search.memory_log as room
import bcls.search.memory_segments as segment_room
from bcls.errors import InputError
from bcls.search import Record, create_index, open_index
from bcls.search.errors import IndexDamagedError, WriteFailedError
from bcls.search.manifest import NAME, Manifest
from bcls.search.memory_log import MOST_SEGMENTS, MemoryLog
from bcls.search.memory_segments import Change

ABOUT = Manifest("memory", 2, "m", {"name": "str"}, {"note": "é"})


def change(number: int, deleted: tuple[str, ...] = ()) -> Change:
    return Change([(f"r{number}", {"name": f"ü{number}"})], np.float32([[number, 1]]), list(deleted))


NOTHING = Change([], np.zeros((0, 2), np.float32), [])


def told(log: MemoryLog):
    version, changes = log.read()
    return version, [(one.records, one.vectors.tolist(), one.deleted) for one in changes]


@pytest.fixture
def log(tmp_path) -> MemoryLog:
    return MemoryLog.create(tmp_path / "index", ABOUT)


def segments(log: MemoryLog) -> list[str]:
    """Files that are there, also those that have been merged."""
    return sorted(file.name for file in (log.folder / "segments").iterdir())


def test_a_new_log_is_empty(log):
    assert told(log) == (0, [])
    assert MemoryLog.open(log.folder).about == ABOUT


def test_changes_come_back_in_order_also_from_another_process_view(log):
    assert [log.append(change(1)), log.append(change(2, ("r1",)))] == [1, 2]
    expected = [
        ([("r1", {"name": "ü1"})], [[1.0, 1.0]], []),
        ([("r2", {"name": "ü2"})], [[2.0, 1.0]], ["r1"]),
    ]
    assert told(log) == told(MemoryLog.open(log.folder)) == (2, expected)
    assert log.version() == 2


def test_a_deletion_alone_is_a_change(log):
    deletion = Change([], np.zeros((0, 2), np.float32), ["r1"])
    log.append(deletion)
    assert told(log) == (1, [([], [], ["r1"])])
    assert (deletion.is_empty, change(1).is_empty, NOTHING.is_empty) == (False, False, True)


def test_one_change_in_place_of_all(log):
    for number in range(3):
        log.append(change(number))
    assert log.replace(change(9)) == 4
    assert told(log) == (4, [([("r9", {"name": "ü9"})], [[9.0, 1.0]], [])])
    assert [one["file"] for one in log._state()[1]] == ["segments/00000004.safetensors"]


def test_many_changes_want_merging(log):
    for number in range(MOST_SEGMENTS):
        log.append(change(number))
    assert not log.wants_merging()
    log.append(change(99))
    assert log.wants_merging()
    log.replace(NOTHING)
    assert not log.wants_merging()


def test_a_file_that_the_manifest_does_not_name_does_not_count(log):
    log.append(change(1))
    before = (log.folder / NAME).read_bytes()
    log.append(change(2))
    (log.folder / NAME).write_bytes(before)  # as if the process had died before the manifest was written
    assert [records for records, *_ in told(log)[1]] == [[("r1", {"name": "ü1"})]]
    log.append(change(3))
    assert [records[0][0] for records, *_ in told(log)[1]] == ["r1", "r3"]


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b"", lambda b: b + b"x"]
)
def test_a_segment_that_is_not_what_was_written_is_damaged(log, damage):
    log.append(change(1))
    file = log.folder / "segments" / "00000001.safetensors"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(
        IndexDamagedError, match=r"00000001.safetensors: not what was written there; make the index again"
    ):
        log.read()


def test_a_missing_segment_is_named(log):
    log.append(change(1))
    (log.folder / "segments" / "00000001.safetensors").unlink()
    with pytest.raises(IndexDamagedError, match=r"00000001.safetensors: a file of the index is missing"):
        log.read()


def test_a_segment_of_another_kind_is_damaged_even_with_its_own_digest(log):
    log.append(change(1))
    file = log.folder / "segments" / "00000001.safetensors"
    file.write_bytes(b"no tensors")
    content = json.loads((log.folder / NAME).read_text())
    content["segments"][0]["sha256"] = segment_room._digest(file)
    (log.folder / NAME).write_text(json.dumps(content))
    with pytest.raises(IndexDamagedError, match=r"not a segment of an index \("):
        log.read()


@pytest.mark.parametrize("wrong", [{"version": "1"}, {"version": None}, {"version": True}, {"segments": {}}])
def test_a_manifest_without_version_or_segments_is_damaged(log, wrong):
    content = json.loads((log.folder / NAME).read_text())
    (log.folder / NAME).write_text(json.dumps(content | wrong))
    with pytest.raises(IndexDamagedError, match=r"index.json: names no version or no segments"):
        log.version()


def test_a_reader_that_meets_a_merge_reads_again(log, monkeypatch):
    log.append(change(1))
    log.append(change(2))
    before = log._state()
    log.replace(change(3))
    for segment in before[1]:
        (log.folder / segment["file"]).unlink()
    now = log._state()
    answers = iter([before, before, now])
    monkeypatch.setattr(log, "_state", lambda: next(answers))
    assert told(log) == (3, [([("r3", {"name": "ü3"})], [[3.0, 1.0]], [])])


@pytest.mark.parametrize("where", ["segment", "manifest"])
def test_a_write_that_the_disk_refuses_leaves_the_log_as_it_was(log, monkeypatch, where):
    log.append(change(1))
    before, files = told(log), segments(log)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    what = (segment_room, "save_file") if where == "segment" else (room, "write_json")
    monkeypatch.setattr(*what, full)
    with pytest.raises(WriteFailedError, match=r"could not be written \(.*No space left on device\); what was there"):
        log.append(change(2))
    monkeypatch.undo()
    assert told(log) == before
    assert segments(log) == files  # nothing half written, and nothing that a copy could take up
    assert log.append(change(3)) == 2
    assert [records[0][0] for records, *_ in told(log)[1]] == ["r1", "r3"]


def test_a_write_that_the_disk_refuses_makes_room_of_merged_files(log, monkeypatch):
    for number in range(3):
        log.append(change(number))
    log.replace(change(9))
    log.append(change(10))
    assert len(segments(log)) == 5
    before = told(log)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(segment_room, "save_file", full)
        with pytest.raises(WriteFailedError):
            log.append(change(11))
    assert segments(log) == ["00000004.safetensors", "00000005.safetensors"]
    assert told(log) == before


def test_an_occupied_folder_is_refused(log, tmp_path):
    with pytest.raises(InputError, match="holds an index already"):
        MemoryLog.create(log.folder, ABOUT)


def test_one_writer_at_a_time(log):
    order = []

    @contextmanager
    def told_of(name):
        with MemoryLog.open(log.folder).locked():
            order.append(f"{name} in")
            yield
            order.append(f"{name} out")

    def second():
        with told_of("second"):
            pass

    with told_of("first"):
        other = threading.Thread(target=second)
        other.start()
        other.join(0.1)
        assert other.is_alive()
    other.join(10)
    assert order == ["first in", "first out", "second in", "second out"]


def test_a_manifest_cannot_make_it_touch_other_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(segment_room, "KEPT_SECONDS", -1.0)
    index = create_index(f"memory:{tmp_path / 'index'}", dim=2, model="m", fields={})
    index.add([Record("a", np.array([1.0, 0.0], dtype=np.float32), {})])
    index.close()
    victim = tmp_path / "victim" / "00000001.safetensors"
    victim.parent.mkdir()
    victim.write_text("precious")
    manifest = json.loads((tmp_path / "index" / "index.json").read_text())
    own = Path(manifest["segments"][0]["file"])
    manifest["segments"][0]["file"] = f"../victim/{own.name}"
    (tmp_path / "index" / "index.json").write_text(json.dumps(manifest))
    (victim.parent / own.name).write_text("precious")
    with open_index(tmp_path / "index") as opened:
        opened.optimize()
    assert (victim.parent / own.name).read_text() == "precious"
    assert not (tmp_path / "index" / own).exists()


@pytest.mark.parametrize("segment", ["x", {"file": ""}, {"sha256": "a"}])
def test_a_damaged_list_of_segments_is_told(tmp_path, segment):
    create_index(f"memory:{tmp_path / 'index'}", dim=2, model="m", fields={}).close()
    file = tmp_path / "index" / "index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"segments": [segment]}))
    with pytest.raises(IndexDamagedError, match=r"is no segment"):
        open_index(tmp_path / "index")
