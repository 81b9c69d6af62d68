"""The process of one run: its exit code, what it says, and that it ends with whoever started it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from bcls.study.kept_runs import claim_runs
from bcls.study.plan import plan_study

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

CASES = """
import json, os, sys
from bcls.study.one_run import main
codes = []
for config, errors, alone in json.loads(sys.argv[1]):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(writing)
        os.dup2(reading, 0)
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), 2)
        code = main(config)
        sys.stderr.flush()
        os._exit(code)
    os.close(reading)
    if alone:
        os.close(writing)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(codes))
"""


@pytest.fixture
def ends(tmp_path):
    """`ends((config, alone), ...)`: exit code and standard error of each run; input ends at once where it is alone."""

    def ends(*cases) -> list[tuple[int, str]]:
        errors = [tmp_path / f"{number}.err" for number in range(len(cases))]
        told = [[str(config), str(file), alone] for (config, alone), file in zip(cases, errors, strict=True)]
        words = [sys.executable, "-c", CASES, json.dumps(told)]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, timeout=120, check=True)
        return [(code, file.read_text()) for code, file in zip(json.loads(done.stdout), errors, strict=True)]

    return ends


@pytest.mark.slow
def test_ends(study, ends, tmp_path):
    """Of four: refused, left alone, taken up again after that, and without a config."""
    asked = study(
        set={"optimization.epochs": 1},
        seeds=[0],
        variants={"triplet": {"set": {"loss": "TripletLoss"}}, "broken": {"set": {"optimization.batch_size": 49}}},
    )
    triplet, broken = claim_runs(plan_study(asked).distinct())
    refused, left, trained, without = ends(
        (broken.folder.config, False),
        (triplet.folder.config, True),
        (triplet.folder.config, False),
        (tmp_path / "none.yaml", False),
    )
    assert refused[0] == 2
    assert refused[1].splitlines()[-1].startswith("optimization.batch_size is 49, but the train split has 48 images")
    assert "Traceback" not in refused[1]
    assert left[0] == 1
    assert "Traceback" not in left[1]
    assert trained[0] == 0, trained[1]
    assert triplet.folder.result.exists()
    assert not broken.folder.result.exists()
    assert without[0] == 2
    assert len(without[1].splitlines()) == 1
    assert "none.yaml" in without[1]
