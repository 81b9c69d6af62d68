"""The page of two models: counts, the queries that changed, and what each of them shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bcls.assessment.comparing import EvaluatedModels
from bcls.assessment.comparison_report import comparison_report
from bcls.data import Caption, ImageRecord, RetrievalDataset
from bcls.evaluation import Difference, RetrievalTruth, per_query_similarity
from bcls.evaluation.report.page import report_page

TEXTS = [["a dog", "one dog runs on grass"], ["a cat"], ["two men eat"]]
RELEVANCE = np.array([[1.0, 1.0, 0.4, 0.1], [0.4, 0.2, 1.0, 0.0], [0.1, 0.1, 0.0, 1.0]])
OLD = np.array([[0.9, 0.1, 0.3, 0.2], [0.5, 0.8, 0.7, 0.1], [0.1, 0.7, 0.2, 0.6]])
NEW = np.array([[0.9, 0.8, 0.3, 0.2], [0.5, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.6]])


def evaluated_of(part, similarities, relevance=RELEVANCE, protocol="whole") -> EvaluatedModels:
    truth = RetrievalTruth(part.caption_image, len(part.images), part.image_ids, part.caption_ids)
    results = {name: per_query_similarity(one, truth, relevance=relevance) for name, one in similarities.items()}
    return EvaluatedModels(part, truth, relevance, protocol, similarities, results)


@pytest.fixture
def part(tmp_path) -> RetrievalDataset:
    """Three pictures, the first of two captions; the last has lost its file."""
    images = []
    for row, texts in enumerate(TEXTS):
        captions = tuple(Caption(f"{row}#{number}", text) for number, text in enumerate(texts))
        images.append(ImageRecord(f"i{row}", f"{row}.png", "val", captions))
        Image.new("RGB", (8, 8)).save(tmp_path / f"{row}.png")
    (tmp_path / "2.png").unlink()
    return RetrievalDataset("tiny", images, tmp_path, {})


@pytest.fixture
def evaluated(part) -> EvaluatedModels:
    return evaluated_of(part, {"old": OLD, "other": OLD.T.reshape(3, 4), "new": NEW})


def report_of(evaluated, pair=("old", "new"), differences=(), **settings):
    return comparison_report(evaluated, pair, differences, **settings)


def rank_of(scores, right):
    """The best place of a right answer, of equal scores the wrong ones first."""
    order = sorted(range(len(scores)), key=lambda row: (-scores[row], right[row]))
    return next(place for place, row in enumerate(order, start=1) if right[row])


def own(part):
    return part.caption_image[None] == np.arange(len(part.images))[:, None]


def test_counts_are_those_of_ranks_by_a_sort(evaluated, part):
    counts = report_of(evaluated).changes.counts
    for name, asked in (("captions", "columns"), ("pictures", "rows")):
        old, new, right = (one.T if asked == "columns" else one for one in (OLD, NEW, own(part)))
        ranks = [(rank_of(a, r), rank_of(b, r)) for a, b, r in zip(old, new, right, strict=True)]
        expected = (sum(a > b for a, b in ranks), sum(a == b for a, b in ranks), sum(a < b for a, b in ranks))
        assert counts[f"{name}, rank of the right answer"] == expected
    for name, direction in (("captions", "text_to_image"), ("pictures", "image_to_text")):
        gain = evaluated.results["new"][f"{direction}/ndcg@10"] - evaluated.results["old"][f"{direction}/ndcg@10"]
        assert counts[f"{name}, NDCG@10"] == ((gain > 0).sum(), (gain == 0).sum(), (gain < 0).sum())
    assert list(counts) == [
        *("captions, rank of the right answer", "captions, NDCG@10"),
        *("pictures, rank of the right answer", "pictures, NDCG@10"),
    ]


def test_a_caption_and_a_picture_by_hand(evaluated, part, tmp_path):
    """The long caption rises from the third place to the first; the cat's picture falls from second to third."""
    queries = {query.label: query for query in report_of(evaluated, near_miss=0.4).changes.queries}
    caption = queries["one dog runs on grass"]
    assert (caption.direction, caption.ranks, caption.words, caption.picture) == ("text_to_image", (3.0, 1.0), 5, None)
    assert [(one.label, one.picture) for one in caption.answers] == [("i0", tmp_path / "0.png")]
    assert list(caption.rankings) == ["old", "new"]
    assert [one.label for one in caption.rankings["old"]] == ["i1", "i2", "i0"]
    first = caption.rankings["new"][0]
    assert (first.label, first.similarity, first.relevance, first.positive) == ("i0", 0.8, 1.0, True)
    assert [one.positive for one in caption.rankings["old"]] == [False, False, True]
    assert [one.relevance for one in caption.rankings["old"]] == [0.2, 0.1, 1.0]
    assert caption.near_misses == 0
    assert caption.ndcg == tuple(evaluated.results[name]["text_to_image/ndcg@10"][1] for name in ("old", "new"))
    picture = queries["i1"]
    assert (picture.direction, picture.ranks, picture.words) == ("image_to_text", (2.0, 3.0), 2)
    assert picture.picture == tmp_path / "1.png"
    assert [(one.label, one.positive, one.relevance, one.picture) for one in picture.answers] == [
        ("a cat", True, 1.0, None)
    ]
    shown = ["a dog", "one dog runs on grass", "a cat", "two men eat"]
    assert [one.label for one in picture.rankings["new"]] == shown
    assert [one.similarity for one in picture.rankings["new"]] == [0.5, 0.3, 0.2, 0.1]
    assert picture.near_misses == 1


def test_all_captions_of_a_picture_are_right_and_its_words_are_their_mean(part):
    better = NEW.copy()
    better[0] = [0.1, 0.2, 0.8, 0.9]
    queries = {one.label: one for one in report_of(evaluated_of(part, {"old": OLD, "new": better})).changes.queries}
    query = queries["i0"]
    assert [one.label for one in query.answers] == ["a dog", "one dog runs on grass"]
    assert query.words == 4
    assert query.ranks == (1.0, 3.0)


def test_the_largest_change_comes_first_and_as_many_are_shown_as_asked_for(evaluated):
    def change(query):
        return abs(np.log2(query.ranks[0] / query.ranks[1]))

    every = report_of(evaluated).changes.queries
    assert [change(one) for one in every] == sorted(map(change, every), reverse=True)
    assert {(one.direction, one.label) for one in report_of(evaluated, queries=1).changes.queries} < {
        (one.direction, one.label) for one in every
    }
    assert all(one.ranks[0] != one.ranks[1] or one.ndcg[0] != one.ndcg[1] for one in every)


def test_a_picture_that_is_not_there_is_left_out(evaluated):
    items = [
        item
        for query in report_of(evaluated).changes.queries
        for item in (*query.answers, *(one for ranking in query.rankings.values() for one in ranking))
    ]
    assert {item.picture is None for item in items if item.label == "i2"} == {True}
    assert {item.picture is None for item in items if item.label == "i0"} == {False}
    assert all(item.picture is None for item in items if item.label not in {"i0", "i1", "i2"})


def test_a_data_set_of_features_has_no_pictures(part):
    bare = RetrievalDataset("tiny", [replace(image, file=None) for image in part.images], None, {})
    report = report_of(evaluated_of(bare, {"old": OLD, "new": NEW}))
    assert all(query.picture is None for query in report.changes.queries)
    assert "<img" not in report_page(report)


def test_without_relevance_nothing_graded_is_told(part):
    report = report_of(evaluated_of(part, {"old": OLD, "new": NEW}, relevance=None))
    assert list(report.changes.counts) == ["captions, rank of the right answer", "pictures, rank of the right answer"]
    for query in report.changes.queries:
        assert (query.ndcg, query.near_misses) == (None, None)
        assert all(one.relevance is None for one in query.rankings["new"])


def test_a_near_miss_is_what_was_called_so(evaluated):
    """Of the cat's picture the wrong captions have the relevance 0.4, 0.2 and 0."""
    for near_miss, expected in ((0.0, 3), (0.2, 2), (0.4, 1), (0.5, 0)):
        report = report_of(evaluated, near_miss=near_miss)
        (query,) = [one for one in report.changes.queries if one.label == "i1"]
        assert (report.changes.near_miss, query.near_misses) == (near_miss, expected)


def test_the_pair_alone_is_told(evaluated):
    differences = [Difference(run, "rsum", 1.0, 2.0, 0.5, 1.5, 0.01, 0.01) for run in ("other", "new")]
    report = report_of(evaluated, differences=differences, provenance={"Command": "bcls compare"})
    assert report.title == "old or new?"
    assert report.differences == [differences[1]]
    assert report.changes.runs == ("old", "new")
    assert report.provenance == {"Command": "bcls compare"}
    assert report.summary == ["What changes for 3 images and 4 captions if new (new) takes the place of old (base)."]
    assert report_of(evaluated).provenance == {}


def test_turned_round_gains_are_losses(evaluated):
    there, back = report_of(evaluated).changes, report_of(evaluated, ("new", "old")).changes
    assert back.counts == {name: counts[::-1] for name, counts in there.counts.items()}
    ranks = {(one.direction, one.label): one.ranks for one in there.queries}
    assert {(one.direction, one.label): one.ranks[::-1] for one in back.queries} == ranks


def test_models_that_agree_have_no_changes(part):
    report = report_of(evaluated_of(part, {"old": OLD, "new": OLD}))
    assert report.changes.queries == []
    assert report.changes.counts["captions, NDCG@10"] == (0, 4, 0)


def test_an_unreadable_picture_is_named_on_the_page(evaluated, tmp_path):
    (tmp_path / "0.png").write_bytes(b"no picture")
    assert "(0.png cannot be read)" in report_page(report_of(evaluated))
