"""Each integration tells which extra it needs."""

from __future__ import annotations

import importlib
import sys

import pytest

from bcls.errors import MissingExtraError


@pytest.mark.parametrize(
    ("integration", "library", "extra"),
    [
        ("datasets", "datasets", "datasets"),
        ("lightning", "lightning", "train"),
        ("pytorch_metric_learning", "pytorch_metric_learning.losses", "metric-learning"),
        ("sentence_transformers", "sentence_transformers.sentence_transformer.evaluation", "sentence-transformers"),
        ("torchmetrics", "torchmetrics", "metrics"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(integration, library, extra, monkeypatch):
    for name in [name for name in sys.modules if name.startswith(f"bcls.integrations.{integration}")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'bcls\[{extra}\]'"):
        importlib.import_module(f"bcls.integrations.{integration}")
