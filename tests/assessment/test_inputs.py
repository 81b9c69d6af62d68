"""What a model is evaluated on: a checked data set and its images, or a clear refusal."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.assessment.inputs import image_source, open_splits
from bcls.data import read_dataset
from bcls.errors import InputError
from bcls.models import BagOfWordsTower, ConvTower, PooledFeatureTower, RegionFeatureTower, RetrievalModel


def test_the_whole_data_set_is_returned(tiny_data):
    opened = open_splits(str(tiny_data), ["val"], "vectors")
    assert opened.content_hash() == read_dataset(tiny_data).content_hash()


def test_only_the_splits_that_are_used_are_checked(tiny_data):
    dataset = read_dataset(tiny_data)
    store = dataset.features["vectors"]
    values = np.array(store.gather(np.arange(72)), np.float32)
    values[dataset.split("train").feature_rows("vectors")[0]] = np.nan

    class Broken(type(store)):
        def gather(self, rows):
            return values[rows]

    broken = object.__new__(Broken)
    broken.__dict__.update(store.__dict__)
    dataset.features["vectors"] = broken
    assert open_splits(str(tiny_data), ["val"], "vectors", dataset) is dataset
    with pytest.raises(InputError, match=r"bcls data check .*data"):
        open_splits(str(tiny_data), ["train"], "vectors", dataset)


@pytest.mark.parametrize(
    ("split", "features", "message"),
    [
        ("test", "vectors", "no split 'test'; there are train, val"),
        ("val", "regions", "no features 'regions'; there are: vectors"),
        ("val", None, "has no images to open, only features: .* --features vectors"),
    ],
)
def test_unknown_splits_and_features_are_refused(split, features, message, tiny_data):
    with pytest.raises(InputError, match=message):
        open_splits(str(tiny_data), [split], features)


def test_captions_alone_need_no_images(tiny_data):
    assert len(open_splits(str(tiny_data), ["val"], None, images=False).split("val").images) == 24


def test_features_come_in_the_order_of_the_images(tiny_data):
    part = read_dataset(tiny_data).split("val")
    model = RetrievalModel(PooledFeatureTower(dim=4), BagOfWordsTower(dim=4))
    images = image_source(part, "vectors", model)
    assert len(images) == 24
    rows = [int(part.features["vectors"].rows([image])[0]) for image in part.image_ids[5:7]]
    np.testing.assert_array_equal(images.gather(np.array([5, 6])), part.features["vectors"].gather(np.array(rows)))


@pytest.mark.parametrize(
    ("tower", "features", "message"),
    [
        (PooledFeatureTower(dim=4), None, "has no images to open"),
        (ConvTower(dim=4), "vectors", "ConvTower takes pictures: set data.features to null"),
        (RegionFeatureTower(dim=4), "vectors", r"takes features of shape \(images, regions, dim\)"),
        (PooledFeatureTower(dim=4), "others", "no features 'others'; there are: vectors"),
    ],
)
def test_images_that_the_tower_does_not_take_are_refused(tower, features, message, tiny_data):
    part = read_dataset(tiny_data).split("val")
    with pytest.raises(InputError, match=message):
        image_source(part, features, RetrievalModel(tower, BagOfWordsTower(dim=4)))
