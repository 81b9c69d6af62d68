"""Captions per image vary: every epoch trains on all batches that the sampler has, and the schedule counts them."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np
import pytest
import torch

from bcls.data import (
    Caption,
    ImageRecord,
    RetrievalDataset,
    UniqueImageBatchSampler,
    read_dataset,
    write_dataset,
    write_features,
)
from bcls.data.batches import BatchAssembler
from bcls.training import inputs, load_config, train
from bcls.training.callbacks.history import read_history
from bcls.training.module import RetrievalModule

NOUNS = ["dog", "cat", "horse", "boat", "house", "tree"]


def _write_varying(folder: Path, seed: int) -> None:
    """60 training images of 1 to 20 captions each, few of them many; 12 validation images of one caption."""
    random = np.random.default_rng(seed)
    counts = [*np.minimum(random.geometric(0.25, 60), 20).tolist(), *[1] * 12]
    images = [
        ImageRecord(
            str(row),
            None,
            "train" if row < 60 else "val",
            tuple(Caption(f"{row}#{turn}", f"a {NOUNS[row % 6]} in scene {turn}") for turn in range(count)),
        )
        for row, count in enumerate(counts)
    ]
    features = np.eye(6)[np.arange(72) % 6] + random.normal(scale=0.1, size=(72, 6))
    write_dataset(folder, RetrievalDataset("varying", images, None, {}))
    write_features(folder / "features" / "vectors", [image.id for image in images], [features])


class Recorder:
    """The caption rows of each trained batch, and what the schedule was made for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.assembled: deque[list[int]] = deque()  # some batches ahead of the training
        self.rows: list[list[int]] = []
        self.scheduled: set[int] = set()
        self.epochs: list[int] = []
        self.fail_at: int | None = None
        assemble, step = BatchAssembler.__call__, RetrievalModule.training_step

        def recorded(assembler, rows):
            self.assembled.append(rows.tolist())
            return assemble(assembler, rows)

        def stepped(module, batch, index):
            if module.global_step == self.fail_at:
                raise KeyboardInterrupt
            self.rows.append(self.assembled.popleft())
            self.scheduled.add(module.steps)
            self.epochs.append(module.current_epoch)
            return step(module, batch, index)

        monkeypatch.setattr(BatchAssembler, "__call__", recorded)
        monkeypatch.setattr(RetrievalModule, "training_step", stepped)


@pytest.fixture
def recorder(monkeypatch):
    return Recorder(monkeypatch)


def _sampled(sampler, epochs: int) -> list[list[list[int]]]:
    """The caption rows of every batch of each epoch."""
    result = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        result.append([batch.tolist() for batch in sampler])
    return result


CASES = [(sampler, seed) for sampler in ("unique", "neighbours") for seed in (0, 1)]
MORE = [pytest.param("unique", seed, marks=pytest.mark.slow) for seed in range(2, 200)]


@pytest.mark.parametrize(("sampler", "seed"), [*CASES, *MORE])
def test_every_epoch_trains_on_all_of_its_batches(words, tmp_path, recorder, monkeypatch, seed, sampler):
    _write_varying(tmp_path / "data", seed)
    made = []
    make = inputs._sampler
    monkeypatch.setattr(inputs, "_sampler", lambda *given: made.append(make(*given)) or made[-1])
    more = ["--optimization.epochs", "4", "--optimization.batch_size", "24", "--data.sampler", sampler]
    folder = train(*load_config(words("--data.path", str(tmp_path / "data"), *more))).folder
    expected = _sampled(made[0], 4)
    assert recorder.rows == [rows for epoch in expected for rows in epoch]
    assert recorder.epochs == [epoch for epoch, batches in enumerate(expected) for _ in batches]
    assert recorder.scheduled == {sum(map(len, expected))}
    assert [row["step"] for row in read_history(folder / "history.csv")] == np.cumsum([*map(len, expected)]).tolist()


class Uneven(UniqueImageBatchSampler):
    """A sampler of one's own whose epochs differ in length."""

    lengths = (2, 5, 1, 4)

    def __len__(self):
        return self.lengths[self._epoch % 4]

    def __iter__(self):
        yield from list(super().__iter__())[: len(self)]


def test_a_sampler_may_have_epochs_of_different_lengths(words, tmp_path, recorder, monkeypatch, tiny_data):
    caption_image = read_dataset(tiny_data).split("train").caption_image
    monkeypatch.setattr(inputs, "_sampler", lambda *given: Uneven(caption_image, 16, seed=0))
    config = words("--optimization.epochs", "4", "--checkpoint_steps", "1", output="unbroken")
    unbroken = train(*load_config(config)).folder
    assert recorder.epochs == [0, 0, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3]
    assert recorder.rows == [rows for epoch in _sampled(Uneven(caption_image, 16), 4) for rows in epoch]
    assert recorder.scheduled == {12}
    whole = list(recorder.rows)

    for fail_at in (1, 4, 7):
        recorder.rows, recorder.fail_at = [], fail_at
        config = words("--optimization.epochs", "4", "--checkpoint_steps", "1", output=f"broken-{fail_at}")
        with pytest.raises(KeyboardInterrupt):
            train(*load_config(config))
        recorder.fail_at = None
        recorder.assembled.clear()  # what was assembled ahead and never trained on
        resumed = train(*load_config(config), resume=True).folder
        assert recorder.rows == whole
        ends = [torch.load(run / "checkpoints" / "last.ckpt", weights_only=True) for run in (unbroken, resumed)]
        assert ends[0]["global_step"] == ends[1]["global_step"] == 12
        assert all(torch.equal(ends[0]["state_dict"][name], value) for name, value in ends[1]["state_dict"].items())
        assert (unbroken / "model" / "model.safetensors").read_bytes() == (
            resumed / "model" / "model.safetensors"
        ).read_bytes()
        steps = [[row["step"] for row in read_history(run / "history.csv")] for run in (unbroken, resumed)]
        assert steps[0] == steps[1] == [2, 7, 8, 12]


def test_the_start_says_what_an_epoch_leaves_out_and_why(words, tmp_path, caplog):
    _write_varying(tmp_path / "data", 0)
    more = ["--optimization.epochs", "2", "--optimization.batch_size", "40"]
    with caplog.at_level("INFO", logger="bcls"):
        train(*load_config(words("--data.path", str(tmp_path / "data"), *more)))
    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("each epoch")]
    assert len(said) == 1
    assert "captions (up to 20) take turns" in said[0] or "captions (up to 1" in said[0]
