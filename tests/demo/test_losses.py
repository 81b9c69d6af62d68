"""The demo on few pictures: everything is made, and a second call finds it done."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest

from bcls.demo.losses import LOSSES, claim_demo, demo
from bcls.errors import InputError


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


def test_a_small_demo(tmp_path):
    settings = {"epochs": 1, "splits": {"train": 128, "val": 20}}
    result = demo(tmp_path / "demo", **settings)
    assert list(result.metrics) == list(LOSSES)
    page = _Text()
    page.feed(result.report.read_text(encoding="utf-8"))
    for name, metrics in result.metrics.items():
        assert name in page.words
        assert f"{metrics['rsum']:.1f}" in page.words
    before = result.report.stat().st_mtime_ns
    time.sleep(0.01)
    again = demo(tmp_path / "demo", **settings)
    assert again.metrics == result.metrics
    assert again.report.stat().st_mtime_ns > before


def test_a_folder_holds_one_demo(tmp_path):
    """Neither the scenes nor the report of another seed, number of epochs or splits are taken for one's own."""
    claim_demo(tmp_path / "demo", {"seed": 0, "epochs": 9})
    claim_demo(tmp_path / "demo", {"seed": 0, "epochs": 9})
    for made, named in [({"seed": 1, "epochs": 9}, "seed 1"), ({"seed": 0, "epochs": 2}, "epochs 2")]:
        with pytest.raises(
            InputError, match=f"holds a demo that was made otherwise, not with {named}: choose another --output"
        ):
            claim_demo(tmp_path / "demo", made)
