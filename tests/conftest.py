"""What every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def flickr8k() -> Path:
    """The folder of the real Flickr8k data; skips where it is absent."""
    folder = SHARED / "flickr8k"
    if not folder.is_dir():
        pytest.skip("the Flickr8k data is not at ../shared/data/flickr8k")
    return folder


@pytest.fixture(scope="session")
def human_ratings() -> Path:
    """The CSV of human caption-similarity ratings; skips where it is absent."""
    file = SHARED / "cxc" / "sts_human.csv"
    if not file.is_file():
        pytest.skip("the human ratings are not at ../shared/data/cxc/sts_human.csv")
    return file
