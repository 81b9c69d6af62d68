"""Judged protocols by name: what each takes, gives and refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import CosineSimilarity, RetrievalTruth
from bcls.evaluation.judged.registry import JUDGED, JudgedProtocol, find_judged, judge
from bcls.evaluation.judged.semantic_score import judge_semantic_score
from bcls.evaluation.judged.task import Task
from bcls.evaluation.protocols import PROTOCOLS
from bcls.evaluation.table import text_table

TRUTH = RetrievalTruth.from_counts([2, 2])
TAKES_FILES = ["cxc-ratings", "cxc-within", "pmrp", "pmrp-eccv", "flickr8k-expert", "flickr8k-cf"]
GRADED = ["cs@k", "ncs"]


@pytest.fixture
def within(small, monkeypatch):
    """All judgements are those of the small gallery; gives its similarity, truth and files by protocol."""
    for name in ("eccv", "cxc", "pmrp_eccv", "registry"):
        monkeypatch.setattr(f"bcls.evaluation.judged.{name}.eccv_package", lambda: small)
    random = np.random.default_rng(0)
    cosine = CosineSimilarity(random.normal(size=(5, 4)), random.normal(size=(10, 4)))
    images, captions = small.image_numbers.tolist(), small.caption_numbers.tolist()
    rows = {
        "sts": [(captions[row], captions[row + 1], row % 6) for row in range(9)],
        "sis": [(images[row], images[row + 1], 1 + row) for row in range(4)],
        "sits": [(captions[row], images[row // 2], row % 5) for row in range(10)],
    }
    heads = {"sts": "caption1,caption2", "sis": "image1,image2", "sits": "caption,image"}
    files = {name: small.folder / f"{name}_test.csv" for name in rows}
    for name, file in files.items():
        lines = [f"{one},{other},{rating},x" for one, other, rating in rows[name]]
        file.write_text("\n".join([f"{heads[name]},agg_score,sampling_method", *lines]) + "\n")
    matches = [small.folder / name for name in ("pm_image_to_caption.json", "pm_caption_to_image.json")]
    matches[0].write_text(json.dumps({5: [50, 40]}))
    matches[1].write_text(json.dumps({50: [5, 4]}))
    instances = small.folder / "instances.json"
    shown = [{"image_id": image, "category_id": 1 + image % 3} for image in images]
    instances.write_text(json.dumps({"annotations": shown}))
    truth = small.truth([str(one) for one in images], [str(one) for one in captions])
    of = {
        "cxc-ratings": list(files.values()),
        "cxc-within": [files["sts"], files["sis"]],
        "pmrp-eccv": matches,
        "pmrp": [instances],
    }
    return cosine, truth, of


@pytest.mark.parametrize("protocol", ["eccv", "cxc", "cxc-ratings", "cxc-within", "pmrp", "pmrp-eccv", "ncs"])
def test_what_a_table_shows_are_metrics_of_the_protocol(protocol, within):
    cosine, truth, files = within
    relevance = np.random.default_rng(1).random((5, 10)) if protocol == "ncs" else None
    metrics = judge(protocol, cosine, truth, relevance=relevance, files=files.get(protocol, []))
    optional = {one for one in JUDGED["pmrp"].shown if one.endswith("_1k")}  # of five thousand images alone
    assert set(JUDGED[protocol].shown) - optional <= set(metrics)
    assert all(isinstance(value, float) for value in metrics.values())
    assert text_table({"a": metrics}, JUDGED[protocol].shown)


def test_the_coherent_score_shows_the_cutoffs_that_it_has():
    relevance = np.random.default_rng(0).random((120, 120))
    metrics = judge("cs@k", relevance, RetrievalTruth.from_counts([1] * 120), relevance=relevance)
    shown = [name for name in JUDGED["cs@k"].shown if name in metrics]
    assert shown == ["image_to_text/cs@100", "text_to_image/cs@100", "cs@100"]
    assert metrics["cs@100"] == pytest.approx(1)


def test_flickr8k_grades_are_shown(tmp_path):
    images, captions = [f"{n}.jpg" for n in range(3)], [f"{n}.jpg#0" for n in range(3)]
    similarity = np.random.default_rng(0).normal(size=(3, 3))
    pairs = [(image, caption) for image in images for caption in captions]
    expert, crowd = tmp_path / "ExpertAnnotations.txt", tmp_path / "CrowdFlowerAnnotations.txt"
    expert.write_text("".join(f"{i}\t{c}\t{1 + n % 4}\t{1 + n % 3}\t2\n" for n, (i, c) in enumerate(pairs)))
    crowd.write_text("".join(f"{i}\t{c}\t{n % 4 / 3:.4f}\t{n % 4}\t{3 - n % 4}\n" for n, (i, c) in enumerate(pairs)))
    for protocol, file in (("flickr8k-expert", expert), ("flickr8k-cf", crowd)):
        rule = JUDGED[protocol]
        metrics = judge(protocol, similarity, rule.truth_from_ids(images, captions), files=[file])
        assert set(rule.shown) <= set(metrics)


def test_names_are_those_of_one_protocol():
    assert not set(JUDGED) & set(PROTOCOLS)
    assert [name for name, rule in JUDGED.items() if rule.files] == TAKES_FILES
    assert [name for name, rule in JUDGED.items() if rule.graded] == GRADED
    assert {name: rule.aggregate for name, rule in JUDGED.items() if rule.aggregate != "max"} == {"ncs": "mean"}
    for rule in JUDGED.values():
        assert len(set(rule.shown)) == len(rule.shown) > 0


@pytest.mark.parametrize("protocol", ["eccv", "cxc", "pmrp-eccv"])
def test_cocos_ids_tell_the_truth(protocol, small, within):
    truth = JUDGED[protocol].truth_from_ids(["4", "5"], ["50", "41", "10"])
    assert truth.caption_image.tolist() == [1, 0, -1]


def test_a_protocol_is_found_by_its_name():
    assert all(find_judged(name) is rule for name, rule in JUDGED.items())
    with pytest.raises(InputError) as caught:
        find_judged("ecv")
    assert str(caught.value) == f"there is no protocol 'ecv': choose one of {', '.join([*PROTOCOLS, *JUDGED])}"
    with pytest.raises(InputError, match="there is no protocol 'whole'"):
        judge("whole", np.zeros((2, 4)), TRUTH)


@pytest.mark.parametrize("protocol", TAKES_FILES)
def test_files_that_are_missing_are_named(protocol):
    with pytest.raises(InputError) as caught:
        judge(protocol, np.zeros((2, 4)), TRUTH)
    assert str(caught.value) == f"the protocol {protocol!r} needs its files of judgements: {JUDGED[protocol].files}"


@pytest.mark.parametrize("protocol", [name for name in JUDGED if name not in TAKES_FILES])
def test_files_that_nobody_asked_for_are_refused(protocol):
    with pytest.raises(InputError, match=f"^the protocol '{protocol}' takes no files of judgements$"):
        judge(protocol, np.zeros((2, 4)), TRUTH, relevance=np.zeros((2, 4)), files=["a.csv"])


@pytest.mark.parametrize("protocol", GRADED)
def test_graded_protocols_need_relevance(protocol):
    message = f"^the protocol '{protocol}' needs relevance: name a scorer, or a file of relevance$"
    with pytest.raises(InputError, match=message):
        judge(protocol, np.zeros((2, 4)), TRUTH)


def test_the_rule_gets_what_was_given(monkeypatch):
    tasks = []
    rule = JudgedProtocol("a trial", lambda task: tasks.append(task) or {"x": 1.0}, ("x",), files="some files")
    monkeypatch.setitem(JUDGED, "trial", rule)
    similarity, relevance = np.zeros((2, 4)), np.ones((2, 4))
    assert judge("trial", similarity, TRUTH, relevance=relevance, files=["a/b.csv", "c.csv"]) == {"x": 1.0}
    (task,) = tasks
    assert (task.similarity is similarity, task.truth is TRUTH, task.relevance is relevance) == (True, True, True)
    assert [str(file) for file in task.files] == ["a/b.csv", "c.csv"]


def test_a_protocol_by_name_is_its_function():
    similarity, relevance = np.random.default_rng(2).random((2, 2, 4))
    found = judge("ncs", similarity, TRUTH, relevance=relevance)
    assert found == judge_semantic_score(Task(similarity, TRUTH, relevance))
