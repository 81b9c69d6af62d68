"""The picture of an audit."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from bcls.errors import InputError, MissingExtraError
from bcls.relevance import CiderScorer, TfidfScorer
from bcls.relevance.audit import audit_scorer, draw_audits, require_plotting


@pytest.fixture(scope="module")
def audits(make_ratings):
    pytest.importorskip("matplotlib")
    return [audit_scorer(scorer, make_ratings(80), resamples=0) for scorer in (CiderScorer(), TfidfScorer())]


def test_a_png_with_something_on_it(audits, tmp_path):
    draw_audits(audits, tmp_path / "deep" / "audit.png")
    with Image.open(tmp_path / "deep" / "audit.png") as picture:
        assert picture.width >= 600
        assert np.asarray(picture.convert("L")).std() > 5


def test_an_svg_for_one_scorer(audits, tmp_path):
    draw_audits(audits[:1], tmp_path / "audit.svg")
    assert "<svg" in (tmp_path / "audit.svg").read_text(encoding="utf-8")


def test_few_pairs_are_drawn_without_bands(make_ratings, tmp_path):
    draw_audits([audit_scorer(CiderScorer(), make_ratings(6), resamples=0)], tmp_path / "audit.png")
    assert (tmp_path / "audit.png").is_file()


def test_refusals(audits, tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"must be a \.png or \.svg file"):
        draw_audits(audits, tmp_path / "audit.jpg")
    with pytest.raises(InputError, match="no scorer to draw"):
        draw_audits([], tmp_path / "audit.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"bcls\[plot\]"):
        require_plotting(tmp_path / "audit.png")
