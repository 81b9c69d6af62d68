"""The rows of a file of scores, in the order in which they are wanted."""

from __future__ import annotations

import pytest

from bcls.cli.file_side import Side
from bcls.errors import InputError


@pytest.fixture
def ids_file(tmp_path):
    """A file of these ids, one a line."""

    def write(*ids: str) -> str:
        file = tmp_path / "ids.txt"
        file.write_text("".join(f"{one}\n" for one in ids))
        return str(file)

    return write


def test_ids_are_those_of_the_file(ids_file):
    assert Side("image", "i.npy", 2, ids_file("b", "a")).ids() == ["b", "a"]
    assert Side("image", "i.npy", 2, None).ids() is None


@pytest.mark.parametrize("rows", [1, 3])
def test_as_many_ids_as_rows_are_needed(ids_file, rows):
    with pytest.raises(InputError, match=rf"ids.txt: 2 ids for the {rows} captions? of c.npy$"):
        Side("caption", "c.npy", rows, ids_file("a", "b")).ids()


def test_rows_with_ids_are_put_in_the_order_wanted(ids_file):
    side = Side("image", "i.npy", 3, ids_file("c", "a", "b"))
    assert side.order(["a", "b", "c"], "the split").tolist() == [1, 2, 0]


def test_ids_that_differ_from_those_wanted_are_told_with_the_file(ids_file):
    side = Side("image", "i.npy", 2, ids_file("a", "b"))
    with pytest.raises(InputError, match=r"ids.txt: 1 ids of the split are not there: 'c'"):
        side.order(["a", "c"], "the split")
    with pytest.raises(InputError, match=r"ids.txt: 1 ids are not in the split: 'b'"):
        side.order(["a"], "the split")


def test_rows_without_ids_lie_in_the_order_wanted_already():
    order = Side("image", "i.npy", 3, None).order(["x", "y", "z"], "the split")
    assert order.tolist() == [0, 1, 2]


@pytest.mark.parametrize("rows", [2, 4])
def test_another_number_of_rows_without_ids_is_refused(rows):
    message = rf"c.npy: {rows} captions, but the split has 3; .* name their ids with --caption_ids$"
    with pytest.raises(InputError, match=message):
        Side("caption", "c.npy", rows, None).order(["x", "y", "z"], "the split")
