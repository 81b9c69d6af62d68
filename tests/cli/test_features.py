"""`bcls features`, as a person calls it, and a run on what it made."""

from __future__ import annotations

import json

import pytest
import yaml
from PIL import Image

from bcls.assessment.inputs import image_source
from bcls.cli.models import model_place
from bcls.data import read_dataset
from bcls.models import RetrievalModel
from bcls.models.exported import OnnxTowers
from tiny_folders import tiny_model


@pytest.fixture
def pictures(folder):
    """The data set's images as pictures, one of them broken."""
    (folder / "images").mkdir()
    lines = (folder / "images.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    for record in records:
        record["file"] = f"{record['id']}.png"
        Image.new("RGB", (20, 20), (int(record["id"]) * 10, 90, 30)).save(folder / "images" / record["file"])
    (folder / "images.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return folder


def test_features_are_made_and_trained_on(bcls, pictures, config, metrics_of, tmp_path):
    said = bcls("features", pictures, "--model", tiny_model("vit"), "--workers", "2")
    assert said.code == 0, said.err
    assert f"1 shard made, 0 were there; features vit (24, 16): {pictures / 'features' / 'vit'}" in said.out
    run = yaml.safe_load(config.read_text())
    run["data"]["features"] = "vit"
    still = {"dim": 8, "trained": "nothing"}
    for side, model in (("image_tower", "vit"), ("caption_tower", "bert")):
        kind = "PretrainedImageTower" if side == "image_tower" else "PretrainedCaptionTower"
        run["model"][side] = {"class_path": kind, "init_args": {"model": str(tiny_model(model)), **still}}
    config.write_text(yaml.safe_dump(run))
    said = bcls("train", "--config", config)
    assert said.code == 0, said.err
    run["data"]["features"] = None
    run["output"] = str(tmp_path / "from-pictures")
    config.write_text(yaml.safe_dump(run))
    assert bcls("train", "--config", config).code == 0
    assert bcls("evaluate", tmp_path / "run", "--scorer", "none").code == 0
    pytest.importorskip("onnxscript")
    said = bcls("export", tmp_path / "run", tmp_path / "onnx", "--split", "val")
    assert said.code == 0, said.err
    metrics = json.loads((tmp_path / "onnx" / "export.json").read_text())["metrics"]
    model = RetrievalModel.from_pretrained(model_place(tmp_path / "run"))
    part = read_dataset(pictures).split("val")
    images = image_source(part, None, model)
    for name, encoder in (("torch", model), ("onnx", OnnxTowers(tmp_path / "onnx", model.caption_tower))):
        assert metrics[name] == pytest.approx(metrics_of(encoder, part, images), abs=1e-9), name


def test_broken_pictures_are_listed_with_exit_code_1(bcls, pictures):
    (pictures / "images" / "5.png").write_bytes(b"")
    said = bcls("features", pictures, "--model", tiny_model("vit"), "--name", "mine")
    assert said.code == 1
    assert "broken: 5: " in said.out
    assert "1 image cannot be read, without features" in said.out
    told = json.loads((pictures / "features" / "mine" / "broken.json").read_text())
    assert [one["id"] for one in told] == ["5"]


def test_refusals_are_one_line(bcls, pictures, tmp_path):
    for words, named in [
        ((pictures,), "model"),
        ((pictures, "--model", tmp_path / "none"), "none"),
        ((tmp_path / "none", "--model", tiny_model("vit")), "none"),
        ((pictures, "--model", tiny_model("vit"), "--kind", "all"), "kind is 'all'"),
        ((pictures, "--model", tiny_model("bert")), "bert"),
        ((pictures, "--model", tiny_model("vit"), "--name", "a/b"), "--name 'a/b'"),
        ((pictures, "--model", "."), "--name ''"),
        ((pictures, "--model", tiny_model("vit"), "--device", "gpu"), "device 'gpu' cannot be used here"),
    ]:
        said = bcls("features", *words)
        assert said.code == 2, (words, said.err, said.out)
        assert said.err.count("\n") == 1
        assert named in said.err
