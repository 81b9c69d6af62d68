"""Each integration tells which extra it needs."""

from __future__ import annotations

import importlib
import sys

import pytest

from bcls.errors import MissingExtraError


@pytest.mark.parametrize(
    ("integration", "library", "extra"),
    [("torchmetrics", "torchmetrics", "metrics"), ("lightning", "lightning", "train")],
)
def test_a_missing_library_is_named_with_its_extra(integration, library, extra, monkeypatch):
    monkeypatch.delitem(sys.modules, f"bcls.integrations.{integration}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'bcls\[{extra}\]'"):
        importlib.import_module(f"bcls.integrations.{integration}")
