"""What a server is told to serve, and what it does where folders are left out."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from bcls.server import Served

from .conftest import MODEL, WRITE_KEY, base64_of, picture_bytes, served_of


def test_folders_may_be_left_out_and_nothing_changes_it_later(embedder):
    served = Served("one", embedder, MODEL, "place")
    assert (served.pictures, served.uploads) == (None, None)
    with pytest.raises(FrozenInstanceError):
        served.index = "elsewhere"


def test_without_a_picture_folder_it_searches_and_shows_nothing(serving, made, embedder):
    client = serving(replace(served_of(made, embedder), pictures=None))
    found = client.post("/v1/search", json={"text": "red", "k": 1}).json()["results"][0]
    for size in ("full", "thumbnail"):
        answer = client.get(f"/v1/images/{found['id']}?size={size}")
        assert (answer.status_code, answer.json()["detail"]) == (404, "there is no picture file for that id")


def test_without_a_folder_for_what_comes_in_nothing_is_added_and_deleting_goes(serving, made, embedder):
    client = serving(replace(served_of(made, embedder), uploads=None), write_key=WRITE_KEY)
    client.headers["Authorization"] = f"Bearer {WRITE_KEY}"
    answer = client.post("/v1/images", json={"id": "new", "image": base64_of(picture_bytes())})
    assert answer.status_code == 403
    assert answer.json()["detail"] == "this collection has no folder for pictures that come in (--uploads)"
    assert client.delete("/v1/images/red-0").json()["records"] == 3
    assert (made.pictures / "red-0.png").exists()


@pytest.mark.parametrize("prefix", ["", "memory:"])
def test_a_place_is_named_as_an_index_is_opened(serving, made, embedder, prefix):
    client = serving(replace(served_of(made, embedder), index=f"{prefix}{made.index}"))
    assert client.get("/readyz").json() == {"colours": True}
