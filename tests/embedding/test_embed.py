"""From a model and a collection to shards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from bcls.data import read_dataset
from bcls.embedding import Embeddings, embed, open_collection
from bcls.errors import InputError
from bcls.models import RetrievalModel


def everything(embeddings):
    """id -> vector, and id -> fields."""
    shards = list(embeddings.read_all())
    vectors = {name: vector for shard in shards for (name, _), vector in zip(shard.rows, shard.vectors, strict=True)}
    return vectors, {name: fields for shard in shards for name, fields in shard.rows}


def test_vectors_are_the_models_own(picture_model, collection, tmp_path):
    result = embed(picture_model, collection, tmp_path / "out", shard_images=4)
    assert (result.made, result.kept, result.broken) == (3, 0, [])
    vectors, fields = everything(result.embeddings)
    model, data = RetrievalModel.from_pretrained(picture_model), read_dataset(collection)
    assert len(vectors) == 30
    for row, image in enumerate(data.images):
        expected = model.encode_image([Image.open(data.image_path(row))]).detach().numpy()[0]
        np.testing.assert_allclose(vectors[image.id], expected, atol=1e-5)
        for caption in image.captions:
            expected = model.encode_text([caption.text]).detach().numpy()[0]
            np.testing.assert_allclose(vectors[f"caption:{caption.id}"], expected, atol=1e-5)
    assert fields["p2"] == {
        "kind": "image",
        "image": "p2",
        "file": "p2.png",
        "split": "val",
        "text": "a blue picture\nall blue",
    }
    assert fields["caption:p7#1"] == {
        "kind": "caption",
        "image": "p7",
        "file": "p7.png",
        "split": "train",
        "text": "all blue",
    }


def test_a_split_alone(picture_model, collection, tmp_path):
    vectors, fields = everything(embed(picture_model, collection, tmp_path / "out", split="val").embeddings)
    assert len(vectors) == 12
    assert {one["split"] for one in fields.values()} == {"val"}
    with pytest.raises(InputError, match="no split 'test'"):
        embed(picture_model, collection, tmp_path / "other", split="test")


def test_features_do_as_well(feature_model, collection, tmp_path):
    result = embed(feature_model, collection, tmp_path / "out", features="vectors")
    vectors, _ = everything(result.embeddings)
    data, model = read_dataset(collection), RetrievalModel.from_pretrained(feature_model)
    store = data.features["vectors"]
    expected = model.encode_image(store.gather(store.rows(["p3"]))).detach().numpy()[0]
    np.testing.assert_allclose(vectors["p3"], expected, atol=1e-5)


def test_goes_on_where_it_was_cut_short(picture_model, collection, tmp_path, monkeypatch):
    out, written = tmp_path / "out", []
    write = Embeddings.write

    def fails(self, number, shard):
        if number == 2:
            raise KeyboardInterrupt
        write(self, number, shard)
        written.append(number)

    monkeypatch.setattr(Embeddings, "write", fails)
    with pytest.raises(KeyboardInterrupt):
        embed(picture_model, collection, out, shard_images=3)
    with pytest.raises(InputError, match="not finished"):
        list(Embeddings.open(out).read_all())
    monkeypatch.setattr(Embeddings, "write", write)
    before = Embeddings.open(out).file(0).stat().st_mtime_ns
    result = embed(picture_model, collection, out, shard_images=3)
    assert (written, result.made, result.kept) == ([0, 1], 2, 2)
    assert Embeddings.open(out).file(0).stat().st_mtime_ns == before
    assert len(everything(result.embeddings)[0]) == 30


def test_images_that_have_other_files_now_are_not_taken_for_those_that_were_embedded(
    picture_model, collection, tmp_path
):
    embed(picture_model, collection, tmp_path / "out")
    table = collection / "images.jsonl"
    swapped = table.read_text().replace("p1.png", "px.png").replace("p2.png", "p1.png").replace("px.png", "p2.png")
    table.write_text(swapped)
    with pytest.raises(InputError, match="was begun with data_hash"):
        embed(picture_model, collection, tmp_path / "out")


def test_broken_files_are_listed_and_mended_later(picture_model, collection, tmp_path):
    whole = (collection / "images" / "p1.png").read_bytes()
    (collection / "images" / "p1.png").write_bytes(whole[:50])
    (collection / "images" / "p5.png").unlink()
    (collection / "images" / "p6.png").write_bytes(b"")
    result = embed(picture_model, collection, tmp_path / "out", shard_images=4)
    assert [(one.id, one.file) for one in result.broken] == [("p1", "p1.png"), ("p5", "p5.png"), ("p6", "p6.png")]
    vectors, _ = everything(result.embeddings)
    assert len(vectors) == 21
    assert "caption:p5#0" not in vectors
    again = embed(picture_model, collection, tmp_path / "out", shard_images=4)
    assert (again.made, again.kept, again.broken) == (0, 3, result.broken)
    (collection / "images" / "p1.png").write_bytes(whole)
    mended = embed(picture_model, collection, tmp_path / "out", shard_images=4)
    assert (mended.made, mended.kept, [one.id for one in mended.broken]) == (1, 2, ["p5", "p6"])
    assert "p1" in everything(mended.embeddings)[0]


def test_features_that_are_missing_or_not_numbers_are_listed(feature_model, collection, tmp_path):
    folder = collection / "features" / "vectors"
    array = np.load(folder / "00000.npy")
    array[3] = np.nan
    np.save(folder / "00000.npy", array[:9])
    (folder / "ids.json").write_text(str([f"p{number}" for number in range(9)]).replace("'", '"'))
    result = embed(feature_model, collection, tmp_path / "out", features="vectors")
    assert [(one.id, one.why.split(" in ")[0]) for one in result.broken] == [("p3", "not finite"), ("p9", "no row")]
    assert len(everything(result.embeddings)[0]) == 24


def test_a_damaged_shard_is_told_and_made_anew(picture_model, collection, tmp_path):
    embeddings = embed(picture_model, collection, tmp_path / "out", shard_images=4).embeddings
    before, _ = everything(embeddings)
    for damage in (lambda b: b[:-3], lambda b: b[:-5] + bytes([b[-5] ^ 1]) + b[-4:], lambda b: b"", lambda b: b[100:]):
        file = embeddings.file(1)
        file.write_bytes(damage(file.read_bytes()))
        with pytest.raises(InputError, match=r"000001.safetensors: damaged .* run `bcls embed` again"):
            list(embeddings.read_all())
        again = embed(picture_model, collection, tmp_path / "out", shard_images=4)
        assert (again.made, again.kept) == (1, 2)
        after, _ = everything(embeddings)
        assert all((after[name] == vector).all() for name, vector in before.items())


def test_parts_make_the_whole(picture_model, collection, tmp_path):
    whole, _ = everything(embed(picture_model, collection, tmp_path / "whole", shard_images=2).embeddings)
    for number in (2, 1, 3):
        result = embed(picture_model, collection, tmp_path / "parts", shard_images=2, part=(number, 3))
    parts, _ = everything(result.embeddings)
    assert parts.keys() == whole.keys()
    assert all((parts[name] == whole[name]).all() for name in whole)


def test_the_number_of_workers_changes_nothing(picture_model, collection, tmp_path):
    one, _ = everything(embed(picture_model, collection, tmp_path / "one", workers=1).embeddings)
    many, _ = everything(embed(picture_model, collection, tmp_path / "many", workers=7).embeddings)
    assert all((one[name] == many[name]).all() for name in one)


def test_a_folder_of_pictures_is_a_collection(picture_model, collection, tmp_path):
    folder = tmp_path / "holiday"
    (folder / "day 1").mkdir(parents=True)
    Image.new("RGB", (9, 9), "red").save(folder / "day 1" / "ä.JPG")
    Image.new("RGB", (9, 9), "red").save(folder / "b.png")
    (folder / "notes.txt").write_text("no picture")
    assert open_collection(folder).image_ids == ["b.png", "day 1/ä.JPG"]
    result = embed(picture_model, folder, tmp_path / "out")
    assert sorted(everything(result.embeddings)[0]) == ["b.png", "day 1/ä.JPG"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="neither a data set nor an image"):
        open_collection(tmp_path / "empty")


def test_refuses_what_does_not_fit(picture_model, feature_model, collection, tmp_path):
    for words, named in [
        ((picture_model, collection, "a", {"features": "vectors"}), "leave --features out"),
        ((feature_model, collection, "b", {}), "name them with --features"),
        ((feature_model, collection, "c", {"features": "other"}), "no features 'other'"),
        ((picture_model, collection, "d", {"part": (4, 3)}), "part"),
        ((picture_model, collection, "e", {"workers": 0}), "workers"),
    ]:
        with pytest.raises(InputError, match=named):
            embed(words[0], words[1], tmp_path / words[2], **words[3])
    embed(picture_model, collection, tmp_path / "out")
    with pytest.raises(InputError, match="begun with shard_images 1024, not 5"):
        embed(picture_model, collection, tmp_path / "out", shard_images=5)
    with pytest.raises(InputError, match="begun with model"):
        embed(feature_model, collection, tmp_path / "out", features="vectors")


KILLED = """
import sys
from pathlib import Path
from bcls.embedding import Embeddings, embed
write = Embeddings.write
def tells(self, number, shard):
    write(self, number, shard)
    print("wrote", number, flush=True)
Embeddings.write = tells
embed(sys.argv[1], sys.argv[2], Path(sys.argv[3]), shard_images=1)
"""


def test_survives_sigkill(picture_model, collection, tmp_path):
    out = tmp_path / "out"
    words = [sys.executable, "-c", KILLED, str(picture_model), str(collection), str(out)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    said = [process.stdout.readline() for _ in range(3)]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert said == ["wrote 0\n", "wrote 1\n", "wrote 2\n"]
    result = embed(picture_model, collection, out, shard_images=1)
    assert result.kept >= 3
    assert result.made + result.kept == 10
    fresh, _ = everything(embed(picture_model, collection, tmp_path / "fresh", shard_images=1).embeddings)
    found, _ = everything(result.embeddings)
    assert all((found[name] == vector).all() for name, vector in fresh.items())
