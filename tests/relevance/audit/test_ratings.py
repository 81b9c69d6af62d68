"""Reading rated pairs."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.relevance.audit import read_ratings


@pytest.fixture
def write(tmp_path):
    def make(*lines):
        path = tmp_path / "ratings.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return make


@pytest.mark.parametrize("columns", ["caption1,caption2", "caption_1,caption_2"])
def test_texts_are_taken_once_each(write, columns):
    ratings = read_ratings(write(f"{columns},score,kind", "a,b,1,x", "c,a,5,y", "a,b,3,y"), highest=5.0, group="kind")
    assert ratings.captions == ("a", "b", "c")
    assert ratings.first.tolist() == [0, 2, 0]
    assert ratings.second.tolist() == [1, 0, 1]
    assert ratings.ratings.tolist() == [0.2, 1.0, 0.6]
    assert ratings.groups.tolist() == ["x", "y", "y"]
    assert len(ratings) == 3


@pytest.mark.parametrize("columns", ["caption_id_1,caption_id_2", "caption1_id,caption2_id"])
def test_ids_are_looked_up(write, columns):
    path = write(f"{columns},score", "1,2,-1", "2,3,1")
    ratings = read_ratings(path, lowest=-1.0, highest=1.0, captions={"1": "a dog", "2": "a cat", "3": "a dog"})
    assert ratings.captions == ("a dog", "a cat")
    assert ratings.second.tolist() == [1, 0]
    assert ratings.ratings.tolist() == [0.0, 1.0]
    with pytest.raises(InputError, match="--data"):
        read_ratings(path, lowest=-1.0, highest=1.0)
    with pytest.raises(InputError, match="row 3: the data set has no caption '3'"):
        read_ratings(path, lowest=-1.0, highest=1.0, captions={"1": "a", "2": "b"})


@pytest.mark.parametrize(
    ("lines", "settings", "message"),
    [
        (["caption1,score", "a,1"], {}, "needed are caption1, caption2, score"),
        (["caption1,caption2,score", "a,b,1"], {}, "1 rated pairs; an audit needs at least 2"),
        (["caption1,caption2,score", "a,b,1", "a, ,1"], {}, "row 3: caption2 is empty"),
        (["caption1,caption2,score", "a,b,1", "a,c,7"], {}, r"row 3: score 7 is not in \[0, 5\]"),
        (["caption1,caption2,score", "a,b,1", "a,c,1"], {"group": "kind"}, "no column 'kind'"),
        (["caption1,caption2,score", "a,b,1", "a,c,1"], {"highest": 0.0}, "must be above lowest"),
    ],
)
def test_refusals(write, lines, settings, message):
    with pytest.raises(InputError, match=message):
        read_ratings(write(*lines), **{"highest": 5.0, **settings})


def test_a_sample_keeps_what_belongs_together(make_ratings):
    whole = make_ratings(60)
    known = {
        (whole.captions[a], whole.captions[b], rating, group)
        for a, b, rating, group in zip(whole.first, whole.second, whole.ratings, whole.groups, strict=True)
    }
    part = whole.sample(7, seed=3)
    assert len(part) == 7
    for a, b, rating, group in zip(part.first, part.second, part.ratings, part.groups, strict=True):
        assert (part.captions[a], part.captions[b], rating, group) in known
    assert set(np.concatenate([part.first, part.second])) == set(range(len(part.captions)))
    assert part.first.tolist() == whole.sample(7, seed=3).first.tolist()
    assert whole.sample(60) is whole
    with pytest.raises(InputError, match="at least 2"):
        whole.sample(1)


def test_a_pair_that_several_people_rated_is_one_pair_with_their_mean(write, caplog):
    path = write("caption1,caption2,score", "a,b,1", "a,c,5", "a,b,2", "b,a,4", "a,b,3")
    with caplog.at_level("INFO"):
        ratings = read_ratings(path, highest=5.0)
    assert (ratings.first.tolist(), ratings.second.tolist()) == ([0, 0, 1], [1, 2, 0])  # b, a is another pair: CIDEr-D
    assert ratings.ratings.tolist() == pytest.approx([0.4, 1.0, 0.8])
    assert "1 of 3 pairs are rated more than once (up to 3 times)" in caplog.text
