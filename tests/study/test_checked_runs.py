"""A study is refused before its first run where any of its runs cannot succeed."""

from __future__ import annotations

import pytest

from bcls.errors import InputError
from bcls.study import conduct_study


def test_a_study_checks_all_its_runs_before_the_first(study, tmp_path, monkeypatch):
    def refuse(*given):
        raise AssertionError("a run was started")

    monkeypatch.setattr("bcls.study.conduct.run_processes", refuse)
    wrong = study(
        variants={
            "triplet": {"set": {"loss": "TripletLoss"}},
            "large": {"set": {"optimization.batch_size": 100}},
            "other": {"set": {"validation.monitor": "r1"}},
        }
    )
    with pytest.raises(InputError, match=r"nothing was run: large seed 0: .*batch_size is 100.*; other seed 0: .*'r1'"):
        conduct_study(wrong)
    assert not (tmp_path / "study").exists()
