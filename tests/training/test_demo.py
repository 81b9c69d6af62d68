"""The demo on few pictures: everything is made, and a second call finds it done."""

from __future__ import annotations

import time
from html.parser import HTMLParser

from bcls.training.demo import LOSSES, demo


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
