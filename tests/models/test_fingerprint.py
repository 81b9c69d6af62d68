"""What tells models apart."""

from __future__ import annotations

import shutil

import pytest
import torch

from bcls.errors import InputError
from bcls.models import BagOfWordsTower, PooledFeatureTower, RetrievalModel, fingerprint


def test_is_of_the_content(tmp_path):
    model = RetrievalModel(PooledFeatureTower(dim=4), BagOfWordsTower(dim=4, minimum_count=1))
    model.image_tower.fit(torch.randn(5, 3).numpy())
    model.caption_tower.fit(["a dog"])
    model.save_pretrained(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "copy")
    with torch.no_grad():
        model.caption_tower.weights[0] += 1
    model.save_pretrained(tmp_path / "trained")
    assert fingerprint(tmp_path / "trained") != fingerprint(tmp_path / "one")
    (tmp_path / "copy" / "config.json").unlink()
    with pytest.raises(InputError, match=r"config.json"):
        fingerprint(tmp_path / "copy")
