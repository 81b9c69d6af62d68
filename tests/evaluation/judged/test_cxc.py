"""CxC's rating files and the correlation by resampled queries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from bcls.errors import InputError
from bcls.evaluation import CosineSimilarity, RetrievalTruth, judge
from bcls.evaluation.judged.cxc import judge_cxc_ratings
from bcls.evaluation.judged.cxc_ratings import read_cxc_ratings
from bcls.evaluation.judged.sampled_spearman import sampled_spearman
from bcls.evaluation.judged.task import Task

HEADERS = {
    "sts": "caption1,caption2,agg_score,sampling_method",
    "sis": "image1,image2,agg_score,sampling_method",
    "sits": "caption,image,agg_score,sampling_method",
}


def image(number):
    return f"COCO_val2014_{number:012d}.jpg"


def caption(number):
    return f"COCO_val2014:sentid:{number}"


def write(path, task, pairs):
    names = {"sts": (caption, caption), "sis": (image, image), "sits": (caption, image)}[task]
    rows = [f"{names[0](a)},{names[1](b)},{rating},x" for a, b, rating in pairs]
    path.write_text("\n".join([HEADERS[task], *rows]) + "\n")
    return path


@pytest.fixture
def rated(tmp_path):
    """Ten images and twenty captions with embeddings, and ratings of pairs of every kind."""
    random = np.random.default_rng(0)
    truth = RetrievalTruth(
        np.repeat(np.arange(10), 2), 10, [image(n) for n in range(10)], [str(100 + n) for n in range(20)]
    )
    cosine = CosineSimilarity(random.normal(size=(10, 4)), random.normal(size=(20, 4)))
    pairs = {
        "sts": [(100 + a, 100 + b) for a, b in random.integers(0, 20, (60, 2))],
        "sis": [tuple(pair) for pair in random.integers(0, 10, (40, 2))],
        "sits": [(100 + a, b) for a, b in zip(random.integers(0, 20, 50), random.integers(0, 10, 50), strict=True)],
    }
    rows = {task: [(a, b, float(np.round(5 * random.random(), 2))) for a, b in found] for task, found in pairs.items()}
    files = {task: write(tmp_path / f"{task}_val.csv", task, found) for task, found in rows.items()}
    return truth, cosine, rows, files


def naive(scores, ratings, queries, samples, seed=0):
    """The definition with the same draws: half of the queries, one pair of each, SciPy's correlation, the mean."""
    random = np.random.default_rng(seed)
    distinct = np.unique(queries)
    values = []
    for _ in range(samples):
        drawn = random.choice(len(distinct), len(distinct) // 2, replace=False)
        turns = random.random(len(drawn))
        chosen = []
        for place, turn in zip(drawn, turns, strict=True):
            own = np.flatnonzero(queries == distinct[place])
            chosen.append(own[int(turn * len(own))])
        values.append(spearmanr(scores[chosen], ratings[chosen]).statistic)
    return np.mean(values), np.std(values)


def test_every_task_is_scipys_correlation_on_the_same_draws(rated):
    truth, cosine, rows, files = rated
    metrics = judge_cxc_ratings(Task(cosine, truth, files=tuple(files.values())), samples=40)
    units = {"caption": cosine.captions, "image": cosine.images}
    for task, (left, right) in {
        "sts": ("caption", "caption"),
        "sis": ("image", "image"),
        "sits": ("caption", "image"),
    }.items():
        first, second, ratings = (np.array(column) for column in zip(*rows[task], strict=True))
        places = [numbers - 100 * (side == "caption") for numbers, side in ((first, left), (second, right))]
        scores = np.sum(units[left][places[0]] * units[right][places[1]], axis=1)
        mean, deviation = naive(scores.astype(np.float32), ratings, first, samples=40)
        assert metrics[f"{task}_spearman"] == pytest.approx(100 * mean, abs=1e-9)
        assert metrics[f"{task}_spearman_deviation"] == pytest.approx(100 * deviation, abs=1e-9)
        assert metrics[f"{task}_pairs"] == len(ratings)
        assert metrics[f"{task}_queries"] == len(np.unique(first))


def test_a_matrix_tells_sits_and_nothing_else(rated):
    truth, cosine, _, files = rated
    matrix = cosine(np.arange(10), np.arange(20))
    alone = judge("cxc-ratings", matrix, truth, files=[files["sits"]])
    assert alone == judge("cxc-ratings", cosine, truth, files=[files["sits"]])
    with pytest.raises(
        InputError, match=r"sts_val\.csv: rates pairs of captions, whose similarity only embeddings tell"
    ):
        judge("cxc-ratings", matrix, truth, files=[files["sts"]])


def test_ids_and_files_that_do_not_match_are_refused(rated, tmp_path):
    truth, cosine, _, files = rated
    other = write(tmp_path / "sits_test.csv", "sits", [(100, 77, 1.0), (999, 3, 2.0), (100, 78, 0.0)])
    with pytest.raises(InputError, match=r"sits_test\.csv: 1 rated captions are not there: '999'"):
        judge("cxc-ratings", cosine, truth, files=[other])
    with pytest.raises(InputError, match="ratings of sts were given already"):
        judge("cxc-ratings", cosine, truth, files=[files["sts"], files["sts"]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        (
            "a,b,agg_score\n",
            "the header begins a, b, agg_score, not one of caption1, caption2; image1, image2; caption",
        ),
        (HEADERS["sits"] + "\n", "no pair is rated"),
        (f"{HEADERS['sits']}\n{caption(1)},{image(2)},1.0\n", "row 2: 3 cells under 4 columns"),
        (f"{HEADERS['sits']}\n{image(1)},{image(2)},1.0,x\n", f"row 2: '{image(1)}' is no COCO caption id"),
        (f"{HEADERS['sits']}\n{caption(1)},{image(2)},5.1,x\n", "row 2: the rating 5.1 is not between 0 and 5"),
        (f"{HEADERS['sits']}\n{caption(1)},{image(2)},nan,x\n", "row 2: the rating nan is not between 0 and 5"),
        (f"{HEADERS['sits']}\n{caption(1)},{image(2)},high,x\n", "row 2: the rating 'high' is not a number"),
    ],
)
def test_files_of_another_form_are_refused(tmp_path, text, message):
    (tmp_path / "ratings.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_cxc_ratings(tmp_path / "ratings.csv")


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_cxc_ratings(tmp_path / "ratings.csv")


def test_many_pairs_of_one_query_weigh_no_more_than_one():
    scores, ratings = np.arange(4.0), np.arange(4.0)
    crowd = np.concatenate([scores, np.full(500, 9.0)]), np.concatenate([ratings, np.zeros(500)])
    query = np.concatenate([np.arange(4), np.full(500, 4)])
    assert spearmanr(*crowd).statistic < 0
    assert sampled_spearman(*crowd, query, samples=200).mean > 0


def test_alike_scores_have_no_correlation():
    assert np.isnan(sampled_spearman(np.zeros(8), np.arange(8.0), np.arange(8), samples=5).mean)


def test_wrong_lists_are_refused():
    with pytest.raises(InputError, match="one length"):
        sampled_spearman([1.0], [1.0, 2.0], [0, 1])
    with pytest.raises(InputError, match="3 queries are rated"):
        sampled_spearman([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [0, 1, 2])
    with pytest.raises(InputError, match="the score of pair 1 is nan"):
        sampled_spearman([1.0, np.nan, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0], [0, 1, 2, 3])
