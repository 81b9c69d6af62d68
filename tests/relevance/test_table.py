"""Tables of ratings: what is read, what is refused and where, what stays unknown."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError, MissingExtraError
from bcls.relevance import RelevanceTable
from bcls.relevance.table import TableRelevance

IMAGES = ["first.jpg", "second.jpg", "third.jpg"]
CAPTIONS = ["a", "b", "c", "d"]
CAPTION_IMAGE = np.array([0, 0, 1, 2])
NAN = np.nan


@pytest.fixture
def write(tmp_path):
    def make(*lines: str, name: str = "ratings.csv") -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return make


def everything(table, **how):
    return table.source(IMAGES, CAPTIONS, CAPTION_IMAGE, **how).matrix(np.arange(3), np.arange(4))


def test_image_ratings_hold_and_the_rest_is_unknown(write):
    table = RelevanceTable(
        write("score,image_id,judge,caption_id", "0.25,first.jpg,x,c", "0,second.jpg,y,a", "0.5,first.jpg,x,b")
    )
    assert len(table) == 3
    # b is an own caption of the first image: a rating of it holds
    np.testing.assert_array_equal(
        everything(table), np.array([[1, 0.5, 0.25, NAN], [0, NAN, 1, NAN], [NAN, NAN, NAN, 1]], dtype=np.float32)
    )


def test_scores_are_rescaled_by_the_stated_range(write):
    path = write("image_id,caption_id,score", "first.jpg,c,1", "first.jpg,d,4", "second.jpg,d,2")
    matrix = everything(RelevanceTable(path, lowest=1, highest=4))
    np.testing.assert_allclose([matrix[0, 2], matrix[0, 3], matrix[1, 3]], [0, 1, 1 / 3], atol=1e-7)


@pytest.mark.parametrize(("aggregate", "expected"), [("max", 0.8), ("mean", 0.5)])
def test_caption_ratings_count_for_both_images(write, aggregate, expected):
    path = write("caption_id_1,caption_id_2,score", "a,c,0.2", "c,b,0.8", "a,b,0.1")
    matrix = everything(RelevanceTable(path), aggregate=aggregate)
    wanted = [[1, 1, expected, NAN], [0.2, 0.8, 1, NAN], [NAN, NAN, NAN, 1]]  # a, b are of one image: own is 1
    np.testing.assert_allclose(matrix, wanted, atol=1e-6)


@given(
    rated=st.dictionaries(
        st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")).filter(lambda pair: pair[0] <= pair[1]),
        st.floats(0, 1).map(lambda score: round(score, 3)),
        max_size=9,
    ),
    aggregate=st.sampled_from(["max", "mean"]),
)
@settings(max_examples=60, deadline=None)
def test_caption_ratings_equal_the_loop(tmp_path_factory, rated, aggregate):
    path = tmp_path_factory.mktemp("table") / "ratings.csv"
    path.write_text("caption_id_1,caption_id_2,score\n" + "".join(f"{a},{b},{s}\n" for (a, b), s in rated.items()))
    expected = np.full((3, 4), NAN)
    for image in range(3):
        for j, caption in enumerate(CAPTIONS):
            own = [c for c, i in zip(CAPTIONS, CAPTION_IMAGE, strict=True) if i == image]
            known = [rated[key] for c in own if (key := (min(c, caption), max(c, caption))) in rated]
            if caption in own:
                expected[image, j] = 1
            elif known:
                expected[image, j] = max(known) if aggregate == "max" else sum(known) / len(known)
    np.testing.assert_allclose(everything(RelevanceTable(path), aggregate=aggregate), expected, atol=1e-6)


def test_any_rows_in_any_order_may_be_asked(write):
    source = RelevanceTable(write("image_id,caption_id,score", "first.jpg,c,0.25")).source(
        IMAGES, CAPTIONS, CAPTION_IMAGE
    )
    ours = source.matrix(np.array([2, 0, 0]), np.array([2, 2, 0]))
    np.testing.assert_array_equal(ours, [[NAN, NAN, NAN], [0.25, 0.25, 1], [0.25, 0.25, 1]])
    assert ours.dtype == np.float32
    assert source.matrix(np.array([], dtype=np.int64), np.arange(4)).shape == (0, 4)


def test_a_table_of_no_ratings_knows_own_captions_only(write):
    matrix = everything(RelevanceTable(write("image_id,caption_id,score")))
    np.testing.assert_array_equal(np.isnan(matrix), np.arange(3)[:, None] != CAPTION_IMAGE)


def test_what_spreadsheets_write_is_read(write):
    path = write("\ufeffimage_id, caption_id, score", '"first.jpg", c, 0.25', "")
    assert everything(RelevanceTable(path))[0, 2] == 0.25


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["image_id,score", "first.jpg,1"], "columns are image_id, score; needed are"),
        ([], "columns are missing; needed are"),
        (["image_id,caption_id,score,caption_id_1,caption_id_2"], "needed are, once each, either"),
        (["image_id,caption_id,score,score"], "the column 'score' is there twice"),
        (["image_id,caption_id,score", "first.jpg,a,1", "first.jpg,b,high"], "row 3: score 'high' is not a number"),
        (["image_id,caption_id,score", "first.jpg,a,"], "row 2: score '' is not a number"),
        (["image_id,caption_id,score", "first.jpg,a,nan"], r"row 2: score nan is not in \[0, 1\]"),
        (["image_id,caption_id,score", "first.jpg,a,1.5"], r"row 2: score 1.5 is not in \[0, 1\]; give lowest="),
        (["image_id,caption_id,score", "first.jpg,a,-inf"], r"row 2: score -inf is not in \[0, 1\]"),
        (["image_id,caption_id,score", ",a,1"], "row 2: image_id is empty"),
        (["image_id,caption_id,score", "first.jpg,a"], "row 2: 2 cells under 3 columns"),
        (["image_id,caption_id,score", "first.jpg,a,1,0"], "row 2: 4 cells under 3 columns"),
        (["image_id,caption_id,score", 'x,"a,1', "y,b,1"], "not CSV .*is a quotation mark left open"),
    ],
)
def test_crooked_tables_are_refused_with_their_row(write, lines, message):
    path = write(*lines)
    with pytest.raises(InputError, match=message) as caught:
        RelevanceTable(path)
    assert str(caught.value).startswith(str(path))


def test_ids_that_the_data_set_lacks_are_refused_with_three_examples(write):
    path = write("image_id,caption_id,score", *(f"{n}.jpg,a,1" for n in range(5)), "first.jpg,c,1")
    with pytest.raises(InputError, match="5 of 6 pairs name ids that the data set lacks") as caught:
        everything(RelevanceTable(path))
    assert str(caught.value).count(".jpg") == 3


def test_captions_and_images_must_agree_in_number(write):
    table = RelevanceTable(write("image_id,caption_id,score"))
    with pytest.raises(InputError, match="4 caption ids, but caption_image has 2 rows"):
        table.source(IMAGES, CAPTIONS, np.array([0, 1]))


@pytest.mark.parametrize(("lowest", "highest"), [(1, 1), (5, 0), (0, float("inf")), (0, float("nan"))])
def test_a_range_that_is_none_is_refused(write, lowest, highest):
    with pytest.raises(InputError, match="must be above lowest"):
        RelevanceTable(write("image_id,caption_id,score"), lowest=lowest, highest=highest)


def test_what_is_no_text_table_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        RelevanceTable(tmp_path / "absent.csv")
    (tmp_path / "latin.csv").write_bytes("image_id,caption_id,score\né,a,1\n".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8 text"):
        RelevanceTable(tmp_path / "latin.csv")
    (tmp_path / "huge.csv").write_text("image_id,caption_id,score\n" + "x" * 200_000 + ",a,1\n")
    with pytest.raises(InputError, match="not CSV"):
        RelevanceTable(tmp_path / "huge.csv")


def test_parquet_is_read_like_csv(tmp_path, write):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {"image_id": ["first.jpg", "second.jpg"], "caption_id": ["c", "a"], "score": [0.25, 0.0]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "ratings.parquet")
    text = write("image_id,caption_id,score", "first.jpg,c,0.25", "second.jpg,a,0")
    np.testing.assert_array_equal(
        everything(RelevanceTable(tmp_path / "ratings.parquet")), everything(RelevanceTable(text))
    )
    parquet.write_table(pyarrow.table(columns | {"score": [0.25, None]}), tmp_path / "hole.parquet")
    with pytest.raises(InputError, match="row 2: score None is not a number"):
        RelevanceTable(tmp_path / "hole.parquet")
    with pytest.raises(InputError, match="not a readable parquet file"):
        RelevanceTable(write("image_id", name="fake.parquet"))


def test_rows_and_ratings_that_there_cannot_be_are_refused():
    relevance = TableRelevance({(0, 1): 0.5}, 2, np.array([0, 1]))
    for rows in (([-1], [0]), ([2], [0])):
        with pytest.raises(InputError, match=r"image row .*: there are 2 images, counted from 0"):
            relevance.matrix(*map(np.array, rows))
    with pytest.raises(InputError, match="caption row 5: there are 2 captions"):
        relevance.matrix(np.array([0]), np.array([5]))
    with pytest.raises(InputError, match="caption row 9"):
        TableRelevance({(0, 9): 0.5}, 2, np.array([0, 1]))
    for wrong in (5.0, np.nan):
        with pytest.raises(InputError, match="the relevance of image row 1 and caption row 0 is"):
            TableRelevance({(0, 1): 0.5, (1, 0): wrong}, 2, np.array([0, 1]))


def test_says_which_extra_is_missing(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"bcls\[parquet\]"):
        RelevanceTable(write("x", name="ratings.parquet"))


@given(
    ratings=st.lists(
        st.tuples(st.sampled_from(["first.jpg", "second.jpg"]), st.sampled_from("abcd"), st.integers(0, 10)),
        max_size=30,
    )
)
@settings(max_examples=60, deadline=None)
def test_several_ratings_of_a_pair_count_by_their_mean(tmp_path_factory, ratings):
    path = tmp_path_factory.mktemp("table") / "ratings.csv"
    path.write_text("image_id,caption_id,score\n" + "".join(f"{i},{c},{s}\n" for i, c, s in ratings))
    table = RelevanceTable(path, highest=10)
    expected = np.full((3, 4), NAN)
    expected[CAPTION_IMAGE, np.arange(4)] = 1
    for image, caption in {(i, c) for i, c, _ in ratings}:
        given = [s for i, c, s in ratings if (i, c) == (image, caption)]
        expected[IMAGES.index(image), CAPTIONS.index(caption)] = sum(given) / len(given) / 10
        assert table.counts[image, caption] == len(given)
    np.testing.assert_allclose(everything(table), expected, atol=1e-6)


def test_captions_rated_in_both_orders_are_one_pair_and_it_is_said(write, caplog):
    with caplog.at_level("INFO", logger="bcls"):
        table = RelevanceTable(write("caption_id_1,caption_id_2,score", "a,c,1", "c,a,0", "a,d,0.5"))
    assert len(table) == 2
    assert table.counts == {("a", "c"): 2, ("a", "d"): 1}
    assert "1 of 2 pairs are rated more than once (up to 2 times): the mean of the ratings is taken" in caplog.text
    caplog.clear()
    RelevanceTable(write("caption_id_1,caption_id_2,score", "a,d,0.5"))
    assert caplog.text == ""


@pytest.mark.parametrize("name", [0.0, 1.5, True])
def test_an_id_that_is_neither_text_nor_whole_is_refused(tmp_path, name):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(
        pyarrow.table({"image_id": [name], "caption_id": ["a"], "score": [1.0]}), tmp_path / "t.parquet"
    )
    with pytest.raises(InputError, match=r"row 1: image_id is .*, neither text nor a whole number"):
        RelevanceTable(tmp_path / "t.parquet")


def test_zero_is_an_id(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"image_id": [0], "caption_id": [0], "score": [0.5]}), tmp_path / "t.parquet")
    source = RelevanceTable(tmp_path / "t.parquet").source(["0", "1"], ["0", "1"], np.array([1, 0]))
    assert source.matrix(np.array([0]), np.array([0])).tolist() == [[0.5]]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_table_says_its_encoding_by_its_first_bytes(tmp_path, encoding):
    (tmp_path / "t.csv").write_text("image_id,caption_id,score\nfirst.jpg,c,0.25\n", encoding=encoding)
    assert everything(RelevanceTable(tmp_path / "t.csv"))[0, 2] == 0.25
