"""Labels of a split: made once, kept, checked."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.data import Caption, ImageRecord, RetrievalDataset
from bcls.data.labels import label_folder, label_split
from bcls.errors import InputError
from bcls.relevance import Calibration, CaptionRelevance, CiderScorer, TfidfScorer

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
        assert (tmp_path / "tfidf" / split / "labels.json").is_file()
        assert label_folder(tmp_path, TfidfScorer(), split) == tmp_path / "tfidf" / split


def test_the_split_to_fit_on_may_be_another(tmp_path):
    scorer = Counting()
    label_split(dataset_of(), "val", scorer, tmp_path, fit_split="val")
    assert scorer.fitted == [[*WORDS[2:4], *WORDS[6:]]]
    with pytest.raises(InputError, match="stale labels: the scorer was fitted on other captions"):
        label_split(dataset_of(), "val", Counting(), tmp_path)


def test_labels_of_captions_that_changed_are_refused(tmp_path):
    label_split(dataset_of(), "val", TfidfScorer(), tmp_path)
    changed = [*WORDS[:3], "a man eats a pear", *WORDS[4:]]
    with pytest.raises(InputError, match="stale labels: its captions are not those of the data set"):
        label_split(dataset_of(changed), "val", TfidfScorer(), tmp_path)


def test_labels_made_with_other_frequencies_are_refused(tmp_path):
    label_split(dataset_of(), "val", TfidfScorer(), tmp_path)
    with pytest.raises(InputError, match="stale labels: the scorer was fitted on other captions"):
        label_split(dataset_of([*WORDS[:5], "the cat eats", *WORDS[6:]]), "val", TfidfScorer(), tmp_path)


@pytest.mark.parametrize("splits", [{"split": "dev"}, {"split": "val", "fit_split": "dev"}])
def test_an_unknown_split_is_refused(tmp_path, splits):
    with pytest.raises(InputError, match="tiny: no split 'dev'"):
        label_split(dataset_of(), scorer=TfidfScorer(), folder=tmp_path, **splits)
    assert list(tmp_path.iterdir()) == []
