"""Saved pretrained models: whole without the folder they came from, and safe to open."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from bcls.errors import InputError
from bcls.models import (
    BagOfWordsTower,
    PooledFeatureTower,
    PretrainedCaptionTower,
    PretrainedImageTower,
    RetrievalModel,
    SumCaptionTower,
)
from tiny_folders import tiny_model

CAPTIONS = ["A dog runs on the grass", "two men in hats"]
KINDS = {
    "clip": ({}, {}),
    "siglip": ({}, {}),
    "adapters": ({"trained": "lora", "weights": "bfloat16"}, {"trained": "lora"}),
    "frozen pair": ({"dim": 5, "trained": "nothing"}, {"dim": 5, "trained": "nothing", "pooling": "max"}),
}
FOLDERS = {"clip": ("clip", "clip"), "siglip": ("siglip", "siglip"), "adapters": ("clip", "clip")}


def make(kind: str, place: Path, pictures) -> RetrievalModel:
    """A model of folders that lie at `place`."""
    names = FOLDERS.get(kind, ("dinov2", "bert"))
    for name in set(names):
        shutil.copytree(tiny_model(name), place / name)
    image, caption = KINDS[kind]
    torch.manual_seed(0)
    model = RetrievalModel(
        PretrainedImageTower(model=str(place / names[0]), **image),
        PretrainedCaptionTower(model=str(place / names[1]), **caption),
    )
    model.image_tower.fit(pictures)
    model.caption_tower.fit(CAPTIONS)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture
def saved(tmp_path, pictures) -> Path:
    """A saved CLIP, to damage."""
    make("clip", tmp_path / "from", pictures).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def change(folder: Path, side: str, alter: Callable[[dict], None]) -> None:
    config = json.loads((folder / "config.json").read_text())
    alter(config[side]["fitted"])
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_needs_its_origin_no_more(kind, pictures, tmp_path):
    model = make(kind, tmp_path / "from", pictures)
    model.save_pretrained(tmp_path / "model")
    shutil.rmtree(tmp_path / "from")
    again = RetrievalModel.from_pretrained(tmp_path / "model")
    with torch.no_grad():
        assert torch.equal(again.encode_image(pictures), model.encode_image(pictures))
        assert torch.equal(again.encode_text(CAPTIONS), model.encode_text(CAPTIONS))
    learning = [sorted(n for n, p in one.named_parameters() if p.requires_grad) for one in (model, again)]
    assert learning[0] == learning[1]
    again.save_pretrained(tmp_path / "twice")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "twice" / name).read_bytes() == (tmp_path / "model" / name).read_bytes()
    assert sorted(file.name for file in (tmp_path / "model").iterdir()) == ["config.json", "model.safetensors"]
    assert str(tmp_path) not in (tmp_path / "model" / "config.json").read_text()


def test_a_sum_with_a_pair_in_its_own_space_needs_its_origin_no_more(tmp_path, monkeypatch):
    shutil.copytree(tiny_model("clip"), tmp_path / "from")
    own = PretrainedCaptionTower(model=str(tmp_path / "from"))
    summed = SumCaptionTower(towers=[own, BagOfWordsTower(dim=own.dim, minimum_count=1)])
    model = RetrievalModel(PooledFeatureTower(dim=own.dim), summed)
    model.image_tower.fit(np.random.default_rng(0).normal(size=(5, 4)))
    model.caption_tower.fit(CAPTIONS)
    model.eval().save_pretrained(tmp_path / "model")
    shutil.rmtree(tmp_path / "from")
    monkeypatch.setattr("bcls.models.pretrained.tower.read_config", lambda *_: pytest.fail("asked for the origin"))
    again = RetrievalModel.from_pretrained(tmp_path / "model")
    with torch.no_grad():
        assert torch.equal(again.encode_text(CAPTIONS), model.encode_text(CAPTIONS))


@pytest.mark.parametrize(
    ("side", "alter", "message"),
    [
        ("image_tower", lambda f: f["config"].update(model_type="nonesuch"), "image_tower: an encoder of the kind"),
        ("image_tower", lambda f: f["config"].update(model_type=3), "image_tower: no config of a pretrained encoder"),
        ("image_tower", lambda f: f.update(config=None), "image_tower: no config of a pretrained encoder"),
        ("image_tower", lambda f: f["config"].update(hidden_size=-4), "image_tower: an encoder of the kind"),
        ("image_tower", lambda f: f["config"].update(hidden_size="wide"), "image_tower: an encoder of the kind"),
        ("image_tower", lambda f: f["config"].update(hidden_size=32), r"image_tower.encoder.* but config.json says"),
        ("image_tower", lambda f: f["processor"].update(image_processor_type="Popen"), "no Pillow image processor"),
        ("image_tower", lambda f: f.update(processor=[]), "no Pillow image processor"),
        ("image_tower", lambda f: f.pop("width"), "image_tower: 'fitted' cannot be used"),
        ("image_tower", lambda f: f.pop("encoder_hash"), "image_tower: 'fitted' cannot be used"),
        ("image_tower", lambda f: f.update(encoder_hash=3), "image_tower: encoder_hash is no text"),
        ("caption_tower", lambda f: f["tokenizer"].update(files={}), "caption_tower: no files of a tokenizer"),
        ("caption_tower", lambda f: f["tokenizer"].update(files="x"), "caption_tower: no files of a tokenizer"),
        ("caption_tower", lambda f: f["tokenizer"]["files"].update({"../evil.py": "x"}), "no files of a tokenizer"),
        ("caption_tower", lambda f: f["tokenizer"]["files"].update({"tokenizer.json": 3}), "tokenizer.json is no text"),
        ("caption_tower", lambda f: f["tokenizer"]["files"].update({"tokenizer.json": "{"}), "the tokenizer cannot"),
        ("caption_tower", lambda f: f["tokenizer"]["files"].update({"spiece.model": "??"}), "is not base64"),
        ("caption_tower", lambda f: f.pop("tokenizer"), "caption_tower: 'fitted' cannot be used"),
    ],
)
def test_changed_configs_are_refused_by_name(saved, side, alter, message):
    change(saved, side, alter)
    with pytest.raises(InputError, match=message):
        RetrievalModel.from_pretrained(saved)


def test_code_that_a_tokenizer_names_is_not_run(saved, tmp_path, monkeypatch):
    """The library's own class is taken, also where a module of that name could be imported."""
    ran = tmp_path / "ran"
    (tmp_path / "evil.py").write_text(f"open({str(ran)!r}, 'w')\nclass Tokenizer: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    expected = RetrievalModel.from_pretrained(saved).encode_text(["a dog"])

    def alter(fitted):
        settings = json.loads(fitted["tokenizer"]["files"]["tokenizer_config.json"])
        settings["auto_map"] = {"AutoTokenizer": ["evil.Tokenizer", None]}
        fitted["tokenizer"]["files"]["tokenizer_config.json"] = json.dumps(settings)

    change(saved, "caption_tower", alter)
    assert torch.equal(RetrievalModel.from_pretrained(saved).encode_text(["a dog"]), expected)
    assert not ran.exists()
    assert "evil" not in sys.modules


def test_tensors_of_the_encoder_must_be_there(saved):
    from safetensors.torch import load_file, save_file

    tensors = load_file(saved / "model.safetensors")
    tensors.pop("caption_tower.encoder.text_projection.weight")
    save_file(tensors, saved / "model.safetensors")
    with pytest.raises(InputError, match=r"missing \['caption_tower.encoder.text_projection.weight'\]"):
        RetrievalModel.from_pretrained(saved)
