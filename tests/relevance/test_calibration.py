"""Calibration against scikit-learn's isotonic regression, and its way to disk and back."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from bcls.errors import InputError, MissingExtraError
from bcls.relevance import Calibration, CaptionRelevance, CiderScorer, TfidfScorer

shares = st.floats(0, 1, width=32)


@given(pairs=st.lists(st.tuples(shares, shares), min_size=1, max_size=30), asked=st.lists(shares, max_size=20))
@settings(max_examples=100, deadline=None)
def test_equals_scikit_learn_and_never_falls(pairs, asked):
    values, ratings = np.array(pairs).T
    ours = Calibration.fit(values, ratings, CiderScorer())
    theirs = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(values, ratings)
    asked = np.sort(np.array(asked, dtype=np.float32))
    np.testing.assert_allclose(ours(asked), theirs.predict(asked) if len(asked) else [], atol=1e-6)
    assert (np.diff(ours(asked)) >= 0).all()
    assert ours(asked).dtype == np.float32


def test_worked_by_hand():
    """.6 then .4 falls: both become their mean."""
    curve = Calibration.fit([0.1, 0.2, 0.3, 0.4], [0.0, 0.6, 0.4, 1.0], CiderScorer())
    assert curve.pairs == 4
    np.testing.assert_allclose(curve(np.array([[0.0, 0.15], [0.25, 0.35]])), [[0.0, 0.25], [0.5, 0.75]])
    assert np.isnan(curve(np.array([np.nan]))).all()


def test_to_disk_and_back(tmp_path):
    made = Calibration.fit([0.1, 0.2, 0.3], [0.0, 0.6, 0.7], TfidfScorer(), fitted_on="the rated captions")
    made.save(tmp_path / "deep" / "tfidf.json")
    back = Calibration.load(tmp_path / "deep" / "tfidf.json")
    assert back == made
    assert back.hash == made.hash
    assert len(made.hash) == 64
    assert Calibration.fit([0.1, 0.2, 0.3], [0.0, 0.6, 0.8], TfidfScorer()).hash != made.hash


def test_another_scorer_is_refused():
    curve = Calibration((0.0, 1.0), (0.0, 1.0), TfidfScorer().settings())
    curve.require(TfidfScorer())
    with pytest.raises(InputError, match=r"is for the scorer .*tfidf.* but labels come from .*cider-d"):
        curve.require(CiderScorer())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "not a calibration of this package"),
        ({"values": [0.0]}, "1 values and 2 relevances"),
        ({"values": [], "relevance": []}, "0 values"),
        ({"values": [0.5, 0.5]}, "do not rise"),
        ({"relevance": [0.5, 0.4]}, "do not rise"),
        ({"relevance": [0.5, 1.4]}, r"leaves \[0, 1\]"),
        ({"relevance": [0.5, float("nan")]}, "no finite number"),
        ({"relevance": ["low", 1]}, "not a calibration"),
        ({"settings": None}, "not a calibration"),
    ],
)
def test_crooked_files_are_refused_by_name(tmp_path, change, message):
    file = tmp_path / "calibration.json"
    Calibration((0.0, 1.0), (0.2, 0.9), {"scorer": "tfidf"}).save(file)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(InputError, match=message) as caught:
        Calibration.load(file)
    assert str(file) in str(caught.value)


def test_what_cannot_be_fitted_is_refused(monkeypatch):
    for values, ratings in [([], []), ([0.1], [0.1, 0.2]), ([[0.1]], [[0.2]])]:
        with pytest.raises(InputError, match="lists of one length"):
            Calibration.fit(values, ratings, CiderScorer())
    with pytest.raises(InputError, match="similarity 1 is nan"):
        Calibration.fit([0.1, np.nan], [0.1, 0.2], CiderScorer())
    for rating in (4.0, -0.1, np.nan):
        with pytest.raises(InputError, match=r"rating 1 is .*; it must lie in \[0, 1\]"):
            Calibration.fit([0.1, 0.2], [0.1, rating], CiderScorer())
    monkeypatch.setitem(sys.modules, "sklearn.isotonic", None)
    with pytest.raises(MissingExtraError, match=r"bcls\[text\]"):
        Calibration.fit([0.1], [0.2], CiderScorer())


@pytest.mark.parametrize("aggregate", ["max", "mean"])
def test_relevance_is_calibrated_before_it_is_aggregated_and_own_captions_stay_1(make_encodings, aggregate):
    caption_image, encodings = np.array([0, 0, 1, 2, 2, 2, 4]), make_encodings(7, seed=4)
    curve = Calibration((0.0, 0.3, 1.0), (0.1, 0.5, 0.8), {})
    relevance = CaptionRelevance(encodings, caption_image, aggregate=aggregate, calibration=curve)
    rows = np.arange(7)
    mapped = curve(encodings.similarity(rows, rows))
    for image in range(5):
        for caption in range(7):
            own = mapped[caption_image == image, caption]
            expected = (own.max() if aggregate == "max" else own.mean()) if len(own) else np.nan
            expected = 1.0 if caption_image[caption] == image else expected
            found = relevance.matrix(np.array([image]), np.array([caption]))[0, 0]
            np.testing.assert_allclose(found, expected, atol=1e-6)
