"""The loss for the trainer of sentence-transformers, against the loss on matrices, and in the real trainer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bcls.errors import InputError
from bcls.losses import BCLSLoss, InfoNCELoss
from bcls.relevance import CaptionRelevance, TfidfScorer

pytest.importorskip("sentence_transformers", reason="needs the extra `sentence-transformers`")
pytest.importorskip("accelerate", reason="needs the extra `sentence-transformers`")

from bcls.integrations.sentence_transformers import GradedRetrievalLoss

CAPTIONS = ["a red dog", "one red dog", "a blue dog", "a blue cat", "a green boat", "two green boats"]
CAPTION_IMAGE = np.array([0, 0, 1, 2, 3, 3])


@pytest.fixture
def relevance():
    return CaptionRelevance(TfidfScorer().fit(CAPTIONS).encode(CAPTIONS), CAPTION_IMAGE)


@pytest.fixture
def columns():
    random = torch.Generator().manual_seed(0)
    return [torch.randn(4, 5, generator=random) for _ in range(2)]


def test_the_value_is_that_of_the_matrices_and_no_caption_of_the_own_image_is_a_negative(relevance, columns):
    rows = torch.tensor([5, 0, 2, 1])  # 0 and 1 are of one image
    images = CAPTION_IMAGE[rows.numpy()]
    similarity = F.normalize(columns[0], dim=1) @ F.normalize(columns[1], dim=1).T
    labels = torch.from_numpy(relevance.matrix(images, rows.numpy()))
    positives = torch.eye(4, dtype=torch.bool)
    positives[1, 3] = positives[3, 1] = True
    loss = GradedRetrievalLoss(torch.nn.Identity(), relevance, CAPTION_IMAGE)
    features = [{"sentence_embedding": column} for column in columns]
    assert loss(features, rows) == BCLSLoss()(similarity, labels, positives)
    assert loss.compute_loss_from_embeddings(columns, rows[:, None]) == loss(features, rows)


def test_infonce_equals_the_symmetric_ranking_loss_of_the_library(relevance, columns):
    losses = pytest.importorskip("sentence_transformers.sentence_transformer.losses")
    theirs = losses.MultipleNegativesSymmetricRankingLoss(torch.nn.Identity(), scale=20.0)
    ours = GradedRetrievalLoss(torch.nn.Identity(), relevance, CAPTION_IMAGE, InfoNCELoss(temperature=0.05))
    rows = torch.tensor([0, 2, 3, 4])
    expected = theirs([{"sentence_embedding": column} for column in columns], None)
    torch.testing.assert_close(ours.compute_loss_from_embeddings(columns, rows), expected)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.rand(4), "Scores go into `relevance`"),
        (torch.arange(3), r"got \(3,\)"),
        (torch.tensor([0, 1, 2, 6]), "label 6: there are 6 captions"),
        (torch.tensor([0, 1, 2, -1]), "label -1"),
    ],
)
def test_labels_that_are_no_rows_are_refused(relevance, columns, labels, message):
    loss = GradedRetrievalLoss(torch.nn.Identity(), relevance, CAPTION_IMAGE)
    with pytest.raises(InputError, match=message):
        loss.compute_loss_from_embeddings(columns, labels)


def test_a_third_column_is_refused(relevance, columns):
    loss = GradedRetrievalLoss(torch.nn.Identity(), relevance, CAPTION_IMAGE)
    with pytest.raises(InputError, match="3 columns beside the label"):
        loss.compute_loss_from_embeddings([*columns, columns[0]], torch.arange(4))


def test_the_real_trainer_learns_text_pairs_and_the_model_card_tells_of_the_loss(relevance, tiny_clip, tmp_path):
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )

    model = SentenceTransformer(str(tiny_clip), device="cpu")
    loss = GradedRetrievalLoss(model, relevance, CAPTION_IMAGE)
    names = ["dog", "dog", "hound", "cat", "boat", "boat"]
    data = Dataset.from_dict({"anchor": names, "caption": CAPTIONS}).add_column("label", list(range(6)))
    settings = SentenceTransformerTrainingArguments(
        str(tmp_path),
        num_train_epochs=15,
        learning_rate=3e-3,
        per_device_train_batch_size=6,
        logging_steps=1,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = SentenceTransformerTrainer(model=model, args=settings, train_dataset=data, loss=loss)
    trainer.train()
    history = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert history[-1] < 0.7 * history[0]
    assert "2210.11319" in model.model_card_data.citations["GradedRetrievalLoss"]
    assert loss.get_config_dict()["relevance"] == "CaptionRelevance"
