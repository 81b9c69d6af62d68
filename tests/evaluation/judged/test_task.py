"""What a judged protocol is given."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import CosineSimilarity, RetrievalTruth
from bcls.evaluation.judged.task import Task

TRUTH = RetrievalTruth(np.array([0, 1, 1]), 2, ["a.jpg", "b.jpg"], ["x", "y", "z"])
ROWS = np.arange(2), np.arange(3)


def test_scores_are_those_of_a_matrix_or_a_function():
    matrix = np.arange(6.0).reshape(2, 3)
    for similarity in (matrix, lambda images, captions: matrix[np.ix_(images, captions)]):
        scores = Task(similarity, TRUTH).scores()
        assert scores.block("image_to_text", *ROWS).tolist() == matrix.tolist()
        assert scores.what == "similarity"


def test_scores_are_checked():
    with pytest.raises(InputError, match=r"similarity matrix has shape \(3, 2\)"):
        Task(np.zeros((3, 2)), TRUTH).scores()
    with pytest.raises(InputError, match="caption_embeddings has 2 rows; the truth has 3 captions"):
        Task(CosineSimilarity(np.eye(2), np.eye(2)), TRUTH).scores()
    broken = Task(np.array([[0, 0, 0], [0, np.nan, 0]]), TRUTH).scores()
    with pytest.raises(InputError, match=r"image row 1 \(b\.jpg\) and caption row 1 \(y\) is nan"):
        broken.block("image_to_text", *ROWS)


def test_ids_are_those_of_the_side():
    task = Task(np.zeros((2, 3)), TRUTH)
    assert task.ids("image") == ["a.jpg", "b.jpg"]
    assert task.ids("caption") == ["x", "y", "z"]


@pytest.mark.parametrize("side", ["image", "caption"])
def test_a_side_without_ids_is_told_how_to_name_them(side):
    known = {f"{other}_ids": list("abc")[:count] for other, count in (("image", 2), ("caption", 3)) if other != side}
    task = Task(np.zeros((2, 3)), RetrievalTruth(np.array([0, 1, 1]), 2, **known))
    message = f"^this protocol finds its {side}s by their ids: name them with --{side}_ids, or give --data$"
    with pytest.raises(InputError, match=message):
        task.ids(side)


def test_relevance_and_files_may_be_left_out():
    task = Task(np.zeros((2, 3)), TRUTH)
    assert task.relevance is None
    assert task.files == ()
