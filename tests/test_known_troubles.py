"""Troubles of other projects that docs/known_troubles.md lists and no other test shows."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bcls import RetrievalTruth
from bcls.data import check_dataset, read_dataset
from bcls.errors import InputError
from bcls.evaluation import evaluate_similarity
from bcls.pictures import open_picture
from bcls.search import MemoryIndex, Record, create_index

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "known_troubles.md").read_text()


def test_every_test_that_the_page_names_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 35
    for file, name in named:
        assert re.search(rf"def {name}\(", (ROOT / file).read_text()), (file, name)


def test_every_row_of_the_page_has_a_thread_and_a_test():
    rows = [line for line in PAGE.splitlines() if line.startswith("| [")]
    assert len(rows) >= 35
    for row in rows:
        assert "https://github.com/" in row
        assert "`tests/" in row


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x00\0\0\0\0\0\0\0",  # orientation 0
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0\0\0\0\0",  # orientation 9
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x02\0\0\0\x36\0\0\0\0\0\0\0",  # the text "6"
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff garbage",
        b"Exif\0\0II*\0\xff\xff\xff\x7f",
        b"Exif\0\0garbage",
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_damaged_orientation_turns_nothing(tmp_path, exif, kind):
    Image.new("RGB", (20, 10), "red").save(tmp_path / "a", kind, exif=exif)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow tells of the damage
        assert open_picture(tmp_path / "a").size == (20, 10)


def test_a_model_that_scores_everything_alike_gets_the_worst_result():
    truth = RetrievalTruth.from_counts([1] * 20)
    metrics = evaluate_similarity(np.ones((20, 20)), truth, relevance=np.eye(20))
    assert metrics["rsum"] == 0
    assert metrics["ndcg@10"] == 0
    assert np.isnan(metrics["tau_b"])


def test_ties_can_count_as_their_mean():
    truth = RetrievalTruth.from_counts([1] * 20)
    metrics = evaluate_similarity(np.ones((20, 20)), truth, ties="expected")
    assert metrics["image_to_text/mean_rank"] == 10.5


@given(values=st.lists(st.integers(-2, 2), min_size=40, max_size=40), few=st.integers(1, 19))
@settings(deadline=None, max_examples=50)
def test_the_first_of_many_hits_are_the_hits_of_few(values, few):
    vectors = np.array(values, np.float32).reshape(20, 2) + 0.25  # many equal ones
    index = MemoryIndex(None, dim=2, model="m", fields={})
    index.add([Record(f"r{row}", vector, {}) for row, vector in enumerate(vectors)])
    query = np.array([[0.3, 1.0]])
    many, fewer = ([hit.id for hit in index.search(query, k)[0]] for k in (20, few))
    assert many[:few] == fewer


def test_the_first_of_many_hits_are_the_hits_of_few_on_lancedb(tmp_path):
    rng = np.random.default_rng(0)
    with create_index(tmp_path / "box", dim=8, model="m", fields={}) as index:
        index.add([Record(f"r{row}", vector, {}) for row, vector in enumerate(rng.normal(size=(600, 8)))])
        index.optimize()
        queries = rng.normal(size=(20, 8))
        many, fewer = ([[hit.id for hit in hits] for hits in index.search(queries, k)] for k in (15, 5))
    assert [hits[:5] for hits in many] == fewer


def test_ids_that_occur_twice_have_no_truth():
    with pytest.raises(InputError, match="the id 'a' is already that of row 0"):
        RetrievalTruth.from_ids(["a", "a"], ["a"])


def test_a_matrix_with_captions_as_rows_is_refused():
    with pytest.raises(InputError, match=r"has shape \(10, 2\); the truth has 2 images and 10 captions"):
        evaluate_similarity(np.zeros((10, 2)), RetrievalTruth.from_counts([5, 5]))


def test_grades_beyond_one_are_refused():
    with pytest.raises(InputError, match=r"is 4\.0, not between 0 and 1"):
        evaluate_similarity(np.eye(3), RetrievalTruth.from_counts([1] * 3), relevance=np.eye(3) * 4)


@pytest.mark.parametrize("word", ["null", "NA", "None", "nan", "n/a"])
def test_a_caption_is_the_text_that_stands_there(tmp_path, word):
    (tmp_path / "t.csv").write_text(f"file,caption\na.jpg,{word}\n")
    dataset = read_dataset(tmp_path)
    assert dataset.caption_texts == [word]
    kinds = [problem.kind for problem in check_dataset(dataset, pictures=False)]
    assert kinds == ["caption that stands for nothing"]


def test_splits_are_named_as_the_file_names_them(tmp_path):
    rows = "".join(f"{split}.jpg,a {split},{split}\n" for split in ("Train", "VAL", "validation", "dev"))
    (tmp_path / "t.csv").write_text("file,caption,split\n" + rows)
    dataset = read_dataset(tmp_path)
    assert list(dataset.splits) == ["Train", "VAL", "validation", "dev"]
    with pytest.raises(InputError, match="no split 'val'; there are Train, VAL, dev, validation"):
        dataset.split("val")


def test_a_cut_json_file_is_refused(tmp_path):
    (tmp_path / "dataset_x.json").write_text('{"images": [{"filename": "a.jpg", "sentences": [{"raw": "a br')
    with pytest.raises(InputError, match=r"dataset_x\.json: line 1: not JSON"):
        read_dataset(tmp_path)


def test_a_header_in_capitals_is_refused_with_what_is_there(tmp_path):
    (tmp_path / "t.csv").write_text("File,Caption\na.jpg,x\n")
    with pytest.raises(InputError, match=r"needs the columns file and caption.*\['File', 'Caption'\]"):
        read_dataset(tmp_path)
