"""A report with everything in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from bcls.evaluation import Difference
from bcls.evaluation.report import Bars, ChangedQuery, Changes, Curve, GalleryQuery, RankedItem, Report, Table


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three pictures of one colour each."""
    files = []
    for name in ("red", "green", "blue"):
        files.append(tmp_path / f"{name}.png")
        Image.new("RGB", (200, 100), name).save(files[-1])
    return files


@pytest.fixture
def report(pictures: list[Path]) -> Report:
    """Two runs, one of them with a name that HTML would misread, and three queries."""
    runs = ["Triplet-HN", "<b>BCLS</b> & co"]
    ranked = [
        RankedItem("red.png", 0.9, 1.0, True, pictures[0]),
        RankedItem("green.png", 0.5, None, False, pictures[1]),
        RankedItem("blue.png", 0.1, 0.0, False, pictures[2]),
    ]
    said = [RankedItem("a <red> thing", 0.9, 1.0, True), RankedItem("a blue thing", 0.2, 0.25, False)]
    return Report(
        "Losses & labels",
        summary=["First <p>.", "Second."],
        tables=[
            Table(
                "Results",
                ["rsum", "rank"],
                {runs[0]: [301.26, 4.0], runs[1]: [float("nan"), 3.5]},
                "A note.",
                frozenset({"rank"}),
            )
        ],
        bars=[Bars("rsum", {runs[0]: 301.26, runs[1]: 310.0}, {runs[1]: 2.0})],
        curves=[Curve("Loss", "epoch", {runs[0]: [(1, 0.5), (2, 0.25)], runs[1]: [(1, float("nan")), (2, 0.2)]}, 3)],
        gallery=[
            GalleryQuery("a red thing", "text_to_image", dict.fromkeys(runs, ranked)),
            GalleryQuery("red.png", "image_to_text", dict.fromkeys(runs, said), pictures[0]),
            GalleryQuery("another", "text_to_image", dict.fromkeys(runs, ranked)),
        ],
        provenance={"Command": "bcls demo", "Seed": "0"},
    )


@pytest.fixture
def comparison(pictures: list[Path]) -> Report:
    """Three queries that changed: a caption for the better, one for the worse, a picture in its NDCG alone."""
    runs = ("base", "<new>")
    seen = {name: [RankedItem("red.png", 0.9, 1.0, True, pictures[0])] for name in runs}
    said = {name: [RankedItem("a <red> thing", 0.9, 1.0, True)] for name in runs}
    answer = [RankedItem("red.png", float("nan"), 1.0, True, pictures[0])]
    queries = [
        ChangedQuery("a <red> thing", "text_to_image", (2, 1), (0.5, 0.75), 3, 0, answer, seen),
        ChangedQuery("a long tale of a red thing", "text_to_image", (1, 8), (0.9, 0.3), 11, 7, answer, seen),
        ChangedQuery("red.png", "image_to_text", (1, 1), (0.2, 0.1), 9, 2, said["base"], said, pictures[0]),
    ]
    differences = [
        Difference("<new>", "rsum", 310.0, 312.0, 0.5, 3.5, 0.01, 0.02),
        Difference("<new>", "tau_b", 0.2, 0.1, -0.15, -0.05, 0.001, 0.002),
        Difference("<new>", "ndcg@10", 0.2, 0.2, -0.1, 0.1, 1.0, 1.0),
    ]
    counts = {"captions, rank": (1, 0, 1), "pictures, rank": (0, 1, 0)}
    return Report("Which?", differences=differences, changes=Changes(runs, counts, queries, 0.1))
