"""An image file that breaks during a run: the run stops with the file's name and goes on once the file is whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from bcls import cli
from bcls.data import Caption, ImageRecord, RetrievalDataset, write_dataset
from bcls.data import images as images_module
from bcls.errors import UnreadableImageError


@pytest.fixture
def image_words(words, tmp_path):
    """A run on 24 image files."""
    folder = tmp_path / "data"
    random = np.random.default_rng(0)
    records = []
    for number in range(24):
        split = "train" if number < 16 else "val"
        records.append(ImageRecord(f"{number}", f"{number}.png", split, (Caption(f"{number}#0", f"image {number}"),)))
    write_dataset(folder, RetrievalDataset("images", records))
    (folder / "images").mkdir(exist_ok=True)
    for number in range(24):
        pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")

    def make(output: str, *more: str) -> list[str]:
        return [
            "train",
            *words(output=output),
            *("--data.path", str(folder), "--data.features", "null", "--checkpoint_steps", "1"),
            *("--model.image_tower", "ConvTower", "--model.image_tower.dim", "16"),
            *("--model.image_tower.image_size", "8", "--optimization.batch_size", "4"),
            *more,
        ]

    return make


def test_the_run_stops_with_the_name_and_resumes_as_if_nothing_had_happened(image_words, tmp_path, monkeypatch, capsys):
    assert cli.main(image_words("unbroken")) == 0
    opened, real = [], images_module.open_picture

    def of_a_drive_that_vanishes(path):
        opened.append(path)
        if len(opened) == 11:  # in the third step of four
            raise UnreadableImageError(f"{path}: not a readable picture (Input/output error)")
        return real(path)

    monkeypatch.setattr(images_module, "open_picture", of_a_drive_that_vanishes)
    capsys.readouterr()
    assert cli.main(image_words("broken")) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith(f"bcls: error: {opened[10]}: not a readable picture (Input/output error); then go on")
    assert said.endswith("--resume true")
    assert not (tmp_path / "broken" / "result.json").exists()
    assert cli.main(image_words("broken", "--resume", "true")) == 0
    ends = [
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True) for name in ("unbroken", "broken")
    ]
    assert ends[0]["global_step"] == ends[1]["global_step"] == 12
    assert all(torch.equal(ends[0]["state_dict"][name], ends[1]["state_dict"][name]) for name in ends[0]["state_dict"])
