"""Labels of a split: made once, kept, checked."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bcls.data import Caption, ImageRecord, RetrievalDataset
from bcls.data.labels import label_folder, label_split
from bcls.errors import InputError
from bcls.relevance import Calibration, CaptionRelevance, CiderScorer, TfidfScorer, captions_hash, write_labels

WORDS = [
    "a dog runs",
    "a brown dog runs fast",
    "two men eat",
    "a man eats an apple",
    "a red apple",
    "the dog eats",
    "a dog eats",
]


class Counting(TfidfScorer):
    """Remembers what it was asked."""

    def __init__(self):
        super().__init__()
        self.fitted, self.encoded = [], []

    def fit(self, captions, caption_image=None):
        self.fitted.append(list(captions))
        return super().fit(captions, caption_image)

    def encode(self, captions):
        self.encoded.append(list(captions))
        return super().encode(captions)


def dataset_of(words=WORDS):
    captions = [Caption(str(number), text) for number, text in enumerate(words)]
    parts = [("a", "train", captions[:2]), ("b", "val", captions[2:4]), ("c", "train", captions[4:6])]
    parts += [("d", "val", captions[6:])]
    return RetrievalDataset("tiny", [ImageRecord(name, None, split, tuple(own)) for name, split, own in parts])


def whole(relevance, images, captions):
    return relevance.matrix(np.arange(images), np.arange(captions))


@pytest.mark.parametrize("aggregate", ["max", "mean"])
@pytest.mark.parametrize("split", ["train", "val"])
def test_relevance_is_the_scorers_fitted_on_train(tmp_path, split, aggregate):
    dataset = dataset_of()
    train, part = dataset.split("train"), dataset.split(split)
    scorer = TfidfScorer().fit(train.caption_texts, train.caption_image)
    expected = CaptionRelevance(scorer.encode(part.caption_texts), part.caption_image, aggregate=aggregate)
    relevance = label_split(dataset, split, TfidfScorer(), tmp_path, aggregate=aggregate)
    size = len(part.images), len(part.caption_texts)
    np.testing.assert_array_equal(whole(relevance, *size), whole(expected, *size))


def test_a_calibration_maps_what_is_kept_and_must_be_the_scorers(tmp_path):
    curve = Calibration((0.0, 1.0), (0.1, 0.6), TfidfScorer().settings())
    plain = whole(label_split(dataset_of(), "train", TfidfScorer(), tmp_path), 2, 4)
    mapped = whole(label_split(dataset_of(), "train", TfidfScorer(), tmp_path, calibration=curve), 2, 4)
    own = np.array([[1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool)
    np.testing.assert_allclose(mapped, np.where(own, 1, 0.1 + 0.5 * plain), atol=1e-6)
    with pytest.raises(InputError, match=r"labels come from .*cider-d"):
        label_split(dataset_of(), "train", CiderScorer(), tmp_path, calibration=curve)
    assert not (tmp_path / "cider-d").exists()


def test_labels_are_made_once(tmp_path):
    first, second = Counting(), Counting()
    made = label_split(dataset_of(), "train", first, tmp_path)
    kept = label_split(dataset_of(), "train", second, tmp_path)
    assert (len(first.encoded), second.encoded, second.fitted) == (1, [], [])
    np.testing.assert_array_equal(whole(made, 2, 4), whole(kept, 2, 4))


def test_overwrite_makes_them_again(tmp_path):
    label_split(dataset_of(), "train", TfidfScorer(), tmp_path)
    again = Counting()
    label_split(dataset_of(), "train", again, tmp_path, overwrite=True)
    assert again.encoded == [dataset_of().split("train").caption_texts]


def test_each_split_and_scorer_has_a_folder_of_its_own(tmp_path):
    for split in ("train", "val"):
        label_split(dataset_of(), split, TfidfScorer(), tmp_path)
        place = label_folder(tmp_path, TfidfScorer(), dataset_of(), split)
        assert place.parent == tmp_path / "tfidf"
        assert place.name.startswith(f"{split}-")
        assert (place / "labels.json").is_file()
    assert len(list((tmp_path / "tfidf").iterdir())) == 2


OTHER_WORDS = {
    "captions": [*WORDS[:3], "a man eats a pear", *WORDS[4:]],
    "frequencies": [*WORDS[:5], "the cat eats", *WORDS[6:]],
    "number": WORDS[:6],
}


@pytest.mark.parametrize("words", OTHER_WORDS.values(), ids=OTHER_WORDS)
def test_several_data_sets_share_a_folder(tmp_path, words):
    """Other captions, or other captions to fit on, are other labels: neither is taken for the other, or refused."""
    first = whole(label_split(dataset_of(), "val", TfidfScorer(), tmp_path), 2, 3)
    other = dataset_of(words).split(["train", "val"])
    alone = label_split(other, "val", TfidfScorer(), tmp_path / "alone")
    shared = label_split(other, "val", TfidfScorer(), tmp_path)
    size = len(other.split("val").images), len(other.split("val").caption_texts)
    np.testing.assert_array_equal(whole(shared, *size), whole(alone, *size))
    np.testing.assert_array_equal(whole(label_split(dataset_of(), "val", Never(), tmp_path), 2, 3), first)


def test_the_split_to_fit_on_may_be_another(tmp_path):
    scorer = Counting()
    label_split(dataset_of(), "val", scorer, tmp_path, fit_split="val")
    assert scorer.fitted == [[*WORDS[2:4], *WORDS[6:]]]
    scorer = Counting()
    label_split(dataset_of(), "val", scorer, tmp_path)
    assert scorer.fitted == [[*WORDS[:2], *WORDS[4:6]]]


class Never(TfidfScorer):
    """Must find its encodings."""

    def encode_part(self, captions):
        raise AssertionError("encoded again")


def test_settings_are_part_of_the_key(tmp_path):
    class Other(TfidfScorer):
        def settings(self):
            return {**super().settings(), "sublinear": False}

    assert label_folder(tmp_path, Other(), dataset_of(), "val") != label_folder(
        tmp_path, TfidfScorer(), dataset_of(), "val"
    )


def _made_by_0_1(dataset, folder):
    """A store as release 0.1 laid it out."""
    train, part = dataset.split("train"), dataset.split("val")
    captions = part.caption_texts, part.caption_ids, part.caption_image
    fitted_on = captions_hash(train.caption_texts, train.caption_ids, train.caption_image)
    write_labels(folder / "tfidf" / "val", TfidfScorer().fit(train.caption_texts), *captions, fitted_on=fitted_on)


def test_a_store_of_release_0_1_is_used_where_it_fits(tmp_path):
    _made_by_0_1(dataset_of(), tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.*")}
    kept = whole(label_split(dataset_of(), "val", Never(), tmp_path), 2, 3)
    np.testing.assert_array_equal(kept, whole(label_split(dataset_of(), "val", TfidfScorer(), tmp_path / "new"), 2, 3))
    other = dataset_of(OTHER_WORDS["captions"])
    label_split(other, "val", TfidfScorer(), tmp_path)  # stale there, so it is made in a place of its own
    assert all(file.read_bytes() == content for file, content in before.items())
    assert label_folder(tmp_path, TfidfScorer(), other, "val").is_dir()


def test_a_split_whose_name_no_file_can_have(tmp_path):
    images = [ImageRecord(str(n), None, "../a/b", (Caption(str(n), text),)) for n, text in enumerate(WORDS)]
    dataset = RetrievalDataset("tiny", images)
    folder = label_folder(tmp_path / "labels", TfidfScorer(), dataset, "../a/b", fit_split="../a/b")
    assert folder.parent == tmp_path / "labels" / "tfidf"
    with pytest.raises(InputError, match="would lead to another folder"):
        label_split(dataset, "../a/b", TfidfScorer(), tmp_path / "labels", fit_split="../a/b")
    assert not list(tmp_path.iterdir())


KILLED = """
import sys, time
from pathlib import Path
from test_labels import dataset_of_many
from bcls.data.labels import label_split
from bcls.relevance import CiderScorer

class Slow(CiderScorer):
    part_size = 5
    def encode_part(self, captions):
        time.sleep(0.02)
        return super().encode_part(captions)

label_split(dataset_of_many(), "train", Slow(), Path(sys.argv[1]))
"""


def dataset_of_many():
    records = [
        ImageRecord(str(n), None, "train", (Caption(f"{n}", f"a dog number {n} runs {'very ' * (n % 4)}fast"),))
        for n in range(400)
    ]
    return RetrievalDataset("many", records)


def test_a_killed_encoding_is_resumed_bit_for_bit(tmp_path, monkeypatch):
    """With a real kill: what was done is not done again, and every file is that of an unbroken run."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])}
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "labels")], env=environment)
    while len(list(tmp_path.rglob("part-*.safetensors"))) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    done = len(list(tmp_path.rglob("part-*.safetensors")))
    place = label_folder(tmp_path / "labels", CiderScorer(), dataset_of_many(), "train")
    assert not place.exists()
    monkeypatch.setattr(CiderScorer, "part_size", 5)
    made = []
    original = CiderScorer.encode_part
    monkeypatch.setattr(CiderScorer, "encode_part", lambda self, captions: made.append(1) or original(self, captions))
    label_split(dataset_of_many(), "train", CiderScorer(), tmp_path / "labels")
    assert len(made) == 400 // 5 - done
    label_split(dataset_of_many(), "train", CiderScorer(), tmp_path / "unbroken")
    unbroken = label_folder(tmp_path / "unbroken", CiderScorer(), dataset_of_many(), "train")
    assert {f.name: f.read_bytes() for f in place.iterdir()} == {f.name: f.read_bytes() for f in unbroken.iterdir()}
    assert [file.name for file in place.parent.iterdir()] == [place.name]  # neither parts nor locks stay


def test_two_processes_make_the_same_labels_once(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])}
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    processes = [subprocess.Popen(command, env=environment) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert [len(list(tmp_path.iterdir())), len(list((tmp_path / "cider-d").iterdir()))] == [1, 1]


@pytest.mark.parametrize("splits", [{"split": "dev"}, {"split": "val", "fit_split": "dev"}])
def test_an_unknown_split_is_refused(tmp_path, splits):
    with pytest.raises(InputError, match="tiny: no split 'dev'"):
        label_split(dataset_of(), scorer=TfidfScorer(), folder=tmp_path, **splits)
    assert list(tmp_path.iterdir()) == []
