"""Pictures over HTTP: shown by id alone, added and deleted whole."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bcls.search import Filter, open_index
from bcls.server.upload_owner import kept_files

from .conftest import READ_KEY, base64_of, picture_bytes
from .test_pictures import SVG, bomb, cut_jpeg, polyglot


def new_image(colour="yellow", **more):
    return {"image": base64_of(picture_bytes(colour)), "captions": ["a yellow thing", "so yellow"], **more}


def test_the_file_and_its_thumbnail(client, made):
    whole = client.get("/v1/images/red-0")
    assert whole.content == (made.pictures / "red-0.png").read_bytes()
    assert whole.headers["content-type"] == "image/png"
    assert "sandbox" in whole.headers["content-security-policy"]
    small = client.get("/v1/images/red-0?size=thumbnail")
    assert small.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(small.content)).size == (40, 30)
    again = client.get("/v1/images/red-0?size=thumbnail", headers={"If-None-Match": small.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "AVIF", "PPM", "JPEG2000", "ICO"])
@pytest.mark.parametrize("query", ["", "?size=thumbnail"])
def test_a_picture_of_ours_that_no_browser_shows_is_sent_as_a_jpeg(client, made, kind, query):
    (made.pictures / "red-0.png").write_bytes(picture_bytes("red", kind=kind))
    answer = client.get(f"/v1/images/red-0{query}")
    assert answer.headers["content-type"] == "image/jpeg"
    red, green, _ = Image.open(io.BytesIO(answer.content)).getpixel((5, 5))
    assert (red > 200, green < 50) == (True, True)
    found = client.post("/v1/search", json={"image": base64_of(picture_bytes("red", kind=kind))})
    assert found.status_code == 422  # a stranger's is still not tried


@pytest.mark.parametrize("query", ["", "?size=thumbnail"])
def test_a_picture_that_the_browser_has_is_not_sent_again(client, query):
    tag = client.get(f"/v1/images/red-0{query}").headers["etag"]
    again = client.get(f"/v1/images/red-0{query}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("asked", ["bytes=x", "bytes=99999999-", "bytes=0-0,2-3"])
def test_a_part_of_a_picture_is_answered_by_the_whole(client, made, asked):
    answer = client.get("/v1/images/red-0", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, (made.pictures / "red-0.png").read_bytes())


@pytest.mark.parametrize("query", ["", "?size=thumbnail"])
def test_a_file_that_goes_while_it_is_asked_for_is_404(client, made, monkeypatch, query):
    files = client.app.state.service.files["colours"]
    find = files.find

    def found_and_gone(file):
        path = find(file)
        path.unlink()
        return path

    monkeypatch.setattr(files, "find", found_and_gone)
    assert client.get(f"/v1/images/red-0{query}").status_code == 404


def test_a_thumbnail_is_made_anew_when_the_file_has_changed(client, made):
    before = client.get("/v1/images/red-0?size=thumbnail").content
    Image.new("RGB", (60, 60), "blue").save(made.pictures / "red-0.png")
    assert client.get("/v1/images/red-0?size=thumbnail").content != before


@pytest.mark.parametrize(
    "name",
    [
        "nothing",
        "../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        "red-0.png",
        "%00",
        "%ff",
        "a" * 600,
    ],
)
def test_an_id_is_never_a_path(client, name):
    assert client.get(f"/v1/images/{name}").status_code in {404, 422}


@pytest.mark.parametrize("file", ["../secret.png", "/etc/hostname", "uploaded:../secret.png", "link.png", "", "a\0b"])
def test_even_an_index_reaches_nothing_outside_its_folder(client, made, file, tmp_path):
    Image.new("RGB", (5, 5)).save(tmp_path / "secret.png")
    (made.pictures / "link.png").symlink_to(tmp_path / "secret.png")
    files = client.app.state.service.files["colours"]
    assert files.find(file) is None
    assert files.find("red-0.png") is not None


def test_a_file_that_is_no_picture_or_is_gone_is_404(client, made):
    (made.pictures / "red-0.png").write_bytes(SVG)
    (made.pictures / "red-1.png").unlink()
    assert client.get("/v1/images/red-0").status_code == 404
    assert client.get("/v1/images/red-0?size=thumbnail").status_code == 422
    assert client.get("/v1/images/red-1").status_code == 404


def test_what_is_added_is_found_at_once_and_shown(writer, made):
    answer = writer.post("/v1/images", json=new_image(id="new", split="mine"))
    assert answer.status_code == 201
    assert answer.json()["id"] == "new"
    found = writer.post("/v1/search", json={"image": base64_of(picture_bytes("yellow")), "k": 1}).json()["results"][0]
    assert found["id"] == "new"
    assert found["captions"] == ["a yellow thing", "so yellow"]
    assert found["fields"]["split"] == "mine"
    shown = Image.open(io.BytesIO(writer.get(found["image"]).content))
    assert shown.getpixel((5, 5))[0] > 240
    captions = writer.post("/v1/search", json={"text": "x", "kind": "caption", "filter": "image=new"}).json()["results"]
    assert {one["captions"][0] for one in captions} == {"a yellow thing", "so yellow"}
    assert open_index(made.index).count(Filter.parse("image=new")) == 3


def test_an_id_is_taken_once_and_made_from_the_picture_where_none_is_given(writer):
    first = writer.post("/v1/images", json=new_image())
    assert len(first.json()["id"]) == 32
    assert writer.post("/v1/images", json=new_image()).status_code == 409
    assert writer.post("/v1/images", json=new_image(id="red-0")).status_code == 409
    for name in ("caption:red-0#0", "caption:new"):
        refused = writer.post("/v1/images", json=new_image(id=name))
        assert (refused.status_code, "ids of captions" in refused.text) == (422, True)


def test_what_is_deleted_is_gone_with_its_captions_and_its_own_file_alone(writer, made):
    writer.post("/v1/images", json=new_image(id="new"))
    writer.post("/v1/images", json=new_image(id="twin"))
    assert writer.delete("/v1/images/new").json()["records"] == 3
    assert writer.get("/v1/images/new").status_code == 404
    assert writer.get("/v1/images/twin").status_code == 200  # shares the file
    assert writer.delete("/v1/images/twin").status_code == 200
    assert kept_files(made.uploads) == []
    assert writer.delete("/v1/images/red-0").json()["records"] == 3
    assert (made.pictures / "red-0.png").exists()
    assert open_index(made.index).count(Filter.parse("image=red-0")) == 0


def test_only_pictures_are_deleted(writer):
    assert writer.delete("/v1/images/nothing").status_code == 404
    assert writer.delete("/v1/images/caption:red-0%230").status_code == 404


@pytest.mark.parametrize("content", [b"", SVG, bomb(), cut_jpeg()], ids=["empty", "svg", "bomb", "cut short"])
def test_what_is_no_picture_is_not_added(writer, made, content):
    before = open_index(made.index).info().version
    answer = writer.post("/v1/images", json={"image": base64_of(content), "id": "bad"})
    assert answer.status_code == 422
    assert open_index(made.index).info().version == before
    assert not made.uploads.exists()


def test_a_polyglot_is_kept_as_a_picture_alone(writer, made):
    writer.post("/v1/images", json={"image": base64_of(polyglot()), "id": "poly"})
    shown = writer.get("/v1/images/poly")
    assert b"script" not in shown.content
    assert shown.headers["content-type"] == "image/jpeg"
    assert all(b"script" not in file.read_bytes() for file in kept_files(made.uploads))


@pytest.mark.parametrize(
    "more",
    [
        {"id": ""},
        {"id": "ü" * 300},
        {"captions": [""]},
        {"captions": ["a dog", " \n\u2003"]},
        {"captions": ["x"] * 21},
        {"captions": ["x" * 1001]},
        {"file": "x"},
    ],
)
def test_what_the_index_could_not_keep_is_refused(writer, more):
    assert writer.post("/v1/images", json=new_image(**more)).status_code == 422


def test_a_read_key_does_not_open_writing(serving):
    client = serving(read_key=READ_KEY)
    client.headers["Authorization"] = f"Bearer {READ_KEY}"
    assert client.post("/v1/images", json=new_image()).status_code == 403
