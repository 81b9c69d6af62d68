"""What is judged by, and what the result is called."""

from __future__ import annotations

import re

import numpy as np
import pytest

from bcls.cli.yardstick import (
    check_protocol,
    given_relevance,
    given_scorer,
    judged_protocol,
    protocol_meaning,
    protocol_names,
    relevance_source,
    result_name,
    shown_metrics,
)
from bcls.errors import InputError
from bcls.evaluation import JUDGED, PROTOCOLS
from bcls.relevance import CiderScorer, TfidfScorer

DEFAULTS = {
    "protocol": "whole",
    "judgements": [],
    "relevance": None,
    "scorer": None,
    "scene_truth": False,
    "split": "val",
}


def given(**changed):
    return DEFAULTS | changed


def test_every_protocol_stands_in_the_help():
    assert protocol_names().split(", ") == [*PROTOCOLS, *JUDGED]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_that_only_cuts_a_gallery_has_no_judgements(name):
    assert judged_protocol(name) is None
    assert shown_metrics(name) is None
    assert protocol_meaning(name) == PROTOCOLS[name].meaning


@pytest.mark.parametrize("name", JUDGED)
def test_a_judged_protocol_tells_its_meaning_and_what_it_shows(name):
    assert judged_protocol(name) is JUDGED[name]
    assert shown_metrics(name) == JUDGED[name].shown
    assert protocol_meaning(name) == JUDGED[name].meaning


def test_a_protocol_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="coco-2k"):
        judged_protocol("coco-2k")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scorer": "tfidf"},
        {"relevance": "r.npy"},
        {"scene_truth": True},
        {"protocol": "eccv"},
        {"protocol": "flickr8k-expert", "judgements": ["ExpertAnnotations.txt"]},
        {"protocol": "ncs", "relevance": "r.npy"},
        {"protocol": "cs@k", "scene_truth": True},
    ],
)
def test_options_that_fit_pass(options):
    check_protocol(given(**options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"judgements": ["a"]}, "the protocol 'whole' takes no --judgements"),
        ({"protocol": "eccv", "judgements": ["a"]}, "the protocol 'eccv' takes no --judgements"),
        ({"protocol": "flickr8k-cf"}, r"the protocol 'flickr8k-cf' needs --judgements: CrowdFlowerAnnotations.txt"),
        ({"relevance": "r.npy", "scorer": "cider"}, "relevance comes from one source"),
        ({"scene_truth": True, "scorer": "none"}, "relevance comes from one source"),
        ({"scene_truth": True, "relevance": "r.npy"}, "relevance comes from one source"),
        ({"protocol": "eccv", "relevance": "r.npy"}, "'eccv' has judgements of its own: it takes no relevance"),
        ({"protocol": "cxc", "scene_truth": True}, "'cxc' has judgements of its own: it takes no relevance"),
    ],
)
def test_options_that_the_protocol_has_no_use_for_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        check_protocol(given(**options))


@pytest.mark.parametrize(
    ("options", "source", "name"),
    [
        ({}, "cider", "val"),
        ({"scorer": "cider"}, "cider", "val"),
        ({"scorer": "tfidf"}, "tfidf", "val.tfidf"),
        ({"scorer": "none"}, "none", "val.none"),
        ({"scorer": "sentence:BAAI/bge"}, "sentence:BAAI/bge", "val.sentence-BAAI-bge"),
        ({"relevance": "out/human.v2.npy"}, "out/human.v2.npy", "val.human.v2"),
        ({"scene_truth": True}, "scene_truth", "val.scene_truth"),
        ({"split": "test", "protocol": "coco-1k"}, "cider", "test.coco-1k"),
        ({"protocol": "coco-1k", "scorer": "tfidf"}, "tfidf", "val.coco-1k.tfidf"),
        ({"protocol": "eccv"}, "none", "val.eccv"),
        ({"protocol": "eccv", "scorer": "tfidf"}, "none", "val.eccv"),
        ({"protocol": "ncs"}, "cider", "val.ncs"),
        ({"protocol": "ncs", "scorer": "tfidf"}, "tfidf", "val.ncs.tfidf"),
    ],
)
def test_a_result_is_named_by_what_is_not_usual_in_it(options, source, name):
    assert relevance_source(given(**options)) == source
    assert result_name(given(**options)) == name
    assert not re.search(r"[/:]", name)


def test_the_scorer_is_made_where_relevance_comes_from_one():
    assert isinstance(given_scorer(given()), CiderScorer)
    assert isinstance(given_scorer(given(scorer="tfidf")), TfidfScorer)
    for options in ({"scorer": "none"}, {"scene_truth": True}, {"relevance": "r.npy"}, {"protocol": "eccv"}):
        assert given_scorer(given(**options)) is None
    with pytest.raises(InputError, match="no scorer 'bleu'; there are: sentence"):
        given_scorer(given(scorer="bleu"))


def test_relevance_is_read_from_the_file_that_is_named(tmp_path):
    assert given_relevance(given()) is None
    np.save(tmp_path / "r.npy", np.float32([[0, 0.5], [np.nan, 1]]))
    found = given_relevance(given(relevance=str(tmp_path / "r.npy")))
    np.testing.assert_array_equal(found, [[0, 0.5], [np.nan, 1]])
