"""Tables of ratings as rows, and scores as numbers in [0, 1]."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError, MissingExtraError
from bcls.relevance.rated_rows import read_rows, refuse_scale, rescaled


@pytest.fixture
def table(tmp_path):
    """Reads a CSV file of these bytes or this text: column names and all rows."""
    file = tmp_path / "ratings.csv"

    def read(content):
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        names, rows = read_rows(file)
        return names, list(rows)

    return read


@pytest.mark.parametrize(("lowest", "highest"), [(0, 5), (-1, 1), (1.0, 1.5), (-1e300, 1e300)])
def test_a_scale_that_rises_passes(lowest, highest):
    refuse_scale(lowest, highest)


@pytest.mark.parametrize(
    ("lowest", "highest"),
    [(1, 1), (2, 1), (0, float("inf")), (float("-inf"), 0), (float("nan"), 1), (0, float("nan")), (-1e308, 1e308)],
)
def test_a_scale_without_an_inside_is_refused(lowest, highest):
    with pytest.raises(InputError, match=r"^highest \(.*\) must be above lowest \(.*\), both finite$"):
        refuse_scale(lowest, highest)


@given(st.floats(0, 1), st.floats(-100, 100), st.floats(0.01, 100))
@settings(max_examples=40, deadline=None)
def test_a_score_becomes_its_share_of_the_scale(share, lowest, width):
    score = min(lowest + share * width, lowest + width)
    assert rescaled(score, "here", lowest, lowest + width) == pytest.approx(share, abs=1e-9)
    assert 0 <= rescaled(repr(score), "here", lowest, lowest + width) <= 1


def test_both_ends_belong_to_the_scale():
    assert (rescaled("1", "here", 1, 5), rescaled(5, "here", 1, 5), rescaled(" 3 ", "here", 1, 5)) == (0.0, 1.0, 0.5)


@pytest.mark.parametrize("value", ["", "good", None, [1], "1,5"])
def test_a_score_that_is_no_number_is_refused(value):
    with pytest.raises(InputError, match=r"^x.csv: row 7: score .* is not a number$"):
        rescaled(value, "x.csv: row 7", 0, 5)


@pytest.mark.parametrize("value", ["5.01", -0.01, "nan", float("nan"), "inf", "-inf"])
def test_a_score_off_the_scale_is_refused(value):
    with pytest.raises(
        InputError, match=rf"^x.csv: row 7: score {value} is not in \[0, 5\]; give lowest= and highest="
    ):
        rescaled(value, "x.csv: row 7", 0.0, 5.0)


def test_rows_of_a_csv_file_are_numbered_with_the_header_as_the_first(table):
    names, rows = table("a,b\n1,x\n2,y\n")
    assert names == ["a", "b"]
    assert rows == [(2, {"a": "1", "b": "x"}), (3, {"a": "2", "b": "y"})]


def test_an_empty_line_is_passed_over_but_counted(table):
    assert table("a,b\n\n1,x\n\n2,y\n\n")[1] == [(3, {"a": "1", "b": "x"}), (5, {"a": "2", "b": "y"})]


def test_quotes_spaces_and_a_byte_order_mark_are_read_as_spreadsheets_write_them(table):
    names, rows = table(b'\xef\xbb\xbfa, b\r\n"x, y", "two\nlines"\r\n"say ""hi""",\xc3\xa9\r\n')
    assert names == ["a", "b"]
    assert rows == [(2, {"a": "x, y", "b": "two\nlines"}), (3, {"a": 'say "hi"', "b": "é"})]


@pytest.mark.parametrize(("content", "names"), [("", []), ("a,b\n", ["a", "b"]), ("a,b", ["a", "b"])])
def test_a_file_without_rows_has_none(table, content, names):
    assert table(content) == (names, [])


@pytest.mark.parametrize(("row", "cells"), [("1", 1), ("1,2,3", 3)])
def test_a_row_of_another_length_is_refused_before_any_is_read(tmp_path, row, cells):
    file = tmp_path / "ratings.csv"
    file.write_text(f"a,b\n1,2\n{row}\n")
    with pytest.raises(InputError, match=rf"ratings.csv: row 3: {cells} cells under 2 columns$"):
        read_rows(file)


def test_unusable_files_are_refused(tmp_path, table):
    with pytest.raises(InputError, match=r"absent.csv: no such file"):
        read_rows(tmp_path / "absent.csv")
    with pytest.raises(InputError, match=": no such file"):
        read_rows(tmp_path)
    with pytest.raises(InputError, match=r"ratings.csv: line 1: not UTF-8 text"):
        table("é".encode("latin-1"))
    with pytest.raises(InputError, match=r"ratings.csv: not CSV \(field larger than"):
        table("a\n" + "x" * 200_000)


def test_rows_of_a_parquet_file_keep_their_types_and_count_from_one(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    file = tmp_path / "ratings.parquet"
    parquet.write_table(arrow.table({"a": ["x", None], "score": [0.5, 4.0]}), file)
    names, rows = read_rows(file)
    assert names == ["a", "score"]
    assert list(rows) == [(1, {"a": "x", "score": 0.5}), (2, {"a": None, "score": 4.0})]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PAR1 and no more"])
def test_a_file_that_is_parquet_by_name_alone_is_refused(tmp_path, content):
    pytest.importorskip("pyarrow")
    file = tmp_path / "ratings.parquet"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"ratings.parquet: not a readable parquet file \("):
        read_rows(file)


def test_parquet_without_its_library_tells_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "ratings.parquet").write_bytes(b"")
    with pytest.raises(MissingExtraError, match=r"bcls\[parquet\]"):
        read_rows(tmp_path / "ratings.parquet")


def test_a_damaged_parquet_file_is_named(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    file = tmp_path / "ratings.parquet"
    parquet.write_table(pyarrow.table({"score": [row / 7 for row in range(1000)]}), file)
    whole = file.read_bytes()
    messages, read = [], 0
    for place in range(4, len(whole) - 100, 97):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 255, whole[place + 1] ^ 255]) + whole[place + 2 :])
        try:
            read += len(list(read_rows(file)[1])) == 1000  # damage within a number cannot be told
        except InputError as error:
            messages.append(str(error))
    assert messages
    assert all(message.startswith(f"{file}: ") for message in messages)
    assert len(messages) + read == len(range(4, len(whole) - 100, 97))
