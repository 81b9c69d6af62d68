"""A server whose disk is really full: a small file system in a mount namespace of its own."""

from __future__ import annotations

import json
from pathlib import Path

FILL = """
import importlib.util, io, json, sys
from pathlib import Path
import numpy as np
from PIL import Image

spec = importlib.util.spec_from_file_location("made", sys.argv[1])
made = sys.modules["made"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made)
disk = Path(sys.argv[2])
embedder = made.embedder.__wrapped__() if hasattr(made.embedder, "__wrapped__") else None
pictures = disk / "pictures"
pictures.mkdir()
with made.create_index(f"memory:{disk / 'index'}", dim=8, model=made.MODEL, fields=made.FIELDS) as index:
    index.add(made.records_of(embedder, pictures))
of_all = made.Made(disk / "index", pictures, disk / "uploads")

def started():
    settings = made.ServerSettings(write_key=made.WRITE_KEY)
    app = made.create_app([made.served_of(of_all, embedder)], settings)
    client = made.TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    client.headers["Authorization"] = f"Bearer {made.WRITE_KEY}"
    return client

def noise(number):
    held = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(held, "PNG")
    return {"image": made.base64_of(held.getvalue()), "id": f"new-{number}"}

def state(client, pictures):
    asked = client.post("/v1/search", json={"text": "a red picture", "k": 3})
    return {
        "search": asked.status_code,
        "found": [one["id"] for one in asked.json()["results"]],
        "files": [client.get(f"/v1/images/new-{number}").status_code for number in range(pictures)],
        "uploads": len(list(of_all.uploads.iterdir())),
    }

ballast = disk / "ballast"
ballast.write_bytes(bytes(3 * 2**20))
told = {"added": 0}
with started() as client:
    told["before"] = client.post("/v1/search", json={"text": "a red picture", "k": 3}).json()["results"][0]["id"]
    for number in range(100):
        answer = client.post("/v1/images", json=noise(number))
        if answer.status_code != 201:
            told["refused"] = [answer.status_code, answer.json()]
            break
        told["added"] += 1
    pictures = told["added"] + 1
    told["full"] = state(client, pictures)
    ballast.unlink()
    told["again"] = client.post("/v1/images", json=noise(told["added"])).status_code
    told["after"] = state(client, pictures)
with started() as client:
    told["restarted"] = state(client, pictures)
print(json.dumps(told))
"""


def test_a_picture_that_finds_no_room_is_507_and_all_else_goes_on(on_a_small_disk):
    done = on_a_small_disk(FILL, str(Path(__file__).with_name("conftest.py")))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    added = told["added"]
    assert 3 <= added < 100
    status, problem = told["refused"]
    assert status == 507
    assert "No space left on device" in problem["detail"]
    for name, pictures in (("full", added), ("after", added + 1), ("restarted", added + 1)):
        state = told[name]
        assert state["search"] == 200
        assert state["found"][0] == told["before"]
        assert state["files"] == [200] * pictures + [404] * (added + 1 - pictures)
        assert state["uploads"] == pictures
    assert told["again"] == 201
