"""Records of a data set: values, equal by what they hold."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from bcls.data import Caption, ImageRecord

RECORD = ImageRecord("1", "1.jpg", "train", (Caption("1#0", "a dog"), Caption("1#1", "a brown dog")))


def test_records_are_equal_by_what_they_hold():
    same = ImageRecord("1", "1.jpg", "train", (Caption("1#0", "a dog"), Caption("1#1", "a brown dog")))
    assert (RECORD, hash(RECORD)) == (same, hash(same))
    assert replace(RECORD, captions=RECORD.captions[::-1]) != RECORD
    assert replace(RECORD, file=None) != RECORD


@pytest.mark.parametrize(("record", "name"), [(RECORD, "split"), (RECORD.captions[0], "text")])
def test_a_record_does_not_change(record, name):
    with pytest.raises(FrozenInstanceError):
        setattr(record, name, "other")
