"""Our metrics as a torchmetrics `Metric`, against the evaluation, torchmetrics' own metrics, and real processes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, evaluate

torchmetrics = pytest.importorskip("torchmetrics", reason="needs the extra `metrics`")

from bcls.integrations.torchmetrics import RetrievalMetrics  # noqa: E402

TASK = """
import torch
from bcls.evaluation import RetrievalTruth
from bcls.integrations.torchmetrics import RetrievalMetrics
random = torch.Generator().manual_seed(0)
truth = RetrievalTruth.from_counts([1, 2, 3, 1, 2])
images, captions = torch.randn(5, 4, generator=random), torch.randn(9, 4, generator=random)
relevance = torch.rand(5, 9, generator=random)
metrics = RetrievalMetrics(truth, relevance=relevance, ndcg_at=3, tau_at=4)
def update(rows):
    metrics.update(images[torch.from_numpy(truth.caption_image)[rows]], captions[rows], rows)
"""


@pytest.fixture
def task():
    names: dict = {}
    exec(TASK, names)
    names["expected"] = evaluate(
        names["images"], names["captions"], names["truth"], relevance=names["relevance"], ndcg_at=3, tau_at=4
    )
    return names


def floats(metrics):
    return {name: float(value) for name, value in metrics.items()}


def test_batches_in_any_order_equal_the_evaluation_of_the_whole(task):
    for rows in ([8, 3], [0, 1, 2], [4, 5, 6, 7]):
        task["update"](torch.tensor(rows))
    assert floats(task["metrics"].compute()) == pytest.approx(task["expected"], nan_ok=True)


def test_two_processes_equal_one_even_where_a_sampler_repeats(task, in_processes):
    results = in_processes(
        TASK
        + """
for rows in ([[0, 2], [4, 6, 8]] if rank == 0 else [[1, 3, 5, 7], [0]]):  # 0 again: the sampler's filling
    update(torch.tensor(rows))
result = {name: value.item() for name, value in metrics.compute().items()}
"""
    )
    for result in results:
        assert result == pytest.approx(task["expected"], nan_ok=True)


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_a_process_without_a_batch_takes_part(task, in_processes):
    results = in_processes(
        TASK
        + """
if rank == 1:
    update(torch.arange(9))
result = {name: value.item() for name, value in metrics.compute().items()}
assert (len(metrics.image_embeddings), len(metrics.caption_rows)) == (rank, rank)  # as before the gathering
"""
    )
    for result in results:
        assert result == pytest.approx(task["expected"], nan_ok=True)


def test_recall_and_tau_b_equal_those_of_torchmetrics(task):
    task["update"](torch.arange(9))
    found = task["metrics"].compute()
    unit = torch.nn.functional.normalize
    scores = unit(task["images"]) @ unit(task["captions"]).T
    positive = torch.from_numpy(task["truth"].caption_image)[None, :] == torch.arange(5)[:, None]
    image = torch.arange(5)[:, None].expand(5, 9)
    hit = torchmetrics.retrieval.RetrievalHitRate(top_k=1)
    for direction, turn in (("image_to_text", lambda matrix: matrix), ("text_to_image", lambda matrix: matrix.T)):
        queries = turn(image) if direction == "image_to_text" else torch.arange(9)[:, None].expand(9, 5)
        value = hit(turn(scores + 2).flatten(), turn(positive).flatten(), queries.flatten())  # it drops scores <= 0
        assert found[f"{direction}/recall@1"] == pytest.approx(100 * value.item(), abs=1e-4)
        tau = torchmetrics.regression.KendallRankCorrCoef(variant="b", num_outputs=len(turn(scores)))
        assert found[f"{direction}/tau_b"] == pytest.approx(
            tau(turn(scores).T, turn(task["relevance"]).T).mean().item(), abs=1e-5
        )


def test_captions_and_images_may_come_apart_and_reset_forgets(task):
    metrics = task["metrics"]
    metrics.update(task["images"][:2], task["captions"][:0], [], image_rows=[0, 1])
    metrics.reset()
    metrics.update(task["images"], task["captions"].half(), np.arange(9), image_rows=torch.arange(5))
    assert metrics.compute()["text_to_image/queries"] == 9


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_a_part_of_the_task_is_refused(task):
    with pytest.raises(InputError, match="5 of 5 images were in no batch"):
        task["metrics"].compute()
    task["update"](torch.arange(8))
    with pytest.raises(InputError, match="1 of 9 captions were in no batch, the first is row 8"):
        task["metrics"].compute()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([0, 9], "caption row 9: the truth has 9 captions"),
        ([0, -1], "caption row -1"),
        ([0], "2 caption embeddings, but caption_rows is"),
        ([0.0, 1.0], "of float64"),
    ],
)
def test_rows_that_are_none_are_refused(rows, message):
    metrics = RetrievalMetrics(RetrievalTruth.from_counts([9]))
    with pytest.raises(InputError, match=message):
        metrics.update(torch.randn(2, 4), torch.randn(2, 4), rows)


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [
        (torch.ones(2), torch.ones(2), r"image embeddings are \(2,\); they must be \(images, 4\)"),
        (torch.ones(2, 4), torch.ones(2, 3), r"caption embeddings are \(2, 3\); they must be \(captions, 4\)"),
        (torch.ones(2, 5), torch.ones(2, 5), r"image embeddings are \(2, 5\); they must be \(images, 4\)"),
    ],
)
def test_embeddings_of_several_sizes_are_refused(images, captions, message):
    metrics = RetrievalMetrics(RetrievalTruth.from_counts([1, 1, 1]))
    metrics.update(torch.ones(1, 4), torch.ones(1, 4), [2])
    with pytest.raises(InputError, match=message):
        metrics.update(images, captions, [0, 1])
