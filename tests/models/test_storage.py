"""Models on disk: what comes back in a new process, what is refused, what survives a failure."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from bcls.errors import BCLSError, InputError
from bcls.models import BagOfWordsTower, BiGRUTower, PooledFeatureTower, RetrievalModel, SumCaptionTower
from bcls.text import UnicodeWords, WordCharacters

SETS = ("words", "regions", "reasoning", "filtration")
CHILD = """
import json, sys
from pathlib import Path
import numpy as np, torch
from bcls.models import RetrievalModel
captions = json.loads(Path("captions.json").read_text())
for folder in sorted(Path(".").glob("*/")):
    model = RetrievalModel.from_pretrained(folder / "model")
    assert not model.training
    with torch.no_grad():
        np.save(folder / "again_images.npy", model.encode_image(np.load(folder / "given.npy")))
        np.save(folder / "again_captions.npy", model.encode_text(captions))
        np.save(folder / "again_similarity.npy", model(np.load(folder / "given.npy"), captions))
"""


@pytest.fixture(scope="module")
def model(make_model) -> RetrievalModel:
    return make_model()[0]


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory) -> Path:
    """A saved model; not to be changed."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path) -> Path:
    """A saved model to damage."""
    return Path(shutil.copytree(saved, tmp_path / "model"))


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def change_config(folder: Path, *path: str, **values) -> None:
    config = json.loads((folder / "config.json").read_text())
    part = config
    for name in path:
        part = part[name]
    part.update(values)
    (folder / "config.json").write_text(json.dumps(config))


def change_tensors(folder: Path, change) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


def test_embeddings_are_the_same_bit_for_bit_in_a_new_process(make_model, kinds, captions, tmp_path):
    images, texts = kinds
    kinds = [*((kind, "bag-of-words") for kind in images), *(("pooled", kind) for kind in texts)]
    kinds += [("region-mean", "bigru-mean", kind) for kind in SETS]
    for several in kinds:
        place = tmp_path / "_".join(several)
        model, given_images = make_model(*several)
        model.save_pretrained(place / "model")
        np.save(place / "given.npy", given_images)
        with torch.no_grad():
            np.save(place / "images.npy", model.encode_image(given_images))
            np.save(place / "captions.npy", model.encode_text(captions))
            np.save(place / "similarity.npy", model(given_images, captions))
    (tmp_path / "captions.json").write_text(json.dumps(captions))
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(torch.get_num_threads())}
    subprocess.run([sys.executable, "-c", CHILD], cwd=tmp_path, env=environment, check=True)
    for place in tmp_path.glob("*/"):
        for part in ("images", "captions", "similarity"):
            ours, theirs = np.load(place / f"again_{part}.npy"), np.load(place / f"{part}.npy")
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{part} of {place.name}")


def test_a_folder_holds_json_and_safetensors_only(saved):
    assert sorted(contents(saved)) == ["config.json", "model.safetensors"]
    config = json.loads((saved / "config.json").read_text())
    assert config["format"] == 1
    assert config["caption_tower"]["class"] == "BagOfWordsTower"
    settings = {"tokenizer": "UnicodeWords", "unspaced": "characters", "rule": 2}
    assert config["caption_tower"]["hyperparameters"] == {
        **{"dim": 6, "minimum_count": 1, "dropout": 0.2},
        "tokenizer": {"class": "UnicodeWords", "arguments": {"unspaced": "characters"}, "settings": settings},
    }
    assert str(saved.parent) not in (saved / "config.json").read_text()


def test_saving_twice_gives_the_same_bytes(saved, tmp_path):
    RetrievalModel.from_pretrained(saved).save_pretrained(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(saved)


def test_folders_above_are_made_and_relative_paths_taken(model, saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model.save_pretrained("deep/down/model")
    assert contents(tmp_path / "deep" / "down" / "model") == contents(saved)
    RetrievalModel.from_pretrained("deep/down/model")


def test_words_of_any_script_come_back(tmp_path):
    image_tower, caption_tower = PooledFeatureTower(dim=4), BagOfWordsTower(dim=4, minimum_count=1)
    image_tower.fit(np.random.default_rng(0).normal(size=(5, 3)))
    caption_tower.fit(["Ein großer Hund", "собака бежит", "犬が走る"])
    RetrievalModel(image_tower, caption_tower).save_pretrained(tmp_path / "model")
    again = RetrievalModel.from_pretrained(tmp_path / "model").caption_tower
    assert again.fitted() == caption_tower.fitted()


def test_a_new_model_replaces_the_old_one_whole(folder, make_model):
    (folder / "left_over.txt").write_text("old")
    other, _ = make_model("pooled-hidden", "bigru-max")
    other.save_pretrained(folder)
    assert sorted(contents(folder)) == ["config.json", "model.safetensors"]
    assert [file.name for file in folder.parent.iterdir()] == ["model"]
    assert RetrievalModel.from_pretrained(folder).image_tower.hidden == 5


def test_a_folder_of_other_things_is_not_replaced(model, tmp_path):
    (tmp_path / "work").mkdir()
    model.save_pretrained(tmp_path / "work")
    shutil.rmtree(tmp_path / "work")
    (tmp_path / "work" / "deep").mkdir(parents=True)
    (tmp_path / "file").write_text("precious")
    for place in ("work", "file"):
        with pytest.raises(InputError, match=f"{place}: holds something other than a model"):
            model.save_pretrained(tmp_path / place)
    assert (tmp_path / "work" / "deep").is_dir()
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError])
def test_an_interrupted_save_leaves_nothing_behind(model, tmp_path, monkeypatch, interruption):
    def interrupted(tensors, file):
        Path(file).write_bytes(b"half")
        raise interruption

    monkeypatch.setattr("bcls.models.storage.save_file", interrupted)
    with pytest.raises(interruption):
        model.save_pretrained(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError])
def test_an_interrupted_replacement_leaves_the_old_model(model, folder, monkeypatch, interruption):
    before = contents(folder)

    def interrupted(tensors, file):
        Path(file).write_bytes(b"half")
        raise interruption

    monkeypatch.setattr("bcls.models.storage.save_file", interrupted)
    with pytest.raises(interruption):
        model.save_pretrained(folder)
    assert contents(folder) == before
    assert [file.name for file in folder.parent.iterdir()] == ["model"]


def test_a_failed_last_step_leaves_the_old_model(model, folder, monkeypatch):
    before = contents(folder)
    rename = Path.rename

    def failing(self, target):
        if self.name == "fresh":
            raise OSError("disk full")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="disk full"):
        model.save_pretrained(folder)
    assert contents(folder) == before
    assert [file.name for file in folder.parent.iterdir()] == ["model"]


def test_the_model_is_never_seen_half_written(model, folder, monkeypatch):
    def watching(tensors, file):
        assert Path(file).parent != folder
        assert sorted(contents(folder)) == ["config.json", "model.safetensors"]
        save_file(tensors, file)

    monkeypatch.setattr("bcls.models.storage.save_file", watching)
    model.save_pretrained(folder)
    RetrievalModel.from_pretrained(folder)


def test_unfitted_towers_are_not_saved(tmp_path):
    with pytest.raises(InputError, match="PooledFeatureTower knows no data yet"):
        RetrievalModel(PooledFeatureTower(dim=4), BagOfWordsTower(dim=4)).save_pretrained(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_towers_of_other_packages_are_not_saved(model, tmp_path):
    class MyTower(BagOfWordsTower):
        pass

    tower = MyTower(dim=6)
    tower.fit(["a dog"] * 3)
    with pytest.raises(
        InputError, match="MyTower cannot be saved: only the towers and similarities of this package can"
    ):
        RetrievalModel(model.image_tower, tower).save_pretrained(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: no such file"):
        RetrievalModel.from_pretrained(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "line 1: not JSON"),
        ("", "line 1: not JSON"),
        ("[]", "not a model of this package"),
        ("3", "not a model of this package"),
        ("{}", "not a model of this package"),
        (
            '{"architectures": ["CLIPModel"], "model_type": "clip"}',
            r"not a model of this package \(format 1 or 2 expected\)",
        ),
        ('{"format": 3}', "not a model of this package"),
        ('{"format": 1}', "image_tower: no tower None; there are BagOfWordsTower, .*SumCaptionTower"),
    ],
)
def test_a_foreign_config_is_refused(folder, content, message):
    (folder / "config.json").write_text(content)
    with pytest.raises(InputError, match=f"config.json: {message}"):
        RetrievalModel.from_pretrained(folder)


@pytest.mark.parametrize(
    "name",
    [
        "Tower",
        "os.system",
        "torch.nn.Linear",
        "bcls.models.BagOfWordsTower",
        "BagOfWordsTower.fit",
        "",
        None,
        3,
        ["os"],
        {},
    ],
)
def test_only_the_towers_of_this_package_are_built(folder, name):
    change_config(folder, "caption_tower", **{"class": name})
    with pytest.raises(InputError, match=r"config.json: caption_tower: no tower .*; there are BagOfWordsTower"):
        RetrievalModel.from_pretrained(folder)


@pytest.mark.parametrize(
    ("path", "values", "message"),
    [
        (["image_tower"], {"class": "BagOfWordsTower"}, "image_tower: .*unexpected keyword argument"),
        (["image_tower"], {"hyperparameters": None}, "image_tower: no 'hyperparameters'"),
        (["image_tower"], {"fitted": None}, "image_tower: 'fitted' cannot be used"),
        (["image_tower"], {"fitted": {}}, "image_tower: 'fitted' cannot be used.*input_dim"),
        (["image_tower"], {"fitted": {"input_dim": -1}}, "image_tower: 'fitted' cannot be used"),
        (["image_tower"], {"fitted": {"input_dim": float("inf")}}, "image_tower: 'fitted' cannot be used"),
        (["caption_tower"], {"fitted": {"vocabulary": 3}}, "caption_tower: 'fitted' cannot be used"),
        (["caption_tower"], {"fitted": {"vocabulary": [[]]}}, "caption_tower: 'fitted' cannot be used"),
        (["caption_tower", "hyperparameters"], {"dropout": 2}, "caption_tower: dropout is 2"),
        (["caption_tower", "hyperparameters"], {"dim": -6}, "caption_tower: dim is -6"),
        (["caption_tower", "hyperparameters"], {"exec": "code"}, "caption_tower: .*unexpected keyword argument 'exec'"),
        (["caption_tower", "hyperparameters"], {"towers": [3]}, "caption_tower: no tower 3"),
    ],
)
def test_a_config_that_cannot_be_built_is_refused(folder, path, values, message):
    change_config(folder, *path, **values)
    with pytest.raises(InputError, match=f"config.json: {message}"):
        RetrievalModel.from_pretrained(folder)


def test_towers_of_the_wrong_kind_are_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    config["image_tower"], config["caption_tower"] = config["caption_tower"], config["image_tower"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"config.json: the towers are of the wrong kind"):
        RetrievalModel.from_pretrained(folder)


def test_an_image_tower_among_summed_caption_towers_is_refused(folder):
    image_tower = json.loads((folder / "config.json").read_text())["image_tower"]
    change_config(folder, caption_tower={"class": "SumCaptionTower", "hyperparameters": {"towers": [image_tower]}})
    with pytest.raises(InputError, match=r"config.json: caption_tower: PooledFeatureTower is no caption tower"):
        RetrievalModel.from_pretrained(folder)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 300) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


def places_of(config, path=()):
    yield path
    if isinstance(config, dict):
        for name, part in config.items():
            yield from places_of(part, (*path, name))


@given(data=st.data(), value=values)
@settings(max_examples=80, deadline=None)
def test_whatever_stands_in_a_config_it_is_loaded_or_refused(saved, tmp_path_factory, data, value):
    config = json.loads((saved / "config.json").read_text())
    path = data.draw(st.sampled_from(list(places_of(config))))
    folder = Path(shutil.copytree(saved, tmp_path_factory.mktemp("changed") / "model"))
    part = config
    for name in path[:-1]:
        part = part[name]
    if path:
        part[path[-1]] = value
    (folder / "config.json").write_text(json.dumps(config if path else value))
    problem = None
    try:
        RetrievalModel.from_pretrained(folder)
    except InputError as error:
        problem = str(error)
    assert problem is None or problem.startswith(str(folder))


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_truncated_file_of_tensors_is_refused(saved, tmp_path_factory, data):
    whole = (saved / "model.safetensors").read_bytes()
    folder = Path(shutil.copytree(saved, tmp_path_factory.mktemp("cut") / "model"))
    (folder / "model.safetensors").write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(InputError, match=r"model.safetensors: damaged or not a safetensors file"):
        RetrievalModel.from_pretrained(folder)


def test_a_pickle_is_refused_and_not_run(folder, tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"trap": Trap()}, folder / "model.safetensors")
    with pytest.raises(InputError, match=r"model.safetensors: damaged or not a safetensors file"):
        RetrievalModel.from_pretrained(folder)
    (folder / "model.safetensors").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InputError, match=r"model.safetensors: damaged or not a safetensors file"):
        RetrievalModel.from_pretrained(folder)
    assert not (tmp_path / "sprung").exists()


def test_a_folder_in_place_of_the_tensors_is_refused(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").mkdir()
    with pytest.raises(InputError, match=r"model.safetensors: damaged or not a safetensors file"):
        RetrievalModel.from_pretrained(folder)


def test_tensors_of_another_shape_are_refused(folder):
    change_tensors(folder, lambda tensors: tensors.update({"caption_tower.weights": torch.zeros(3)}))
    with pytest.raises(
        InputError, match=r"model.safetensors: caption_tower.weights is \(3,\), but config.json says \("
    ):
        RetrievalModel.from_pretrained(folder)


def test_a_config_of_another_size_is_refused(folder):
    change_config(folder, "image_tower", "hyperparameters", dim=7)
    with pytest.raises(InputError, match=r"model.safetensors: image_tower.projection.* but config.json says \(7"):
        RetrievalModel.from_pretrained(folder)


def test_missing_tensors_are_named(folder):
    change_tensors(folder, lambda tensors: tensors.pop("caption_tower.weights"))
    with pytest.raises(
        InputError, match=r"model.safetensors does not fit config.json: missing \['caption_tower.weights'\]"
    ):
        RetrievalModel.from_pretrained(folder)


def test_extra_tensors_are_named(folder):
    change_tensors(folder, lambda tensors: tensors.update({"loss.scale": torch.zeros(1)}))
    with pytest.raises(InputError, match=r"model.safetensors does not fit config.json: .*unexpected \['loss.scale'\]"):
        RetrievalModel.from_pretrained(folder)


@pytest.mark.parametrize("place", ["./absent", "absent", "a/b/c", "/absent/model"])
def test_an_absent_folder_is_not_looked_for_on_the_hub(place, monkeypatch):
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("asked the hub"))
    with pytest.raises(InputError, match=f"{place}: no such model folder"):
        RetrievalModel.from_pretrained(place)


def test_a_file_is_no_model_folder(folder):
    with pytest.raises(InputError, match=r"config.json: no such model folder"):
        RetrievalModel.from_pretrained(folder / "config.json")


def test_a_hub_id_is_downloaded_without_its_other_files(folder, monkeypatch):
    asked = []
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *a, **b: asked.append((a, b)) or str(folder))
    RetrievalModel.from_pretrained("someone/model")
    assert asked == [(("someone/model",), {"allow_patterns": ["config.json", "model.safetensors"]})]


def test_a_hub_that_does_not_answer_is_said_so(monkeypatch):
    def unreachable(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(InputError, match=r"someone/model: no such folder, and not on the hub \(ConnectionError\)"):
        RetrievalModel.from_pretrained("someone/model")


def test_pushing_uploads_what_saving_writes(model, saved, monkeypatch):
    uploaded = {}

    class Hub:
        def create_repo(self, repo_id, *, private, exist_ok):
            uploaded["repository"] = (repo_id, private, exist_ok)

        def upload_folder(self, *, repo_id, folder_path):
            uploaded["files"] = contents(Path(folder_path))
            return f"https://hub/{repo_id}"

    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    assert model.push_to_hub("someone/model", private=True) == "https://hub/someone/model"
    card = uploaded["files"].pop("README.md").decode()
    assert uploaded == {"repository": ("someone/model", True, True), "files": contents(saved)}
    assert "No metrics were given." in card


class RefusingHub:
    """Notes what is asked of it, and refuses."""

    asked: ClassVar[list[str]] = []

    def create_repo(self, repo_id, **_):
        self.asked.append(repo_id)
        raise ConnectionError("401: log in\nfirst")


def test_a_hub_that_refuses_an_upload_is_said_so(model, monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi", RefusingHub)
    with pytest.raises(BCLSError, match=r"^someone/model: cannot be uploaded \(401: log in first\)$"):
        model.push_to_hub("someone/model")


def test_nothing_is_made_on_the_hub_for_a_model_that_cannot_be_saved(monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi", RefusingHub)
    monkeypatch.setattr(RefusingHub, "asked", [])
    with pytest.raises(InputError, match="PooledFeatureTower knows no data yet"):
        RetrievalModel(PooledFeatureTower(dim=4), BagOfWordsTower(dim=4)).push_to_hub("someone/model")
    assert RefusingHub.asked == []


def test_a_device_that_is_not_there_is_refused(saved):
    with pytest.raises(InputError, match="device 'gpu' cannot be used here"):
        RetrievalModel.from_pretrained(saved, device="gpu")


@pytest.mark.parametrize("kind", SETS)
def test_a_model_of_sets_says_what_compares_them(make_model, tmp_path, kind):
    model, _ = make_model("region-mean", "bigru-mean", kind)
    model.save_pretrained(tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["format"] == 2
    assert config["similarity"]["class"] == type(model.similarity).__name__
    again = RetrievalModel.from_pretrained(tmp_path / "model").similarity
    assert again.hyperparameters() == model.similarity.hyperparameters()
    assert "block" in again.hyperparameters()


@pytest.fixture
def folder_of_sets(make_model, tmp_path) -> Path:
    make_model("region-mean", "bigru-mean", "reasoning")[0].save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"similarity": {"class": "Nothing", "hyperparameters": {}}}, "similarity: no similarity 'Nothing'; there are"),
        ({"similarity": {"class": "RegionFeatureTower", "hyperparameters": {}}}, "similarity: no similarity 'Region"),
        ({"similarity": ["CrossAttention"]}, r"similarity: no similarity \['CrossAttention'\]"),
        ({"similarity": None}, "similarity: no similarity None"),
        ({"similarity": {"class": "CrossAttention"}}, "similarity: no 'hyperparameters'"),
        ({"similarity": {"class": "CrossAttention", "hyperparameters": {"wrong": 1}}}, "unexpected keyword"),
        (
            {"similarity": {"class": "GraphReasoning", "hyperparameters": {"dim": 7}}},
            "similarity.* config.json says",
        ),
        ({"similarity": {"class": "CrossAttention", "hyperparameters": {}}}, "unexpected"),
    ],
)
def test_a_wrong_similarity_is_refused(folder_of_sets, change, message):
    change_config(folder_of_sets, **change)
    with pytest.raises(InputError, match=message):
        RetrievalModel.from_pretrained(folder_of_sets)


HINDI = ["बाल लाल", "बोलो लीला", "एक कुत्ता घास पर दौड़ता है"]


def towers_of_words(tokenizer):
    def bag():
        return BagOfWordsTower(dim=6, minimum_count=1, tokenizer=tokenizer)

    def gru():
        return BiGRUTower(dim=6, word_dim=4, minimum_count=1, tokenizer=tokenizer)

    return [bag(), gru(), SumCaptionTower(towers=[bag(), gru()])]


def model_of(tower, sample=None):
    model = RetrievalModel(PooledFeatureTower(dim=6), tower)
    model.image_tower.fit(np.random.default_rng(0).normal(size=(10, 6)))
    model.caption_tower.fit(HINDI)
    return model.eval()


def parts(tower):
    return tower.towers if isinstance(tower, SumCaptionTower) else [tower]


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("tokenizer", [UnicodeWords(), WordCharacters()])
def test_the_tokenizer_comes_back(number, tokenizer, tmp_path):
    model = model_of(towers_of_words(tokenizer)[number])
    model.save_pretrained(tmp_path / "model")
    found = RetrievalModel.from_pretrained(tmp_path / "model")
    assert [part.tokenizer for part in parts(found.caption_tower)] == [tokenizer] * len(parts(found.caption_tower))
    torch.testing.assert_close(found.encode_text(HINDI), model.encode_text(HINDI), rtol=0, atol=0)


@pytest.mark.parametrize("number", range(3))
def test_a_model_of_release_0_1_keeps_its_words(number, tmp_path):
    """It names no tokenizer: its vocabulary holds the pieces that the only one of that release made."""
    model = model_of(towers_of_words(WordCharacters())[number])
    model.save_pretrained(tmp_path / "model")
    file = tmp_path / "model" / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    settings = config["caption_tower"]["hyperparameters"]
    for part in settings.get("towers", [config["caption_tower"]]):
        assert part["hyperparameters"].pop("tokenizer")["class"] == "WordCharacters"
    file.write_text(json.dumps(config), encoding="utf-8")
    found = RetrievalModel.from_pretrained(tmp_path / "model")
    assert {type(part.tokenizer) for part in parts(found.caption_tower)} == {WordCharacters}
    torch.testing.assert_close(found.encode_text(HINDI), model.encode_text(HINDI), rtol=0, atol=0)
    assert not torch.equal(found.encode_text(HINDI), model_of(towers_of_words(None)[number]).encode_text(HINDI))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class": "os.system"}, "caption_tower: the tokenizer 'os.system' is unknown"),
        ({"settings": {"rule": 3}}, "caption_tower: words were made with the tokenizer {'rule': 3}"),
        ({"arguments": {"unspaced": 3}}, "caption_tower: unspaced is 3"),
    ],
)
def test_a_model_whose_tokenizer_is_not_to_be_had_is_refused(folder, change, message):
    change_config(folder, "caption_tower", "hyperparameters", "tokenizer", **change)
    with pytest.raises(InputError, match=message):
        RetrievalModel.from_pretrained(folder)
