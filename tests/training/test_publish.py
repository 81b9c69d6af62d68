"""The intervals of a published card."""

from __future__ import annotations

import pytest

from bcls.errors import InputError
from bcls.relevance import TfidfScorer
from bcls.training import load_config, train
from bcls.training.publish import published_card


def test_intervals_stand_around_the_runs_own_values(words, tmp_path):
    config, text = load_config(words())
    result = train(config, text)
    card = published_card(tmp_path / "run")
    assert card.metrics == result.metrics
    low, high = card.intervals["rsum"]
    assert low < result.metrics["rsum"] < high
    assert high - low < 200
    assert "image_to_text/recall@1" in card.intervals
    assert "ndcg@10" not in card.intervals


def test_what_is_no_finished_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"result.json"):
        published_card(tmp_path)


def test_labels_are_those_of_the_run(words, tmp_path):
    kept = ("--validation.scorer", "TfidfScorer", "--labels.folder", str(tmp_path / "kept"))
    train(*load_config([*words(), *kept]))
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").rglob("*.npy")}
    assert "ndcg@10" in published_card(tmp_path / "run", scorer=TfidfScorer()).intervals
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").rglob("*.npy")} == before
    assert not (tmp_path / "labels").exists()
