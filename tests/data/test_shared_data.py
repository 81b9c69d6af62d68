"""Where the real data is at hand, the tests on it run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"

where_it_is = pytest.mark.skipif(not SHARED.is_dir(), reason="there is no ../shared/data beside this checkout")


@where_it_is
@pytest.mark.parametrize("fixture", ["flickr8k", "human_ratings"])
def test_the_fixtures_find_the_data(request, fixture):
    try:
        found = request.getfixturevalue(fixture)
    except pytest.skip.Exception as skipped:
        pytest.fail(f"{SHARED} is there, but {fixture} skips: {skipped}")
    assert found.is_relative_to(SHARED)


@where_it_is
def test_tests_on_flickr8k_are_not_skipped():
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "flickr8k",
        "tests/data/readers/test_karpathy.py",
    ]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert " passed" in told, told
    assert "skipped" not in told, told
