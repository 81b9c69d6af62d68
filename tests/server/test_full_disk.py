"""Pictures sent to a server whose disk is really full."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from bcls.models import RetrievalModel
from bcls.search import create_index, open_index
from bcls.server import Embedder, Served, ServerSettings, create_app
from bcls.server.upload_owner import kept_files

from .conftest import FIELDS, MODEL, WRITE_KEY, base64_of
from .test_faults import noise

SIDES = (300, 16)


def check_holds(client: TestClient, place: str, uploads: Path, added: list[str]) -> None:
    """Every acknowledged picture is in the index with its captions, found and shown; nothing else is there."""
    with open_index(place) as index:
        assert index.count() == 3 * len(added)
        files = {record.fields["file"].removeprefix("uploaded:") for record in index.get(added)}
    assert {file.name for file in kept_files(uploads)} == files
    for name in added:
        assert client.post("/v1/search", json={"like": name, "k": 1}).json()["results"][0]["score"] > 0.999
        Image.open(io.BytesIO(client.get(f"/v1/images/{name}").content)).load()


def check_refused(answer) -> None:
    assert answer.status_code == 507, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Insufficient Storage"
    for words in ("not written", "No space left on device"):
        assert words in answer.json()["detail"], answer.text


def fill_to_the_last_byte(file: Path) -> None:
    with file.open("wb", buffering=0) as opened, suppress(OSError):
        while True:
            opened.write(bytes(4096))


def fill(prefix: str, disk: Path, model: str) -> int:
    """Send pictures, then ever smaller ones, until the disk is full; then look, make room, and send again."""
    (disk / "ballast").write_bytes(bytes(2 << 20))
    place, uploads = f"{prefix}{disk}/index", disk / "uploads"
    create_index(place, dim=8, model=MODEL, fields=FIELDS).close()
    served = Served("one", Embedder(RetrievalModel.from_pretrained(model)), MODEL, place, None, uploads)

    def serve() -> TestClient:
        app = create_app([served], ServerSettings(write_key=WRITE_KEY, reload_seconds=60))
        headers = {"Authorization": f"Bearer {WRITE_KEY}"}
        return TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False, headers=headers)

    added: list[str] = []
    with serve() as client:

        def post(number: int, side: int):
            new = {"id": f"p{number}", "image": base64_of(noise(number, side)), "captions": ["one", "two"]}
            answer = client.post("/v1/images", json=new)
            if answer.status_code == 201:
                added.append(f"p{number}")
            return answer

        number = 0
        for side in SIDES:
            refused = 0
            while refused < 2:
                number += 1
                answer = post(number, side)
                if answer.status_code != 201:
                    check_refused(answer)
                    assert client.get(f"/v1/images/p{number}").status_code == 404
                    refused += 1
        fill_to_the_last_byte(disk / "rest")
        check_refused(post(9000, 16))
        check_refused(client.delete("/v1/images/p1"))
        check_holds(client, place, uploads, added)
        (disk / "ballast").unlink()
        assert post(9000, 16).status_code == 201
        assert client.delete("/v1/images/p1").json()["records"] == 3
        added.remove("p1")
        check_holds(client, place, uploads, added)
    with serve() as client:
        check_holds(client, place, uploads, added)
    return len(added)


@pytest.mark.parametrize("prefix", ["memory:", pytest.param("", marks=pytest.mark.slow)], ids=["memory", "lancedb"])
def test_a_full_disk_refuses_pictures_whole_and_with_room_takes_them_again(on_small_disk, embedder, tmp_path, prefix):
    if not prefix:
        pytest.importorskip("lancedb")
    model = tmp_path / "model"
    embedder.model.save_pretrained(model)
    told = on_small_disk(f"""
        import sys
        from pathlib import Path
        from tests.server.test_full_disk import fill
        print(fill({prefix!r}, Path(sys.argv[1]), {str(model)!r}))
    """)
    assert int(told) > 5
