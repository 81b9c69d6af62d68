"""Splits that are named one by one, joined, or by a name that has a `+` itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcls.data import Caption, ImageRecord, RetrievalDataset
from bcls.data.split_names import chosen_splits
from bcls.errors import InputError


def of_splits(*names):
    images = [ImageRecord(str(n), None, name, (Caption(f"{n}#0", name),)) for n, name in enumerate(names)]
    return RetrievalDataset("mine", images)


def test_a_split_with_a_plus_in_its_name_is_found_by_it():
    dataset = of_splits("train+validation", "test", "a+b+c")
    assert dataset.split("train+validation").splits == {"train+validation": 1}
    assert dataset.split(["a+b+c", "test"]).splits == {"test": 1, "a+b+c": 1}
    with pytest.raises(InputError, match="mine: no split 'train', 'validation'"):
        dataset.split(["train", "validation"])


def test_joined_names_are_several_splits():
    dataset = of_splits("train", "restval", "val", "train")
    assert dataset.split("train+restval").splits == {"train": 2, "restval": 1}
    with pytest.raises(InputError, match="no split 'tset'; there are restval, train, val"):
        dataset.split("val+tset")


def test_a_name_with_two_meanings_is_refused():
    dataset = of_splits("train", "val", "train+val")
    with pytest.raises(InputError, match="'train\\+val' is a split, but its parts 'train', 'val' are splits as well"):
        dataset.split("train+val")
    assert dataset.split(["train", "val"]).splits == {"train": 1, "val": 1}


@given(known=st.sets(st.text("ab+", min_size=1, max_size=4), min_size=1), data=st.data())
def test_a_split_is_found_by_its_own_name_or_refused_for_another_meaning(known, data):
    name = data.draw(st.sampled_from(sorted(known)))
    parts = name.split("+")
    if len(parts) > 1 and all(part in known for part in parts):
        with pytest.raises(InputError, match="two meanings"):
            chosen_splits(name, known, "here")
    else:
        assert chosen_splits(name, known, "here") == {name}
