"""What the pictures of a study have in common."""

from __future__ import annotations

import pytest

from bcls.errors import MissingExtraError
from bcls.study.pictures import metric_title, require_plotting, save_figure


def a_figure(points=(1.0, 2.0)):
    figure = pytest.importorskip("matplotlib.figure").Figure(figsize=(2, 1))
    figure.add_subplot().plot(points)
    return figure


def test_matplotlib_is_required_by_the_name_of_its_extra(without_matplotlib):
    with pytest.raises(MissingExtraError, match=r"^the picture of a study needs an extra: pip install 'bcls\[plot\]'$"):
        require_plotting()


def test_where_matplotlib_is_there_nothing_is_refused():
    pytest.importorskip("matplotlib")
    require_plotting()


@pytest.mark.parametrize(
    ("metric", "title"),
    [
        ("ndcg@10", "NDCG@10"),
        ("ndcg", "NDCG"),
        ("tau_b", "tau-b"),
        ("rsum", "rsum"),
        ("image_to_text/recall@5", "i2t R@5"),
        ("text_to_image/mrr", "t2i mrr"),
    ],
)
def test_titles(metric, title):
    assert metric_title(metric) == title


def test_the_same_figure_gives_the_same_file(tmp_path):
    for name in ("one.png", "two.png"):
        save_figure(a_figure(), tmp_path / "deep" / name)
    save_figure(a_figure((2.0, 1.0)), tmp_path / "other.png")
    one, two = (tmp_path / "deep" / name for name in ("one.png", "two.png"))
    assert one.read_bytes() == two.read_bytes() != (tmp_path / "other.png").read_bytes()
    assert one.read_bytes().startswith(b"\x89PNG")
    assert b"Software" not in one.read_bytes()


def test_a_figure_that_cannot_be_drawn_leaves_the_old_file(tmp_path):
    figure = a_figure()
    figure.suptitle("$\\nonesuch$")
    path = tmp_path / "old.png"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="nonesuch"):
        save_figure(figure, path)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("old.png", b"old")]
