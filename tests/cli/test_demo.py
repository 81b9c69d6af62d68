"""`bcls demo`: its words reach the demo, its table reaches the screen."""

from __future__ import annotations

from pathlib import Path

import pytest

import bcls.demo.losses as room


def test_words_and_table(bcls, monkeypatch):
    asked = {}

    def demo(folder, *, seed, epochs):
        asked.update(folder=folder, seed=seed, epochs=epochs)
        metrics = dict.fromkeys(room.COLUMNS.values(), 12.5)
        return room.DemoResult({"Triplet-HN": metrics, "BCLS": metrics}, folder / "report.html", 61.2)

    monkeypatch.setattr(room, "demo", demo)
    said = bcls("demo", "--output", "there", "--seed", "2", "--epochs", "3")
    assert asked == {"folder": Path("there"), "seed": 2, "epochs": 3}
    assert said.code == 0
    assert "Triplet-HN" in said.out
    assert said.out.rstrip().endswith("report: there/report.html   (61 s)")


@pytest.mark.parametrize("words", [("--epochs", "few"), ("--size", "3")])
def test_wrong_words(bcls, words):
    assert bcls("demo", *words).code == 2
