"""Segments on disk: the chain from the newest to the first, and which merged files stay how long."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

import bcls.search.memory_segments as room
from bcls.search.memory_segments import Change, newest_complete, read_segment, remove_superseded, write_segment


def written(folder, *versions: int, previous=None):
    """Segments of these versions, each after the one before."""
    segments = []
    for version in versions:
        change = Change([(f"r{version}", {})], np.float32([[version, 1]]), [])
        previous = write_segment(folder, version, change, previous)
        segments.append(previous)
    return segments


def names(folder) -> list[int]:
    return sorted(int(file.stem) for file in (folder / "segments").glob("[0-9]*.safetensors"))


def test_a_segment_comes_back(tmp_path):
    (segment,) = written(tmp_path, 7)
    change = read_segment(tmp_path, segment, 2)
    assert (change.records, change.vectors.tolist(), change.deleted) == ([("r7", {})], [[7, 1]], [])


@pytest.mark.parametrize(
    ("gone", "left"),
    [([], (4, [1, 2, 3, 4])), ([4], (3, [1, 2, 3])), ([3], (2, [1, 2])), ([2, 4], (1, [1])), ([1], None)],
)
def test_the_newest_version_whose_segments_are_all_there(tmp_path, gone, left):
    segments = written(tmp_path, 1, 2, 3, 4)
    (tmp_path / "segments" / ".00000009.half.safetensors").write_bytes(b"what a writer has begun")
    for version in gone:
        (tmp_path / segments[version - 1]["file"]).unlink()
    found = newest_complete(tmp_path)
    expected = left and (left[0], [segments[version - 1] for version in left[1]])
    assert found == expected


def test_a_segment_of_another_content_breaks_the_chain(tmp_path):
    segments = written(tmp_path, 1, 2)
    written(tmp_path, 3, previous=segments[-1])
    written(tmp_path, 2)  # another one of the same version, which follows none
    assert newest_complete(tmp_path) == (
        2,
        [{"file": "segments/00000002.safetensors", "sha256": found_of(tmp_path, 2)}],
    )


def found_of(folder, version: int) -> str:
    return room._digest(folder / "segments" / f"{version:08d}.safetensors")


def test_a_merged_segment_is_a_start(tmp_path):
    written(tmp_path, 1, 2)
    (merged,) = written(tmp_path, 3)
    (after,) = written(tmp_path, 4, previous=merged)
    assert newest_complete(tmp_path) == (4, [merged, after])


def test_merged_files_stay_for_a_while_and_the_live_ones_always(tmp_path):
    old, live = written(tmp_path, 1, 2), written(tmp_path, 3)
    remove_superseded(tmp_path, old, live)
    assert names(tmp_path) == [1, 2, 3]
    for segment in (old[0], *live):
        os.utime(tmp_path / segment["file"], (0, 0))
    remove_superseded(tmp_path, [], live)
    assert names(tmp_path) == [2, 3]
    os.utime(tmp_path / old[1]["file"], (time.time() + 1e6,) * 2)  # a clock that was set back
    remove_superseded(tmp_path, [], live)
    assert names(tmp_path) == [2, 3]


def test_a_segment_that_was_merged_just_now_stays_however_old_it_is(tmp_path):
    old, live = written(tmp_path, 1), written(tmp_path, 2)
    os.utime(tmp_path / old[0]["file"], (0, 0))
    remove_superseded(tmp_path, old, live)
    assert names(tmp_path) == [1, 2]


def test_there_is_an_end_to_how_many_and_how_large_they_are(tmp_path, monkeypatch):
    segments = written(tmp_path, *range(1, 8))
    for place, segment in enumerate(segments):
        os.utime(tmp_path / segment["file"], (time.time() - 100 + place,) * 2)
    monkeypatch.setattr(room, "KEPT_FILES", 3)
    remove_superseded(tmp_path, [], segments[-1:])
    assert names(tmp_path) == [4, 5, 6, 7]
    monkeypatch.setattr(room, "KEPT_BYTES", 0)  # then as much as the live one
    remove_superseded(tmp_path, [], segments[-1:])
    assert names(tmp_path) in ([6, 7], [7])  # of the same size, but for the segment that each names
