"""Encodings that several runs need are made once, and no others."""

from __future__ import annotations

import json
import shutil

import pytest

from bcls.data import read_dataset
from bcls.data.labels import label_folder
from bcls.errors import InputError
from bcls.relevance import TfidfScorer, captions_hash, open_labels
from bcls.study.kept_runs import claim_runs
from bcls.study.plan import plan_study
from bcls.study.shared_labels import make_labels


@pytest.fixture
def made(tmp_path, caplog):
    """`made(study)`: what was encoded, in the order in which it was said."""
    caplog.set_level("INFO", logger="bcls")

    def make(study) -> list[str]:
        caplog.clear()
        make_labels(claim_runs(plan_study(study).distinct()))
        said = [record.getMessage().split() for record in caplog.records]
        return [f"{words[-1]}/{words[-3]}" for words in said if words[0] == "encoding"]

    return make


def kept(folder):
    """`SCORER/SPLIT` of each store; its key is left out."""
    return sorted(str(file.parent.relative_to(folder)).rpartition("-")[0] for file in folder.rglob("labels.json"))


def test_each_is_made_once_for_all_runs(study, made, tmp_path):
    assert made(study(seeds=[0, 1, 2])) == ["cider-d/val", "tfidf/train"]
    assert kept(tmp_path / "study" / "labels") == ["cider-d/val", "tfidf/train"]
    assert made(study(seeds=[0, 1, 2])) == []


def test_they_are_those_that_a_run_would_make(study, made, tiny_data, tmp_path):
    made(study())
    dataset = read_dataset(tiny_data)
    train = dataset.split("train")
    captions = train.caption_texts, train.caption_ids, train.caption_image
    place = label_folder(tmp_path / "study" / "labels", TfidfScorer(), dataset, "train")
    encodings = open_labels(place, TfidfScorer(), *captions, fitted_on=captions_hash(*captions))
    assert len(encodings) == len(train.caption_texts)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"loss": "TripletLoss"}, ["cider-d/val"]),
        ({"loss": "TripletLoss", "data.sampler": "neighbours"}, ["cider-d/val", "tfidf/train"]),
        ({"loss": "TripletLoss", "validation.scorer": "null"}, []),
        ({"labels.table": "ratings.csv"}, ["cider-d/val"]),
        ({"labels.scorer": "null"}, ["cider-d/val"]),
        ({"validation.scene_truth": True}, ["tfidf/train"]),
        ({"validation.scorer": "TfidfScorer"}, ["tfidf/val", "tfidf/train"]),
        ({"data.validation_split": "train"}, ["cider-d/train", "tfidf/train"]),
    ],
)
def test_only_what_is_asked_for_is_made(study, made, fields, expected):
    assert made(study(variants={"one": {"set": fields}}, baseline=None)) == expected


def test_variants_that_ask_for_other_labels_get_them_too(study, made):
    variants = {
        "tfidf": {"set": {"loss.gap": 0.1}},
        "wider": {"set": {"loss.gap": 0.2}},
        "cider": {"set": {"labels.scorer": "CiderScorer"}},
        "triplet": {"set": {"loss": "TripletLoss"}},
    }
    assert made(study(variants=variants)) == ["cider-d/val", "tfidf/train", "cider-d/train"]


def test_another_folder_is_filled_too(study, made, tmp_path):
    folder = tmp_path / "elsewhere"
    variants = {"one": {}, "two": {"set": {"labels.folder": str(folder)}}}
    assert made(study(variants=variants, baseline=None)) == ["cider-d/val", "tfidf/train"] * 2
    assert kept(folder) == ["cider-d/val", "tfidf/train"]


def test_nothing_to_do_reads_nothing(study, made, tiny_data, tmp_path):
    gone = {"loss": "TripletLoss", "validation.scorer": "null", "data.path": str(tmp_path / "nowhere")}
    assert made(study(variants={"one": {"set": gone}}, baseline=None)) == []
    make_labels([])
    assert not (tmp_path / "study" / "labels").exists()


def test_data_that_cannot_be_used_are_refused(study, made, tiny_data, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        made(study(set={"data.path": str(tmp_path / "nowhere")}))
    shutil.rmtree(tmp_path / "study")
    with pytest.raises(InputError, match="no features 'regions'; there are: vectors"):
        made(study(set={"data.features": "regions"}))


def test_encodings_that_were_changed_are_refused(study, made, tiny_data, tmp_path):
    made(study())
    (place,) = (tmp_path / "study" / "labels" / "tfidf").glob("train-*/labels.json")
    place.write_text(json.dumps({**json.loads(place.read_text()), "fitted_on": "other"}))
    with pytest.raises(InputError, match="the scorer was fitted on other captions"):
        made(study())
