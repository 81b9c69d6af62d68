"""Graded validation in a LightningModule that knows nothing of this package."""

from __future__ import annotations

import warnings
from importlib import import_module

import pytest
import torch

from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, evaluate

L = pytest.importorskip("lightning", reason="needs the extra `train`")

from bcls.integrations.lightning import GradedValidation  # noqa: E402

TRUTH = RetrievalTruth.from_counts([2] * 6)
RELEVANCE = torch.rand(6, 12, generator=torch.Generator().manual_seed(0))


def module_of(lightning, returns="all"):
    class Pairs(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.tower = torch.nn.Linear(6, 6)

        def embed(self, rows):
            images = torch.eye(6)[torch.from_numpy(TRUTH.caption_image)[rows]]
            return self.tower(images), self.tower(images + 0.5 * torch.sin(rows)[:, None])

        def training_step(self, rows, index):
            images, captions = self.embed(rows)
            return torch.nn.functional.mse_loss(images, captions)

        def validation_step(self, rows, index):
            images, captions = self.embed(rows)
            if returns == "nothing":
                return None
            return {"image_embeddings": images, "caption_embeddings": captions, "caption_rows": rows, "loss": 0.0}

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    return Pairs()


def trainer_of(lightning, *callbacks, **settings):
    warnings.filterwarnings("ignore", module="lightning|pytorch_lightning")
    return lightning.Trainer(
        accelerator="cpu",
        callbacks=list(callbacks),
        enable_checkpointing=any("Checkpoint" in type(callback).__name__ for callback in callbacks),
        enable_model_summary=False,
        enable_progress_bar=False,
        logger=False,
        **settings,
    )


def loader(batch=5):
    return torch.utils.data.DataLoader(torch.arange(12), batch_size=batch)


@pytest.mark.parametrize("package", ["lightning", "pytorch_lightning"])
def test_every_epoch_is_judged_as_a_whole_and_monitors_see_it(package, tmp_path):
    lightning = import_module(package)
    module = module_of(lightning)
    checkpoint = import_module(f"{package}.callbacks" if "_" in package else f"{package}.pytorch.callbacks")
    best = checkpoint.ModelCheckpoint(dirpath=tmp_path, monitor="val/ndcg@10", mode="max")
    trainer = trainer_of(lightning, GradedValidation(TRUTH, relevance=RELEVANCE, prefix="val/"), best, max_epochs=2)
    trainer.fit(module, loader(), loader())
    with torch.no_grad():
        images, captions = module.embed(torch.arange(12))
    expected = evaluate(images[::2], captions, TRUTH, relevance=RELEVANCE)
    logged = {name: value.item() for name, value in trainer.callback_metrics.items()}
    assert {name: logged[f"val/{name}"] for name in expected} == pytest.approx(expected, rel=1e-5)
    assert best.best_model_score is not None


def test_a_second_loader_is_left_alone():
    trainer = trainer_of(L, GradedValidation(TRUTH))
    module = module_of(L)
    module.validation_step = lambda rows, index, dataloader_idx=0: (
        {**dict(zip(("image_embeddings", "caption_embeddings"), module.embed(rows), strict=True)), "caption_rows": rows}
        if dataloader_idx == 0
        else None
    )
    trainer.validate(module, [loader(), loader()], verbose=False)
    assert "validation/rsum" in trainer.callback_metrics


def test_a_module_that_returns_nothing_is_told_what_to_return():
    trainer = trainer_of(L, GradedValidation(TRUTH))
    with pytest.raises(InputError, match=r"Pairs.validation_step must return a dict with image_embeddings"):
        trainer.validate(module_of(L, returns="nothing"), loader(), verbose=False)


def test_a_part_of_the_data_is_refused():
    trainer = trainer_of(L, GradedValidation(TRUTH), limit_val_batches=1)
    with pytest.raises(InputError, match="of 6 images were in no batch"):
        trainer.validate(module_of(L), loader(), verbose=False)
