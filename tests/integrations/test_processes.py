"""The losses of open_clip's and sentence-transformers' shape over two processes, against one with the whole batch."""

from __future__ import annotations

import pytest

pytest.importorskip("sentence_transformers", reason="needs the extra `sentence-transformers`")

BATCH = """
import numpy as np
import torch
import torch.nn.functional as F
from bcls.integrations.open_clip import GradedClipLoss
from bcls.integrations.sentence_transformers import GradedRetrievalLoss
from bcls.relevance import CaptionRelevance, DenseEncodings

random = torch.Generator().manual_seed(0)
images, captions, encodings = (F.normalize(torch.randn(5, 4, generator=random), dim=1) for _ in range(3))
caption_image = np.array([0, 1, 2, 3, 1])
labels = CaptionRelevance(DenseEncodings(encodings.numpy()), caption_image)
relevance = torch.from_numpy(labels.matrix(caption_image, np.arange(5)))
blocks = torch.full((5, 5), torch.nan)
blocks[:2, :2], blocks[2:, 2:] = relevance[:2, :2], relevance[2:, 2:]
trained = GradedRetrievalLoss(torch.nn.Identity(), labels, caption_image)
ids = torch.from_numpy(caption_image)

def losses(rows, own):
    sides = [images[rows], captions[rows]]
    return [
        trained.compute_loss_from_embeddings(sides, torch.arange(5)[rows]).item(),
        GradedClipLoss()(*sides, torch.tensor(100.0), relevance=own, image_ids=ids[rows]).item(),
        GradedClipLoss()(*sides, torch.tensor(100.0), relevance=relevance, image_ids=ids[rows]).item(),
    ]
"""


@pytest.mark.slow  # each process imports sentence-transformers
def test_the_batch_is_that_of_all_processes(in_processes):
    alone: dict = {}
    exec(BATCH + "expected = losses(slice(0, 5), blocks)", alone)
    code = "rows = slice(0, 2) if rank == 0 else slice(2, 5)\nresult = losses(rows, relevance[rows, rows])"
    for found in in_processes(BATCH + code):
        assert found == pytest.approx(alone["expected"], abs=1e-6)
    assert alone["expected"][0] == pytest.approx(alone["expected"][2], abs=1e-6)
    assert alone["expected"][1] != pytest.approx(alone["expected"][2], abs=1e-4)
