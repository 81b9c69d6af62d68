"""Readers of the published judgement files, and agreement with them, against SciPy and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import agreement, graded_pairs, read_crowdflower, read_expert

EXPERT = """\
1056338697_4f7d7ce270.jpg\t2549968784_39bfbe44f9.jpg#2\t1\t1\t1
1056338697_4f7d7ce270.jpg\t3718964174_cb2dc1615e.jpg#0\t1\t2\t3
1056338697_4f7d7ce270.jpg\t1056338697_4f7d7ce270.jpg#4\t4\t4\t3
"""
CROWD = """\
1056338697_4f7d7ce270.jpg\t1056338697_4f7d7ce270.jpg#3\t1\t3\t0
1056338697_4f7d7ce270.jpg\t114051287_dd85625a04.jpg#2\t0\t0\t3
1056338697_4f7d7ce270.jpg\t1427391496_ea512cbe7f.jpg#2\t0.333333333333\t1\t2
"""


def write(tmp_path, text):
    file = tmp_path / "annotations.txt"
    file.write_text(text, encoding="utf-8")
    return file


def test_every_expert_grade_is_a_pair_and_own_captions_are_left_out(tmp_path):
    judgements = read_expert(write(tmp_path, EXPERT))
    assert [judgement.own for judgement in judgements] == [False, False, True]
    pairs = graded_pairs(judgements)
    assert pairs.grades.tolist() == [1, 1, 1, 1, 2, 3]
    assert pairs.captions == ["2549968784_39bfbe44f9.jpg#2"] * 3 + ["3718964174_cb2dc1615e.jpg#0"] * 3
    assert set(pairs.images) == {"1056338697_4f7d7ce270.jpg"}


def test_the_crowd_has_one_grade(tmp_path):
    pairs = graded_pairs(read_crowdflower(write(tmp_path, CROWD)))
    assert pairs.grades.tolist() == [0, 0.333333333333]
    assert pairs.captions[0] == "114051287_dd85625a04.jpg#2"


def naive_agreement(scores, grades):
    """Count every pair of judged pairs."""
    balance = tied_scores = tied_grades = 0
    for a in range(len(scores)):
        for b in range(a):
            balance += np.sign(scores[a] - scores[b]) * np.sign(grades[a] - grades[b])
            tied_scores += scores[a] == scores[b]
            tied_grades += grades[a] == grades[b]
    pairs = len(scores) * (len(scores) - 1) / 2
    smaller = min(len(set(scores)), len(set(grades)))
    tau_b = balance / np.sqrt((pairs - tied_scores) * (pairs - tied_grades))
    return tau_b, 2 * balance * smaller / (len(scores) ** 2 * (smaller - 1))


def test_agreement_is_its_formula():
    random = np.random.default_rng(15)
    grades = random.integers(1, 5, 80).tolist()
    scores = np.round(0.1 * np.array(grades) + 0.3 * random.random(80), 2).tolist()
    found = agreement(scores, grades)
    assert found[:2] == pytest.approx(naive_agreement(scores, grades), abs=1e-12)
    assert found.pairs == 80
    assert found.tau_c != pytest.approx(found.tau_b, abs=1e-3)


def test_constant_scores_agree_with_nothing():
    found = agreement([0.5, 0.5, 0.5], [1, 2, 3])
    assert np.isnan(found.tau_b)


@pytest.mark.parametrize(
    ("reader", "row", "message"),
    [
        (read_expert, "a.jpg\tb.jpg#0\t1\t1", "line 4: 5 tab-separated fields are needed, there are 4"),
        (read_expert, "a.jpg b.jpg#0 1 1 1", "line 4: 5 tab-separated fields are needed, there are 1"),
        (read_expert, "a.jpg\tb.jpg#0\t1\t1\t5", "line 4: grades are 1 to 4, got 1, 1, 5"),
        (read_expert, "a.jpg\tb.jpg#0\t1\tx\t2", "line 4: 'x' is not a whole number"),
        (read_expert, "a.jpg\tb.jpg\t1\t1\t2", "line 4: an image file and a caption id FILE#NUMBER are needed"),
        (read_expert, "\tb.jpg#0\t1\t1\t2", "line 4: an image file"),
        (read_expert, "", "line 4: 5 tab-separated"),
        (read_crowdflower, "a.jpg\tb.jpg#0\t1.5\t3\t0", "line 4: the share of yes is 1.5, not between"),
        (read_crowdflower, "a.jpg\tb.jpg#0\tnan\t3\t0", "line 4: the share of yes is nan"),
        (read_crowdflower, "a.jpg\tb.jpg#0\tyes\t3\t0", "line 4: the share of yes is 'yes', not a number"),
        (read_crowdflower, "a.jpg\tb.jpg#0\t0.5\t0\t0", "line 4: 0 yes and 0 no"),
        (read_crowdflower, "a.jpg\tb.jpg#0\t0.5\t-1\t3", "line 4: -1 yes and 3 no"),
        (read_crowdflower, "a.jpg\tb.jpg#0\t0.5\t1.0\t3", "line 4: '1.0' is not a whole number"),
    ],
)
def test_a_malformed_row_is_named(tmp_path, reader, row, message):
    text = EXPERT if reader is read_expert else CROWD
    with pytest.raises(InputError, match=message):
        reader(write(tmp_path, text + row + "\n"))


def test_unreadable_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_expert(tmp_path / "absent.txt")
    with pytest.raises(InputError, match="cannot be read"):
        read_expert(tmp_path)
    with pytest.raises(InputError, match="is empty"):
        read_crowdflower(write(tmp_path, ""))


def test_nothing_left_is_refused(tmp_path):
    with pytest.raises(InputError, match="no judgement is left"):
        graded_pairs(read_expert(write(tmp_path, EXPERT.splitlines()[2])))


@pytest.mark.parametrize(
    ("similarity", "grades", "message"),
    [
        ([0.1, 0.2], [1, 2, 3], "lists of one length"),
        ([0.1], [1], "at least 2"),
        ([0.1, np.nan], [1, 2], "the similarity of pair 1 is nan"),
        ([0.1, 0.2], [np.inf, 2], "the grade of pair 0 is inf"),
    ],
)
def test_bad_scores_are_refused(similarity, grades, message):
    with pytest.raises(InputError, match=message):
        agreement(similarity, grades)
