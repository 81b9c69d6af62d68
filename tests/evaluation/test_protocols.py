"""Protocols and their folds."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import PROTOCOLS, RetrievalTruth
from bcls.evaluation.protocols import folds


def test_the_whole_gallery_is_one_fold():
    (fold,) = folds("whole", RetrievalTruth(np.array([1, -1, 0]), images=3))
    assert fold.images.tolist() == [0, 1, 2] == fold.captions.tolist()


def test_coco_1k_has_five_consecutive_folds():
    random = np.random.default_rng(8)
    owner = random.permutation(np.repeat(np.arange(5000), 2))  # captions in any order
    parts = folds("coco-1k", RetrievalTruth(owner, images=5000))
    assert [part.images[[0, -1]].tolist() for part in parts] == [[1000 * k, 1000 * k + 999] for k in range(5)]
    assert sorted(np.concatenate([part.captions for part in parts]).tolist()) == list(range(10_000))
    assert all(np.isin(owner[part.captions], part.images).all() for part in parts)


@pytest.mark.parametrize(
    ("protocol", "images", "fits"),
    [
        ("flickr8k", 1000, True),
        ("flickr8k", 999, False),
        ("flickr30k", 1000, True),
        ("flickr30k", 1014, True),
        ("flickr30k", 5000, False),
        ("coco-5k", 5000, True),
        ("coco-5k", 1000, False),
        ("coco-1k", 1000, False),
    ],
)
def test_the_number_of_images_is_checked(protocol, images, fits):
    truth = RetrievalTruth.from_counts([1] * images)
    if fits:
        assert len(folds(protocol, truth)) == 1
    else:
        with pytest.raises(InputError, match=f"{protocol}.* there are {images:,}"):
            folds(protocol, truth)


def test_an_unknown_name_is_told_the_names():
    with pytest.raises(InputError, match="choose one of whole, flickr8k, flickr30k, coco-5k, coco-1k"):
        folds("coco", RetrievalTruth.from_counts([1]))
    assert all(rule.meaning for rule in PROTOCOLS.values())


def test_what_fits_no_fold_is_refused():
    with pytest.raises(InputError, match="caption row 5000 has no image"):
        folds("coco-1k", RetrievalTruth(np.append(np.arange(5000), -1), images=5000))
    with pytest.raises(InputError, match=r"fold 1000\.\.1999 has a caption"):
        folds("coco-1k", RetrievalTruth.from_counts([1] * 1000 + [0] * 1000 + [1] * 3000))
