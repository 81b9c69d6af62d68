"""Where a result comes from."""

from __future__ import annotations

import json
import re

import torch

import bcls
from bcls.training.provenance import provenance


def test_versions_commit_and_data_are_told():
    facts = provenance({"dataset": "abc"})
    assert facts["bcls"] == bcls.__version__
    assert facts["packages"]["torch"] == torch.__version__
    assert facts["data"] == {"dataset": "abc"}
    assert facts["commit"] is None or re.fullmatch(r"[0-9a-f]{40}(\+changes)?", facts["commit"])
    assert json.loads(json.dumps(facts)) == facts
