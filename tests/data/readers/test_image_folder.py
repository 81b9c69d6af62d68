"""A folder of pictures and a table of captions."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.data import Caption, ImageRecord, check_dataset, read_image_folder
from bcls.errors import InputError


@pytest.fixture(params=["csv", "jsonl"])
def write(request, tmp_path):
    """Writes dicts in either form."""

    def written(rows):
        file = tmp_path / f"table.{request.param}"
        if request.param == "jsonl":
            file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            with file.open("w", newline="") as lines:
                writer = csv.DictWriter(lines, list(dict.fromkeys(key for row in rows for key in row)))
                writer.writeheader()
                writer.writerows(rows)
        return file

    return written


def test_a_file_on_several_rows_has_several_captions(write):
    dataset = read_image_folder(
        write(
            [
                {"file": "b.png", "caption": "a dog, running"},
                {"file": "a/a.png", "caption": 'a "cat"'},
                {"file": "b.png", "caption": "a puppy"},
            ]
        )
    )
    assert dataset.name == "table"
    assert dataset.images == (
        ImageRecord("b.png", "b.png", "all", (Caption("b.png#0", "a dog, running"), Caption("b.png#1", "a puppy"))),
        ImageRecord("a/a.png", "a/a.png", "all", (Caption("a/a.png#0", 'a "cat"'),)),
    )


def test_splits_and_ids_may_be_given(write):
    row = {"file": "a.png", "caption": "a dog", "split": "val", "image_id": "7", "caption_id": "70", "other": "?"}
    dataset = read_image_folder(write([row, {**row, "caption_id": ""}]))
    assert dataset.images == (ImageRecord("7", "a.png", "val", (Caption("70", "a dog"), Caption("7#1", "a dog"))),)


def test_files_are_relative_to_the_table_and_features_beside_it(write, tmp_path, write_pictures, save_array):
    write_pictures(tmp_path / "pictures", 2)
    save_array(tmp_path / "features" / "cnn.npy", (2, 3), ["pictures/i0.png", "pictures/i1.png"])
    dataset = read_image_folder(write([{"file": f"pictures/i{n}.png", "caption": f"grey {n}"} for n in range(2)]))
    assert check_dataset(dataset) == []
    assert dataset.feature_rows("cnn").tolist() == [0, 1]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.tuples(texts.filter(bool), texts), min_size=1, max_size=6))
@settings(deadline=None, max_examples=50)
def test_any_text_survives_a_csv_table(tmp_path_factory, rows):
    file = tmp_path_factory.mktemp("table") / "table.csv"
    with file.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows([["file", "caption"], *rows])
    dataset = read_image_folder(file)
    found = {image.file: [caption.text for caption in image.captions] for image in dataset.images}
    assert found == {name: [text for other, text in rows if other == name] for name, _ in rows}


def test_a_table_from_a_spreadsheet_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "t.csv").write_text("file,caption\r\na.png,café\r\n", encoding="utf-8-sig")
    assert read_image_folder(tmp_path / "t.csv").caption_texts == ["café"]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"file": "", "caption": "a dog"}, "needs a file and a caption"),
        ({"file": "a.png", "caption": "a cat", "split": "train"}, "a.png has another split or image_id above"),
        ({"file": "a.png", "caption": "a cat", "image_id": "7"}, "a.png has another split or image_id above"),
    ],
)
def test_a_bad_row_is_named(write, second, message):
    file = write([{"file": "a.png", "caption": "a dog"}, second])
    number = 3 if file.suffix == ".csv" else 2
    with pytest.raises(InputError, match=rf"{file.name}: row {number}: {message}"):
        read_image_folder(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"the header needs the columns file and caption, .*, not None"),
        (
            "file,text\na.png,a dog\n",
            r"the header needs the columns file and caption, .*, not \['file', 'text'\]",
        ),
        ("file,caption\n", "no rows"),
        ("file,caption\na.png\n", "row 2: needs a file and a caption"),
        ("file,caption\na.png,ok\na.png,a dog, running\n", "row 3: more fields than the header has"),
        ('file,caption\na.png,ok\na.png,"a dog\nb.png,a cat\n', "line 3: not CSV"),
        ("file,caption\na.png," + "x" * 200000, "line 2: not CSV .*limit"),
    ],
)
def test_a_malformed_csv_table_is_named_with_its_place(tmp_path, content, message):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(InputError, match=rf"t\.csv: {message}"):
        read_image_folder(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"file": ', "row 3: not JSON"),
        ("[]", "row 3: not a JSON object"),
        ('{"file": "a.png"}', "row 3: needs a file and a caption"),
        ('{"file": "a.png", "caption": null}', "row 3: needs a file and a caption"),
        ('{"file": "a.png", "caption": ["a dog"]}', "row 3: needs a file and a caption"),
        ('{"file": 5, "caption": "a dog"}', "row 3: needs a file and a caption"),
    ],
)
def test_a_malformed_json_row_is_named_with_its_place(tmp_path, write_lines, row, message):
    file = write_lines(tmp_path / "t.jsonl", [{"file": "a.png", "caption": "a dog"}, "", row])
    with pytest.raises(InputError, match=rf"t\.jsonl: {message}"):
        read_image_folder(file)


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_a_table_that_is_not_utf8_is_named_with_its_line(tmp_path, name):
    (tmp_path / name).write_bytes(b"file,caption\na.png,caf\xe9\n" if name == "t.csv" else b'\n{"file": "caf\xe9"}')
    with pytest.raises(InputError, match=rf"{name}: line 2: not UTF-8 text"):
        read_image_folder(tmp_path / name)


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_a_missing_table_is_named(tmp_path, name):
    with pytest.raises(InputError, match=f"{name}: no such file"):
        read_image_folder(tmp_path / name)


def test_zero_is_an_id_and_a_split(tmp_path, write_lines):
    rows = [
        {"file": f"p{i}.jpg", "caption": f"{i} {k}", "image_id": i, "caption_id": 2 * i + k, "split": i % 2}
        for i in range(3)
        for k in range(2)
    ]
    dataset = read_image_folder(write_lines(tmp_path / "t.jsonl", rows))
    assert dataset.image_ids == ["0", "1", "2"]
    assert dataset.caption_ids == ["0", "1", "2", "3", "4", "5"]
    assert dataset.splits == {"0": 2, "1": 1}


@pytest.mark.parametrize("key", ["image_id", "caption_id", "split"])
@pytest.mark.parametrize("value", [1.0, False, [], {}])
def test_an_id_that_is_neither_text_nor_whole_is_refused(tmp_path, write_lines, key, value):
    file = write_lines(tmp_path / "t.jsonl", [{"file": "a.jpg", "caption": "x", key: value}])
    with pytest.raises(InputError, match=rf"t\.jsonl: row 1: {key} is .*, not text, nor a whole number"):
        read_image_folder(file)


@pytest.mark.parametrize("absent", [None, ""])
def test_null_and_empty_are_no_ids(tmp_path, write_lines, absent):
    row = {"file": "a.jpg", "caption": "x", "image_id": absent, "caption_id": absent, "split": absent}
    dataset = read_image_folder(write_lines(tmp_path / "t.jsonl", [row]))
    assert (dataset.image_ids, dataset.caption_ids, dataset.splits) == (["a.jpg"], ["a.jpg#0"], {"all": 1})


def test_a_row_without_a_split_among_others_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("file,caption,split\na.jpg,x,train\nb.jpg,y,\n")
    with pytest.raises(InputError, match=r"t\.csv: row 3: has no split, but other rows have one"):
        read_image_folder(tmp_path / "t.csv")


def test_columns_that_are_not_read_are_counted(tmp_path, write_lines):
    (tmp_path / "t.csv").write_text("file,caption,Split,height\na.jpg,x,train,7\n")
    (kind,) = read_image_folder(tmp_path / "t.csv").left_out
    assert (kind.count, kind.example) == (2, "Split")
    rows = [{"file": "a.jpg", "caption": "x", "Split": "train"}, {"file": "b.jpg", "caption": "y", "Split": 1, "w": 2}]
    (kind,) = read_image_folder(write_lines(tmp_path / "t.jsonl", rows)).left_out
    assert (kind.count, kind.example) == (2, "Split")


def test_a_column_or_key_that_stands_there_twice_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("file,caption,caption\na.jpg,x,y\n")
    with pytest.raises(InputError, match="the column 'caption' stands in the header twice"):
        read_image_folder(tmp_path / "t.csv")
    (tmp_path / "t.jsonl").write_text('{"file": "a.jpg", "caption": "x", "caption": "y"}\n')
    with pytest.raises(InputError, match="row 1: the key 'caption' stands there twice"):
        read_image_folder(tmp_path / "t.jsonl")


CAPTIONS = ['two\nlines, "quoted"', "naïve 日本", "plain", "a\u2028b"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read_in_every_encoding_that_says_which_it_is(tmp_path, encoding, end):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end)
    writer.writerows([("file", "caption"), *((f"{n}.jpg", caption) for n, caption in enumerate(CAPTIONS))])
    content = text.getvalue()
    encoded = b"\xff\xfe" + content.encode("utf-16-le") if encoding == "utf-16-le-bom" else content.encode(encoding)
    (tmp_path / "t.csv").write_bytes(encoded)
    assert read_image_folder(tmp_path / "t.csv").caption_texts == CAPTIONS


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_table_may_be_separated_as_excel_does_it_elsewhere(tmp_path, separator):
    rows = [("file", "caption"), ("a.jpg", "one, two"), ("b.jpg", f"three{separator} four")]
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    (tmp_path / "t.csv").write_text(text.getvalue(), encoding="utf-8-sig", newline="")
    assert read_image_folder(tmp_path / "t.csv").caption_texts == ["one, two", f"three{separator} four"]


def test_two_separators_in_a_header_are_no_columns(tmp_path):
    (tmp_path / "t.csv").write_text("file;caption,split\na.jpg;x,val\n")
    with pytest.raises(InputError, match=r"separated by commas, semicolons or tabs, not \['file;caption', 'split'\]"):
        read_image_folder(tmp_path / "t.csv")


@pytest.mark.parametrize(
    "rows",
    [
        'a.jpg,"never closed\nb.jpg,swallowed\nc.jpg,also"\nd.jpg,x\n',
        'a.jpg,"never closed\nb.jpg,swallowed, with a comma\nc.jpg,also"\nd.jpg,x\n',
    ],
)
def test_rows_that_an_open_quotation_mark_swallows_are_refused(tmp_path, rows):
    (tmp_path / "t.csv").write_text("file,caption\n" + rows)
    with pytest.raises(InputError, match=r"line 4: the cell 'caption' that ends here has a line of its own for b\.jpg"):
        read_image_folder(tmp_path / "t.csv")


def test_a_caption_of_several_lines_stays_one(tmp_path):
    (tmp_path / "t.csv").write_text('file,caption\na.jpg,"one, two\nthree, four"\n')
    assert read_image_folder(tmp_path / "t.csv").caption_texts == ["one, two\nthree, four"]


def test_a_row_of_json_with_other_fields_says_which(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"file_name": "a.jpg", "text": "x", "caption": ["a", "b"], "file": ""}\n')
    with pytest.raises(
        InputError, match=r"fields are file_name \(str\), text \(str\), caption \(list\), file \(empty\)"
    ):
        read_image_folder(tmp_path / "t.jsonl")
