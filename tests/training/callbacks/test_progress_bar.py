"""The bar of an epoch."""

from __future__ import annotations

import lightning as L
import torch
from torch.utils.data import DataLoader

from bcls.training.callbacks import EpochBar


class _Module(L.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch, index):
        return self.layer(batch).sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_epochs_are_counted_from_1(capsys):
    trainer = L.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, callbacks=[EpochBar()], max_epochs=2
    )
    trainer.fit(_Module(), DataLoader(torch.ones(4, 1)))
    shown = "".join(capsys.readouterr())
    assert "Epoch 1:" in shown
    assert "Epoch 2:" in shown
    assert "Epoch 0:" not in shown
