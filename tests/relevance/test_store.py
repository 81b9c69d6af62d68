"""The label store: what comes back, what is refused, what survives a failure."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.relevance import CiderScorer, DenseEncodings, Scorer, TfidfScorer, captions_hash, open_labels, write_labels
from bcls.relevance.store import is_store_of


class LengthScorer(Scorer):
    """Dense encodings without a model; a setting that JSON does not keep as it is."""

    def __init__(self, power: float = 1.0) -> None:
        self.power = power

    @property
    def name(self):
        return "length"

    def settings(self):
        return {"scorer": "length", "power": (self.power,)}

    def fit(self, captions, caption_image=None):
        return self

    def encode(self, captions):
        angle = np.array([len(caption) for caption in captions]) ** self.power / 40
        return DenseEncodings(np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float16))


@pytest.fixture
def given_captions(collection):
    return collection.captions, collection.ids, collection.caption_image


@pytest.fixture
def folder(tmp_path, given_captions) -> Path:
    made = tmp_path / "labels" / "length" / "train"
    write_labels(made, LengthScorer(), *given_captions)
    return made


@pytest.mark.parametrize("make", [LengthScorer, CiderScorer, TfidfScorer])
def test_what_was_written_comes_back(make, tmp_path, collection, given_captions):
    scorer = make().fit(collection.captions, collection.caption_image)
    write_labels(tmp_path / "store", scorer, *given_captions, fitted_on="here")
    kept = open_labels(tmp_path / "store", make(), *given_captions, fitted_on="here")
    rows = np.arange(6)
    expected = scorer.encode(collection.captions).similarity(rows, rows)
    np.testing.assert_array_equal(kept.similarity(rows, rows), expected)


def test_arrays_are_memory_maps_and_labels_are_reproducible(folder, tmp_path, given_captions):
    assert isinstance(open_labels(folder, LengthScorer(), *given_captions).arrays()["vectors"], np.memmap)
    write_labels(tmp_path / "again", LengthScorer(), *given_captions)
    assert {file.name for file in folder.iterdir()} == {"labels.json", "vectors.npy"}
    for file in folder.iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()


def test_a_new_store_replaces_the_old_one_whole(folder, given_captions):
    kept = open_labels(folder, LengthScorer(), *given_captions)
    before = kept.similarity(np.arange(6), np.arange(6))
    (folder / "left_over.npy").write_bytes(b"old")
    write_labels(folder, LengthScorer(2.0), *given_captions)
    open_labels(folder, LengthScorer(2.0), *given_captions)
    assert not (folder / "left_over.npy").exists()
    np.testing.assert_array_equal(kept.similarity(np.arange(6), np.arange(6)), before)  # open maps live on
    assert [file.name for file in folder.parent.iterdir()] == ["train"]


def test_a_failed_replacement_leaves_the_old_store(folder, given_captions, monkeypatch):
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    rename = Path.rename

    def failing(self, target):
        if self.name == "fresh":
            raise OSError("disk full")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="disk full"):
        write_labels(folder, LengthScorer(2.0), *given_captions)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert [file.name for file in folder.parent.iterdir()] == ["train"]


def test_a_failed_encoding_leaves_nothing_behind(tmp_path, given_captions):
    with pytest.raises(InputError, match="must be fitted"):
        write_labels(tmp_path / "store", CiderScorer(), *given_captions)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c, i, m: (c[:5], i[:5], m[:5]), "it holds 6 captions, the data set has 5"),
        (lambda c, i, m: ((*c[:5], "another"), i, m), "its captions are not those of the data set"),
        (lambda c, i, m: (c, (*i[:5], "another"), m), "its captions are not those of the data set"),
        (lambda c, i, m: (c, i, np.array([0, 0, 0, 1, 1, 2])), "its captions are not those of the data set"),
    ],
)
def test_a_store_of_other_captions_is_refused(folder, given_captions, change, message):
    with pytest.raises(InputError, match=f"stale labels: {message}; delete this folder.*`bcls label DATA`"):
        open_labels(folder, LengthScorer(), *change(*given_captions))


def test_a_store_of_other_settings_or_frequencies_is_refused(folder, given_captions):
    with pytest.raises(InputError, match=r"its settings were .*1\.0.*, now .*2\.0"):
        open_labels(folder, LengthScorer(2.0), *given_captions)
    with pytest.raises(InputError, match="the scorer was fitted on other captions"):
        open_labels(folder, LengthScorer(), *given_captions, fitted_on="elsewhere")


def test_no_store_is_said_so(tmp_path, given_captions):
    with pytest.raises(InputError, match="no labels are there; `write_labels` or `bcls label DATA`"):
        open_labels(tmp_path / "nowhere", LengthScorer(), *given_captions)


@pytest.mark.parametrize("content", ["[]", '{"format": 99, "kind": "dense"}', '{"format": 1, "kind": "magic"}'])
def test_a_foreign_file_is_refused(folder, given_captions, content):
    (folder / "labels.json").write_text(content)
    with pytest.raises(InputError, match="not a label store of this package"):
        open_labels(folder, LengthScorer(), *given_captions)


def damage_cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-4])


def damage_objects(file: Path) -> None:
    np.save(file, np.array([{"code": "run"}], dtype=object), allow_pickle=True)


def damage_shape(file: Path) -> None:
    np.save(file, np.zeros(3, dtype=np.float16))


def damage_rows(file: Path) -> None:
    np.save(file, np.zeros((3, 2), dtype=np.float16))


@pytest.mark.parametrize("damage", [damage_cut, damage_objects, damage_shape, damage_rows, Path.unlink])
def test_damaged_arrays_are_refused(folder, given_captions, damage):
    damage(folder / "vectors.npy")
    with pytest.raises(InputError, match="damaged encodings"):
        open_labels(folder, LengthScorer(), *given_captions)


@pytest.mark.parametrize("part", ["shape", "references_indptr", "references_indices", "sigma", "lengths"])
def test_damaged_sparse_arrays_are_refused(tmp_path, given_captions, collection, part):
    scorer = CiderScorer().fit(collection.captions)
    write_labels(tmp_path / "store", scorer, *given_captions)
    np.save(tmp_path / "store" / f"{part}.npy", np.array([10**6], dtype=np.int64)[: part != "sigma"].repeat(2))
    with pytest.raises(InputError, match="damaged encodings"):
        open_labels(tmp_path / "store", scorer, *given_captions)


def test_counts_must_agree(tmp_path, collection):
    with pytest.raises(InputError, match="6 captions, 6 ids, 2 image rows"):
        write_labels(tmp_path / "store", LengthScorer(), collection.captions, collection.ids, np.array([0, 1]))
    with pytest.raises(InputError, match="6 captions, 1 ids, 6 image rows"):
        captions_hash(collection.captions, ["c0"], collection.caption_image)


def test_the_file_says_what_it_holds(folder, given_captions):
    about = json.loads((folder / "labels.json").read_text())
    assert about["format"] == 1
    assert about["kind"] == "dense"
    assert about["captions"] == 6
    assert about["captions_hash"] == captions_hash(*given_captions)
    assert about["settings"]["scorer"] == "length"


@pytest.mark.parametrize("damage", [b"[", b"9" * 5000, b"{" * 5000])
def test_whatever_a_damaged_header_makes_numpy_raise_is_told_with_the_folder(folder, given_captions, damage):
    for file in folder.glob("*.npy"):
        whole = file.read_bytes()
        file.write_bytes(whole[:20] + damage + whole[20:])
    with pytest.raises(InputError, match="damaged encodings"):
        open_labels(folder, LengthScorer(), *given_captions)


def test_only_a_store_of_the_same_content_is_one(folder, given_captions, tmp_path):
    assert is_store_of(folder, LengthScorer(), *given_captions)
    assert not is_store_of(folder, LengthScorer(2.0), *given_captions)
    assert not is_store_of(folder, LengthScorer(), *given_captions, fitted_on="elsewhere")
    assert not is_store_of(tmp_path / "nowhere", LengthScorer(), *given_captions)
    (folder / "labels.json").write_text("[]")
    assert not is_store_of(folder, LengthScorer(), *given_captions)
