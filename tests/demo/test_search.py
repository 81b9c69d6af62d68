"""The demo of search: two models over the same pictures, and a second call that finds all of it."""

from __future__ import annotations

import time

import pytest

from bcls.demo.search import COMPARED, make_search_demo
from bcls.models import fingerprint
from bcls.search import Filter, open_index

SPLITS = {"train": 130, "val": 8, "new": 4}


@pytest.mark.slow
def test_it_makes_two_models_with_an_index_each_and_makes_them_once(tmp_path):
    made = make_search_demo(tmp_path, epochs=1, splits=SPLITS)
    assert tuple(made.models) == COMPARED
    for name, place in made.indexes.items():
        with open_index(place) as index:
            assert index.model == fingerprint(made.models[name])
            assert index.count(Filter.parse("kind=image")) == 142
            assert index.count(Filter.parse("kind=caption split=new")) == 20
            record = index.get(["scene-00000"])[0]
            assert (made.pictures / record.fields["file"]).is_file()
    start = time.monotonic()
    assert make_search_demo(tmp_path, epochs=1, splits=SPLITS) == made
    assert time.monotonic() - start < 20
