"""A disk that is really full: a small file system in a mount namespace of its own."""

from __future__ import annotations

import json

import pytest

FILL = """
import json, os, sys
from pathlib import Path
import numpy as np
from bcls.search import Filter, Record, WriteFailedError, create_index, open_index

engine, disk = sys.argv[1], Path(sys.argv[2])
place = f"{'memory:' if engine == 'memory' else ''}{disk / 'index'}"

def block(number):
    vectors = np.random.default_rng(number).normal(size=(400, 128)).astype(np.float32)
    return [Record(f"{number}-{row}", vector, {"block": number}) for row, vector in enumerate(vectors)]

def state(index, blocks):
    counts = [index.count(Filter.parse(f"block={number}")) for number in range(blocks)]
    found = [index.search(block(number)[3].vector[None], 1)[0][0].id for number in range(blocks) if counts[number]]
    return {"counts": counts, "found": found, "all": index.count()}

ballast = disk / "ballast"
ballast.write_bytes(bytes(3 * 2**20))
told = {"added": 0, "message": None}
with create_index(place, dim=128, model="m", fields={"block": "int"}) as index:
    for number in range(100):
        try:
            index.add(block(number))
        except WriteFailedError as error:
            told["message"] = str(error)
            break
        told["added"] += 1
    blocks = told["added"] + 1
    told["same"] = state(index, blocks)
    with open_index(place) as other:
        told["opened"] = state(other, blocks)
    ballast.unlink()
    told["again"] = index.add(block(told["added"]))
    told["after"] = state(index, blocks)
with open_index(place) as other:
    told["reopened"] = state(other, blocks)
print(json.dumps(told))
"""


@pytest.mark.parametrize("engine", ["memory", "lancedb"])
def test_what_was_acknowledged_is_there_and_nothing_half(engine, on_a_small_disk):
    if engine == "lancedb":
        pytest.importorskip("lancedb")
    done = on_a_small_disk(FILL, engine)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    added = told["added"]
    assert 3 <= added < 100
    assert "could not be written" in told["message"]
    whole = {
        "counts": [400] * added + [0],
        "found": [f"{number}-3" for number in range(added)],
        "all": 400 * added,
    }
    assert told["same"] == told["opened"] == whole
    assert told["again"] == 400
    more = {"counts": [400] * (added + 1), "found": [f"{n}-3" for n in range(added + 1)], "all": 400 * (added + 1)}
    assert told["after"] == told["reopened"] == more
