"""CxC's rating files are read as they were published."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation.judged.cxc_ratings import read_cxc_ratings

CAPTION, IMAGE = "COCO_val2014:sentid:{}", "COCO_val2014_{:012d}.jpg"
SIDES = {"sts": (CAPTION, CAPTION), "sis": (IMAGE, IMAGE), "sits": (CAPTION, IMAGE)}
HEADERS = {"sts": "caption1,caption2", "sis": "image1,image2", "sits": "caption,image"}


@pytest.fixture
def read(tmp_path):
    """Writes lines into a file and reads it."""

    def write_and_read(*lines, ending="\n", encoding="utf-8"):
        path = tmp_path / "ratings.csv"
        path.write_bytes("".join(line + ending for line in lines).encode(encoding))
        return read_cxc_ratings(path)

    return write_and_read


@pytest.mark.parametrize("task", SIDES)
def test_the_header_tells_the_task_and_the_sides(read, task):
    first, second = SIDES[task]
    rows = [
        f"{first.format(a)},{second.format(b)},{rating},c2c" for a, b, rating in ((7, 8, 0), (9, 7, 5), (7, 7, 2.25))
    ]
    found = read(f"{HEADERS[task]},agg_score,sampling_method", *rows)
    assert found.task == task
    assert found.first.tolist() == [7, 9, 7]
    assert found.second.tolist() == [8, 7, 7]
    assert found.ratings.tolist() == [0, 5, 2.25]
    assert found.sides == tuple("caption" if side is CAPTION else "image" for side in SIDES[task])
    assert found.first.dtype == found.second.dtype == np.int64


def test_the_file_is_remembered(tmp_path):
    path = tmp_path / "sits.csv"
    path.write_text("caption,image,agg_score\n1,2,3\n")
    assert read_cxc_ratings(str(path)).source == path


def test_columns_behind_the_rating_are_free(read):
    assert read("caption,image,agg_score", "1,2,3").ratings.tolist() == [3]
    assert read("caption,image,agg_score,a,b", '1,2,3,x,"a, b"').ratings.tolist() == [3]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_line_ends_and_the_mark_of_a_spreadsheet_do_not_matter(read, ending, encoding):
    found = read("image1,image2,agg_score", "1,2,0.5", "", "3,4,4.5", ending=ending, encoding=encoding)
    assert found.task == "sis"
    assert found.first.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), r"ratings\.csv: the file is empty$"),
        (("", ""), "the file is empty$"),
        (("caption,image,agg_score",), "no pair is rated$"),
        (("caption,image",), "the header begins caption, image, not one of "),
        (("image,caption,agg_score", "1,2,3"), "the header begins image, caption, agg_score, not one of "),
        (("caption,image,agg_score", "1,2,3", "4,5"), r"ratings\.csv: row 3: 2 cells under 3 columns$"),
        (("caption,image,agg_score", "1,2,3,4"), "row 2: 4 cells under 3 columns$"),
        (("caption,image,agg_score", "1,dog,3"), "row 2: 'dog' is no COCO image id such as COCO_val2014_"),
        (("caption,image,agg_score", "1.jpg,2,3"), r"row 2: '1\.jpg' is no COCO caption id such as 770337"),
        (("image1,image2,agg_score", "1,2,3", "1,sentid:2,3"), "row 3: 'sentid:2' is no COCO image id"),
        (("caption,image,agg_score", "1,2,-0.1"), "row 2: the rating -0.1 is not between 0 and 5$"),
        (("caption,image,agg_score", "1,2,5.01"), "row 2: the rating 5.01 is not between 0 and 5$"),
        (("caption,image,agg_score", "1,2,inf"), "row 2: the rating inf is not between 0 and 5$"),
        (("caption,image,agg_score", "1,2,nan"), "row 2: the rating nan is not between 0 and 5$"),
        (("caption,image,agg_score", "1,2,"), "row 2: the rating '' is not a number$"),
    ],
)
def test_what_is_of_another_form_is_refused_and_its_row_is_named(read, lines, message):
    with pytest.raises(InputError, match=message):
        read(*lines)


def test_a_file_that_cannot_be_read_is_refused(tmp_path, read):
    with pytest.raises(InputError, match=r"nowhere\.csv: no such file$"):
        read_cxc_ratings(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="not CSV in UTF-8"):
        read_cxc_ratings(tmp_path)
    with pytest.raises(InputError, match=r"ratings\.csv: not CSV in UTF-8"):
        read("caption,image,agg_score", "1,2,3,é", encoding="latin-1")


def test_a_row_keeps_its_number_behind_an_empty_line(tmp_path):
    (tmp_path / "sits.csv").write_text("caption,image,agg_score\n1,2,3\n\n1,2,9\n")
    with pytest.raises(InputError, match=r"sits\.csv: row 4: the rating 9"):
        read_cxc_ratings(tmp_path / "sits.csv")
