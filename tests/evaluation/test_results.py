"""Result files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import read_result, write_result


def test_what_is_written_is_read(tmp_path):
    file = tmp_path / "deep" / "result.json"
    about = {"model": Path("runs/one"), "scores": [1.0, math.inf], "nested": {"b": 1, "a": (2, None)}}
    write_result(file, {"rsum": np.float64(401.5), "tau_b": math.nan, "count": 3}, about)
    metrics, read_about = read_result(file)
    assert metrics["rsum"] == 401.5
    assert math.isnan(metrics["tau_b"])
    assert metrics["count"] == 3
    assert read_about == {"model": "runs/one", "scores": [1.0, None], "nested": {"b": 1, "a": [2, None]}}


def test_keys_are_sorted_and_nan_is_null(tmp_path):
    write_result(tmp_path / "r.json", {"b": 1.0, "a": math.nan}, {})
    text = (tmp_path / "r.json").read_text()
    assert text.index('"a": null') < text.index('"b": 1.0')
    assert list(json.loads(text)) == ["about", "metrics"]


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"metrics": {}, "about": 3}', '{"metrics": {"a": "b"}, "about": {}}', "not json"]
)
def test_other_files_are_refused(tmp_path, content):
    file = tmp_path / "r.json"
    file.write_text(content)
    with pytest.raises(InputError, match=r"r\.json"):
        read_result(file)
