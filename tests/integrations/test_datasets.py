"""Columns of Hugging Face data sets to and from dataset folders, with the real library."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bcls.data import check_dataset, read_dataset
from bcls.errors import InputError
from bcls.relevance import RelevanceTable

datasets = pytest.importorskip("datasets", reason="needs the extra `datasets`")

from bcls.integrations.datasets import from_datasets, to_datasets  # noqa: E402


def grey(value):
    return Image.new("RGB", (8, 6), (value, value, value))


def pictures(columns):
    return datasets.Dataset.from_dict(columns).cast_column("image", datasets.Image())


def test_pictures_in_memory_become_a_dataset_folder_that_reads_back(tmp_path):
    data = pictures({"image": [grey(0), grey(9), grey(0)], "caption": ["black", "dark", "night"]})
    made = from_datasets(data, tmp_path / "set")
    read = read_dataset(tmp_path / "set")
    assert read.images == made.images
    assert read.caption_image.tolist() == [0, 0, 1]
    assert check_dataset(read) == []
    assert Image.open(read.image_path(1)).getpixel((0, 0)) == (9, 9, 9)
    with pytest.raises(InputError, match="holds a data set already"):
        from_datasets(data, tmp_path / "set")


def test_files_splits_and_lists_of_captions_under_other_names(tmp_path):
    for value in (1, 2, 3):
        grey(value).save(tmp_path / f"{value}.png")
    parts = {
        split: datasets.Dataset.from_dict(
            {"picture": [str(tmp_path / f"{value}.png") for value in values], "texts": [["a", "b"]] * len(values)}
        ).cast_column("picture", datasets.Image())
        for split, values in {"train": (1, 2), "test": (3,)}.items()
    }
    made = from_datasets(datasets.DatasetDict(parts), tmp_path / "set", image="picture", caption="texts")
    assert made.splits == {"train": 2, "test": 1}
    assert made.image_ids == ["train-0", "train-1", "test-0"]
    assert made.caption_texts == ["a", "b"] * 3
    assert [problem.kind for problem in check_dataset(made)] == ["same caption of several images"]


def test_scores_become_relevance(tmp_path):
    data = pictures(
        {
            "image": [grey(0), grey(0), grey(9), grey(9)],
            "caption": ["black", "grey", "black", "grey"],
            "score": [5.0, 2.0, 1.0, 4.0],
        }
    )
    part = from_datasets(data, tmp_path / "set", score="score").split("train")
    assert part.caption_texts == ["black", "grey"]
    table = RelevanceTable(tmp_path / "set" / "ratings-train.csv", lowest=0, highest=5)
    source = table.source(part.image_ids, part.caption_ids, part.caption_image)
    np.testing.assert_allclose(source.matrix(np.arange(2), np.arange(2)), [[1.0, 0.4], [0.2, 0.8]], rtol=1e-6)


def test_a_stream_is_read_as_well(tmp_path):
    data = pictures({"image": [grey(0), grey(9)], "caption": ["black", "dark"]}).to_iterable_dataset()
    assert from_datasets(data, tmp_path / "set").caption_texts == ["black", "dark"]


def test_a_stream_that_does_not_know_its_columns_is_read_as_well(tmp_path):
    def rows():
        yield {"image": grey(0), "caption": "black"}
        yield {"image": grey(9), "caption": "dark"}

    stream = datasets.IterableDataset.from_generator(rows)
    assert stream.column_names is None
    made = from_datasets(stream, tmp_path / "set")
    assert made.caption_texts == ["black", "dark"]
    assert check_dataset(made) == []
    with pytest.raises(InputError, match="train: no column 'score'; there are image, caption"):
        from_datasets(stream, tmp_path / "scored", score="score")


def test_bytes_of_picture_files_are_pictures(tmp_path):
    files = []
    for value in (1, 2, 1):
        file = io.BytesIO()
        grey(value).save(file, "png")
        files.append(file.getvalue())
    data = datasets.Dataset.from_dict({"image": files, "caption": ["a", "b", "c"]})
    made = from_datasets(data, tmp_path / "set")
    assert [image.file for image in made.images] == ["train-0.png", "train-1.png"]
    assert check_dataset(made) == []


@pytest.mark.parametrize(("value", "named"), [(3, "int"), (["a"], "list"), ({"file": "a"}, "dict")])
def test_what_is_no_picture_is_named(tmp_path, value, named):
    data = datasets.Dataset.from_dict({"image": [value], "caption": ["a"]})
    with pytest.raises(InputError, match=f"row 0: a picture, its bytes or a file name is expected, not {named}"):
        from_datasets(data, tmp_path / "set")


def test_what_is_no_data_set_is_named(tmp_path):
    with pytest.raises(InputError, match="a Dataset, an IterableDataset or a DatasetDict is expected, not list"):
        from_datasets([{"image": "a", "caption": "b"}], tmp_path / "set")


def test_there_and_back(tmp_path):
    made = from_datasets(pictures({"image": [grey(0), grey(9)], "caption": [["a", "b"], ["c"]]}), tmp_path / "set")
    back = to_datasets(made)
    assert back["caption"][:] == ["a", "b", "c"]
    assert back["label"][:] == [0, 1, 2]
    assert [picture.getpixel((0, 0))[0] for picture in back["image"]] == [0, 0, 9]
    again = from_datasets(back, tmp_path / "again")
    assert again.images == made.images


@pytest.mark.parametrize(
    ("columns", "settings", "message"),
    [
        ({"image": ["a"], "text": ["b"]}, {}, "train: no column 'caption'; there are image, text"),
        ({"image": ["a"], "caption": ["b"]}, {"score": "score"}, "no column 'score'"),
        ({"image": ["a", None], "caption": ["b", "c"]}, {}, "train: row 1: there is no picture"),
        ({"image": ["a"], "caption": [None]}, {}, "train: row 0: needs a caption"),
        ({"image": ["a"], "caption": ["b"], "score": [None]}, {"score": "score"}, "train: row 0: there is no score"),
    ],
)
def test_columns_that_do_not_fit_are_named(tmp_path, columns, settings, message):
    with pytest.raises(InputError, match=message):
        from_datasets(datasets.Dataset.from_dict(columns), tmp_path / "set", **settings)
    assert not (tmp_path / "set" / "dataset.json").exists()


def test_a_picture_that_is_gone_is_named(tmp_path):
    grey(1).save(tmp_path / "1.png")
    data = pictures({"image": [str(tmp_path / "1.png")], "caption": ["dark"]})
    (tmp_path / "1.png").unlink()
    with pytest.raises(InputError, match=r"row 0: .*1\.png cannot be read"):
        from_datasets(data, tmp_path / "set")


def test_a_row_of_a_stream_without_a_column_of_the_first_is_named(tmp_path):
    def rows():
        yield {"image": "a.jpg", "caption": "a dog"}
        yield {"image": "b.jpg", "text": "a cat"}

    with pytest.raises(InputError, match="train: row 1: there is no 'caption' in this row"):
        from_datasets(datasets.IterableDataset.from_generator(rows), tmp_path / "set")


def test_a_pair_rated_by_several_people_gets_the_mean(tmp_path):
    columns = {"image": ["a.jpg", "a.jpg", "b.jpg"], "caption": ["a dog"] * 3, "score": [5.0, 1.0, 4.0]}
    made = from_datasets(datasets.Dataset.from_dict(columns), tmp_path / "set", score="score")
    assert made.caption_image.tolist() == [1]
    table = RelevanceTable(tmp_path / "set" / "ratings-train.csv", highest=5.0)
    source = table.source(made.image_ids, made.caption_ids, made.caption_image)
    np.testing.assert_allclose(source.matrix(np.arange(2), np.arange(1)), [[0.6], [0.8]], atol=1e-6)
