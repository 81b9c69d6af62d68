"""What a study tells while it goes on."""

from __future__ import annotations

import io
import re
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation import write_result
from bcls.progress import written_time
from bcls.study.plan import StudyRun
from bcls.study.progress import StudyProgress
from bcls.training.run_folder import RunFolder


@pytest.fixture
def run(tmp_path):
    """`run("a", rsum=300.0)`: a run that has ended with these metrics."""

    def make(name: str, **metrics: float) -> StudyRun:
        folder = RunFolder(tmp_path / name)
        write_result(folder.result, metrics, {"best_epoch": 0})
        return StudyRun(name, folder, "")

    return make


@pytest.fixture
def told(caplog):
    """The lines that were said."""
    caplog.set_level("INFO", logger="bcls")
    return lambda: [record.getMessage() for record in caplog.records]


def test_each_end_is_a_line_with_metrics_and_the_time_that_is_left(run, told):
    progress = StudyProgress(5, 1, 2, ["rsum", "tau_b", "image_to_text/recall@1"])
    progress.ended(run("a seed 0", **{"rsum": 300.06, "image_to_text/recall@1": 41.0, "mrr": 0.5}), 40.4, None)
    progress.ended(run("b seed 0", rsum=float("nan")), 80.0, None)
    progress.ended(run("c seed 0"), 0.0, "it is bad")
    progress.close()
    assert told() == [
        "[2/5] a seed 0: rsum 300.1  i2t R@1 41.0  40 s; 61 s left",
        "[3/5] b seed 0: rsum -  80 s; 60 s left",
        "[4/5] c seed 0: failed: it is bad  0 s; 20 s left",
    ]
    assert progress.failures == {"c seed 0": "it is bad"}


def test_a_result_that_cannot_be_read_is_refused(run, tmp_path):
    progress, broken = StudyProgress(1, 0, 1, ["rsum"]), run("a")
    broken.folder.result.write_text("[]")
    with pytest.raises(InputError, match="not a result file"):
        progress.ended(broken, 1.0, None)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_for_a_terminal_alone(terminal, run, monkeypatch):
    stream = _Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    progress = StudyProgress(4, 1, 2, ["rsum"])
    progress.tick([run("a seed 0"), run("b seed 0")])
    if terminal:
        assert re.search(r"1/4 .*a seed 0, b seed 0", stream.getvalue())
        progress.ended(run("a seed 0"), 1.0, None)
        progress.tick([run("b seed 0")])
        assert re.search(r"2/4 [^\r]*, b seed 0\]?[^\r]*$", stream.getvalue())
    progress.close()
    assert bool(stream.getvalue()) == terminal


@given(st.floats(0, 1e6))
@example(89.5)
@example(90.0)
@example(5369.0)
@example(5370.0)
@example(7199.0)
@settings(deadline=None, max_examples=100)
def test_a_time_says_how_long_it_takes_to_its_last_unit(seconds):
    text = written_time(seconds)
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    if text.endswith(" s"):
        assert text == f"{numbers[0]} s"
        assert seconds < 90
        assert abs(numbers[0] - seconds) <= 0.5
    else:
        hours, minutes = numbers if " h " in text else (0, numbers[0])
        assert abs(3600 * hours + 60 * minutes - seconds) <= 30
        assert text == (f"{hours} h {minutes:02d} min" if hours else f"{minutes} min")
        assert minutes < (60 if hours else 90)
        assert seconds >= 90
