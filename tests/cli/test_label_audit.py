"""`bcls label audit`."""

from __future__ import annotations

import json

import pytest

from bcls.relevance import Calibration


@pytest.fixture
def ratings(tmp_path):
    """Forty rated pairs of captions of the data set, by text and by id."""
    words = ["small", "large", "brown", "black"]
    lines = ["caption_id_1,caption_id_2,caption1,caption2,score,kind"]
    for number in range(40):
        first, second = number % 16, (number * 3 + 4 + number // 16) % 16
        score = 4 if first % 4 == second % 4 else 1 + number % 2
        texts = [f"a {words[row % 4]} dog runs on grass {row}" for row in (first, second)]
        lines.append(f"{first}#0,{second}#0,{texts[0]},{texts[1]},{score},{'odd' if number % 2 else 'even'}")
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_says_and_writes_what_it_found(bcls, ratings, tmp_path):
    words = ("--highest", "5", "--group", "kind", "--resamples", "5", "--output", tmp_path / "audit")
    said = bcls("label", "audit", ratings, *words)
    assert said.code == 0, said.err
    assert "40 rated pairs of 16 captions" in said.out
    assert "from the rated captions" in said.out
    for part in ("Spearman", "tau-b", "3-4", "even", "90%", "sharing", "of the group odd", "cider-d"):
        assert part in said.out
    assert max(len(line) for line in said.out.splitlines()[:-1]) <= 80
    found = json.loads((tmp_path / "audit" / "audit.json").read_text())
    assert [one["scorer"] for one in found["scorers"]] == ["tfidf", "cider-d"]
    assert found["audited_pairs"] == 40
    kept = Calibration.load(tmp_path / "audit" / "calibration" / "tfidf.json")
    assert kept.hash == found["scorers"][0]["calibration"]["hash"]
    assert (tmp_path / "audit" / "audit.png").stat().st_size > 1000


def test_ids_and_frequencies_from_a_data_set(bcls, ratings, folder, tmp_path):
    lines = [",".join([*line.split(",")[:2], line.split(",")[4]]) for line in ratings.read_text().splitlines()]
    ratings.write_text("\n".join(lines) + "\n")
    words = ("--highest", "5", "--scorers", "[tfidf]", "--picture", "none", "--resamples", "0", "--sample", "30")
    said = bcls("label", "audit", ratings, "--data", folder, *words, "--output", tmp_path / "audit")
    assert said.code == 0, said.err
    assert "30 rated pairs (a sample of 40)" in said.out
    assert "from the captions of tiny, train" in said.out
    assert not list((tmp_path / "audit").glob("audit.p*"))
    assert Calibration.load(tmp_path / "audit" / "calibration" / "tfidf.json").fitted_on.endswith("tiny, train")


def test_refusals_are_one_line(bcls, ratings, tmp_path):
    for words, named in [
        ((), "highest"),
        (("--highest", "3"), "row 2: score 4 is not in [0, 3]"),
        (("--highest", "5", "--scorers", "[bleu]"), "no scorer 'bleu'"),
        (("--highest", "5", "--scorers", "[]"), "--scorers names none"),
        (("--highest", "5", "--picture", "gif"), ".png or .svg"),
        (("--highest", "5", "--group", "color"), "no column 'color'"),
        (("--highest", "5", "--data", tmp_path / "none"), "none"),
        (("--highest", "5", "--resamples", "-2"), "-2 resamples"),
    ]:
        said = bcls("label", "audit", ratings, *words, "--output", tmp_path / "audit")
        assert said.code == 2, (words, said.err)
        assert named in said.err.splitlines()[-1], said.err
    assert bcls("label", "audit", tmp_path / "absent.csv", "--highest", "5").code == 2


def test_has_help(bcls):
    said = bcls("label", "audit", "--help")
    assert (said.code, "example:" in said.out) == (0, True)
