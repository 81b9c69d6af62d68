"""A disk that is really full: what was acknowledged stays, nothing half shows, and with room it goes on."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from bcls.search import Index, Record, WriteFailedError, create_index, open_index

DIM = 64
BALLAST = 1 << 20


def block_of(number: int, size: int) -> list[Record]:
    vectors = np.random.default_rng(number).normal(size=(size, DIM)).astype(np.float32)
    return [Record(f"{number:04d}-{row:04d}", vector, {"block": number}) for row, vector in enumerate(vectors)]


def check_holds(index: Index, added: dict[int, int]) -> None:
    """Every acknowledged record is there and found by search, and nothing else is."""
    assert index.count() == sum(added.values()), (index.count(), sum(added.values()))
    for number, size in added.items():
        given = block_of(number, size)
        there = index.get([one.id for one in given])
        assert [record and record.fields for record in there] == [{"block": number}] * size
        assert index.search(given[-1].vector[None], 1)[0][0].id == given[-1].id


def check_refused(write, *arguments) -> None:
    """The refusal is this package's, names the place, and says that nothing was harmed."""
    with pytest.raises(WriteFailedError) as error:
        write(*arguments)
    for words in ("could not be written", "No space left on device", "what was there before is untouched"):
        assert words in str(error.value), error.value


def fill_to_the_last_byte(file: Path) -> None:
    with file.open("wb", buffering=0) as opened, suppress(OSError):
        while True:
            opened.write(bytes(4096))


def use_up_the_inodes(folder: Path) -> None:
    folder.mkdir()
    with suppress(OSError):
        for number in range(100_000):
            (folder / str(number)).touch()


def fill(place: str, disk: Path, sizes: tuple[int, ...]) -> dict[int, int]:
    """Add blocks, ever smaller ones, until the disk is full; then look, make room, and add again."""
    (disk / "ballast").write_bytes(bytes(BALLAST))
    added: dict[int, int] = {}
    number = 0
    with create_index(place, dim=DIM, model="m", fields={"block": "int"}) as index:
        for size in sizes:
            refused = 0
            while refused < 2:
                number += 1
                try:
                    index.add(block_of(number, size))
                    added[number] = size
                except WriteFailedError:
                    refused += 1
                    assert index.count() == sum(added.values()), "half a block, or one that was said not to be there"
        fill_to_the_last_byte(disk / "rest")
        check_refused(index.add, block_of(9000, 1))
        check_refused(index.delete, [block_of(1, sizes[0])[0].id])
        check_holds(index, added)
        with open_index(place) as again:
            check_holds(again, added)
            check_refused(again.add, block_of(9000, 1))
        (disk / "ballast").unlink()
        for more in (9001, 9002):
            assert index.add(block_of(more, sizes[0])) == sizes[0]
            added[more] = sizes[0]
        assert index.delete([record.id for record in block_of(1, sizes[0])]) == added.pop(1)
        check_holds(index, added)
    with open_index(place) as again:
        check_holds(again, added)
    return added


def first_write_without_room(place: str, disk: Path) -> None:
    """An index that nothing was ever written to, on a disk that takes no further file."""
    with create_index(place, dim=DIM, model="m", fields={"block": "int"}) as index:
        use_up_the_inodes(disk / "many")
        assert os.statvfs(disk).f_favail == 0
        check_refused(index.add, block_of(1, 3))
        check_refused(index.delete, ["a"])
        check_refused(lambda: create_index(f"{place}-other", dim=DIM, model="m", fields={}))
        assert index.count() == 0
        for file in (disk / "many").iterdir():
            file.unlink()
        assert index.add(block_of(1, 3)) == 3
        check_holds(index, {1: 3})


@pytest.fixture(params=["memory", "lancedb"])
def prefix(request) -> str:
    """What stands before a folder, for each engine that has one."""
    if request.param == "lancedb":
        pytest.importorskip("lancedb")
        return ""
    return "memory:"


HEAD = """
import sys
from pathlib import Path
from tests.search.test_full_disk import fill, first_write_without_room
disk = Path(sys.argv[1])
"""


def test_a_full_disk_loses_nothing_and_with_room_it_goes_on(on_small_disk, prefix):
    told = on_small_disk(HEAD + f'print(len(fill(f"{prefix}{{disk}}/index", disk, (600, 60, 1))))')
    assert int(told) > 10


def test_a_merge_that_finds_no_room_does_not_deny_what_was_added(on_small_disk, prefix):
    fewer = "" if prefix else "import bcls.search.lance as room; room.WRITES_BETWEEN_MERGES = 3\n"
    told = on_small_disk(HEAD + fewer + f'print(len(fill(f"{prefix}{{disk}}/index", disk, (150,))))')
    assert int(told) > 10


def test_a_disk_without_room_for_a_file_refuses_the_first_write(on_small_disk, prefix):
    on_small_disk(HEAD + f'first_write_without_room(f"{prefix}{{disk}}/index", disk)')
