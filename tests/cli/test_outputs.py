"""What a command writes never replaces something else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bcls.cli.outputs import refuse_other
from bcls.data import read_dataset
from bcls.errors import InputError
from bcls.files import write_json

ABOUT = {"model": "runs/a", "protocol": "coco-5k", "top": None}


@pytest.mark.parametrize(
    ("content", "allowed"),
    [
        (None, True),
        ({"about": ABOUT}, True),
        ({"about": {"model": "runs/a", "protocol": "coco-5k"}}, True),  # null and absent are the same
        ({"about": {**ABOUT, "protocol": "coco-1k"}}, False),
        ({"about": {**ABOUT, "first_stage": "runs/b"}}, False),
        ({"about": {"model": "runs/a"}}, False),
        ({"model": "runs/a"}, False),
        (["a list"], False),
    ],
)
def test_only_the_same_result_may_be_replaced(tmp_path, content, allowed):
    file = tmp_path / "result.json"
    if content is not None:
        write_json(file, content)
    if allowed:
        refuse_other(file, ABOUT, overwrite=False)
    else:
        with pytest.raises(InputError, match=r"result.json: .*--output, or add --overwrite true to replace it"):
            refuse_other(file, ABOUT, overwrite=False)
    refuse_other(file, ABOUT, overwrite=True)


def test_a_file_that_is_no_json_is_somebody_elses(tmp_path):
    (tmp_path / "captions.txt").write_text("a dog")
    with pytest.raises(InputError, match="is there already, and no result of this command"):
        refuse_other(tmp_path / "captions.txt", ABOUT, overwrite=False)


def test_the_message_tells_what_differs(tmp_path):
    write_json(tmp_path / "r.json", {"about": {**ABOUT, "protocol": "coco-1k"}})
    with pytest.raises(InputError, match=r"holds another result \(protocol was coco-1k, is coco-5k\)"):
        refuse_other(tmp_path / "r.json", ABOUT, overwrite=False)
    refuse_other(tmp_path / "r.json", ABOUT, overwrite=False, ignored=("protocol",))


@pytest.fixture
def files(folder, tmp_path, monkeypatch):
    """Embeddings of the validation split, by two models, in a working folder."""
    monkeypatch.chdir(tmp_path)
    part = read_dataset(folder).split("val")
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        Path(name).mkdir()
        np.save(f"{name}/i.npy", random.normal(size=(len(part.images), 6)))
        np.save(f"{name}/c.npy", random.normal(size=(len(part.caption_ids), 6)))
    np.save("rows.npy", part.caption_image)
    return folder


def evaluated(bcls, model, *words):
    said = bcls("evaluate", "--image-embeddings", f"{model}/i.npy", "--caption-embeddings", f"{model}/c.npy", *words)
    return said, {file.name: json.loads(file.read_text())["metrics"] for file in Path().glob("*.json")}


def test_each_protocol_split_and_similarity_has_a_file_of_its_own(bcls, files):
    data = ("--data", files, "--labels", "labels")
    for words, name in [
        (("--caption-image", "rows.npy"), "i.result.json"),
        (data, "i.val.result.json"),
        ((*data, "--scorer", "tfidf"), "i.val.tfidf.result.json"),
        ((*data, "--split", "train+val"), None),
        ((*data, "--protocol", "ncs"), "i.val.ncs.result.json"),
        ((*data, "--similarity-function", "dot"), "i.val.dot.result.json"),
    ]:
        before = evaluated(bcls, "nowhere")[1]
        said, after = evaluated(bcls, "a", *words)
        assert {*after} - {*before} == ({name} if said.code == 0 else set()), (words, said.err)
        assert before.items() <= after.items()
    assert after["i.val.dot.result.json"] != after["i.val.result.json"]


def test_another_models_result_is_not_replaced_and_ones_own_is(bcls, files):
    words = ("--caption-image", "rows.npy")
    first, before = evaluated(bcls, "a", *words)
    again, same = evaluated(bcls, "a", *words)
    assert (first.code, again.code, before) == (0, 0, same)
    other, after = evaluated(bcls, "b", *words)
    assert (other.code, after) == (2, before)
    assert "i.result.json: holds another result" in other.err
    assert "rsum" not in other.out  # refused before the work
    named, _ = evaluated(bcls, "b", *words, "--output", "b.json")
    forced, replaced = evaluated(bcls, "b", *words, "--overwrite", "true")
    assert (named.code, forced.code) == (0, 0)
    assert replaced["i.result.json"] == replaced["b.json"] != before["i.result.json"]


def test_a_run_on_other_data_has_a_file_of_its_own(bcls, config, folder, tmp_path):
    assert bcls("train", "--config", config).code == 0
    words = ("evaluate", tmp_path / "run", "--scorer", "none")
    assert bcls(*words).code == 0
    folder.rename(tmp_path / "other")
    said = bcls(*words, "--data", tmp_path / "other")
    assert said.code == 0, said.err
    assert {file.name for file in (tmp_path / "run").glob("val*")} == {"val.none.json", "val.none.on-other.json"}


def test_models_of_one_name_do_not_share_a_file(bcls, config, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed in (0, 1):
        bcls("train", "--config", config, "--seed", seed, "--output", tmp_path / str(seed))
    words = ("--data", folder, "--features", "vectors", "--scorer", "none")
    assert bcls("evaluate", "0/model", *words).code == 0
    before = (tmp_path / "model.val.none.json").read_bytes()
    said = bcls("evaluate", "1/model", *words)
    assert (said.code, "model was 0/model, is 1/model" in said.err) == (2, True)
    assert (tmp_path / "model.val.none.json").read_bytes() == before


def test_another_comparison_is_not_replaced(bcls, files):
    pair = ("--image-embeddings", "a/i.npy", "b/i.npy", "--caption-embeddings", "a/c.npy", "b/c.npy")
    words = ("compare", *pair, "--caption-image", "rows.npy", "--samples", 9, "--output", "out")
    assert bcls(*words).code == 0
    before = Path("out/comparison.json").read_bytes()
    assert bcls(*words).code == 0
    said = bcls(*words, "--base", "b")
    assert (said.code, "holds another comparison" in said.err) == (2, True)
    assert Path("out/comparison.json").read_bytes() == before
    assert bcls(*words, "--base", "b", "--overwrite", "true").code == 0
    assert Path("out/comparison.json").read_bytes() != before


def test_another_audit_is_not_replaced(bcls, tmp_path):
    rows = [f"a dog {n},a cat {n % 3},{n % 6}" for n in range(30)]
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("caption1,caption2,score\n" + "\n".join(rows) + "\n")
    words = (
        "--highest",
        5,
        "--resamples",
        0,
        "--picture",
        "none",
        "--output",
        tmp_path / "audit",
        "--scorers",
        "[tfidf]",
    )
    assert bcls("label", "audit", tmp_path / "a.csv", *words).code == 0
    before = {file: file.read_bytes() for file in (tmp_path / "audit").rglob("*.json")}
    assert bcls("label", "audit", tmp_path / "a.csv", *words).code == 0
    said = bcls("label", "audit", tmp_path / "b.csv", *words)
    assert (said.code, "holds another audit" in said.err) == (2, True)
    assert {file: file.read_bytes() for file in (tmp_path / "audit").rglob("*.json")} == before
    assert bcls("label", "audit", tmp_path / "b.csv", *words, "--overwrite", "true").code == 0


def test_another_export_is_not_replaced(bcls, config, tmp_path):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    for seed in (0, 1):
        bcls("train", "--config", config, "--seed", seed, "--output", tmp_path / str(seed))
    assert bcls("export", tmp_path / "0", tmp_path / "onnx").code == 0
    before = {file: file.read_bytes() for file in (tmp_path / "onnx").iterdir()}
    assert bcls("export", tmp_path / "0", tmp_path / "onnx").code == 0
    said = bcls("export", tmp_path / "1", tmp_path / "onnx")
    assert (said.code, "holds another export" in said.err) == (2, True)
    assert {file: file.read_bytes() for file in (tmp_path / "onnx").iterdir()}.keys() == before.keys()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "net.onnx").write_text("theirs")
    said = bcls("export", tmp_path / "1", tmp_path / "theirs")
    assert (said.code, "holds net.onnx, which is no finished export" in said.err) == (2, True)
    assert (tmp_path / "theirs" / "net.onnx").read_text() == "theirs"


def test_a_conversion_does_not_replace_records(bcls, folder, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "images.jsonl").write_text("mine")
    said = bcls("data", "convert", folder, tmp_path / "out")
    assert (said.code, "holds a data set already (images.jsonl)" in said.err) == (2, True)
    assert (tmp_path / "out" / "images.jsonl").read_text() == "mine"
