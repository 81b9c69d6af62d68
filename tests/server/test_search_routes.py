"""Search over HTTP answers what the model and the index answer."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from bcls.search import Filter, open_index
from bcls.server.search_routes import MAX_WORDS

from .conftest import COLOURS, base64_of, picture_bytes, served_of


def search(client, **asked):
    answer = client.post("/v1/search", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def test_words_find_what_the_index_finds(client, made, embedder):
    expected = open_index(made.index).search(
        embedder.texts(["a red picture"])[0][None], 7, where=Filter.parse("kind=image")
    )
    found = search(client, text="a red picture", k=7)
    assert [(one["id"], pytest.approx(one["score"])) for one in found] == [(hit.id, hit.score) for hit in expected[0]]
    assert [one["rank"] for one in found] == [1, 2, 3, 4, 5, 6, 7]


def test_a_result_tells_its_captions_fields_and_address(client):
    (found,) = search(client, text="red", k=1, filter="id=red-1")
    assert found["captions"] == ["a red picture", "red 1"]
    assert found["image"] == "/v1/images/red-1"
    assert found["fields"]["split"] == "val"


@pytest.mark.parametrize(("most", "given"), [(100, 20), (7, 7)])
def test_without_a_number_as_many_as_usual_or_as_are_allowed_are_found(serving, most, given):
    assert len(search(serving(max_k=most), text="red", kind="caption")) == given


def test_captions_are_found_by_kind(client):
    found = search(client, text="a blue picture", k=2, kind="caption")
    assert {one["captions"][0] for one in found} == {"a blue picture"}
    assert found[0]["score"] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("colour", COLOURS[:4])
def test_a_picture_finds_itself(client, colour):
    content = picture_bytes(colour, (40, 30))
    found = search(client, image=base64_of(content), k=2)
    assert {one["id"] for one in found} == {f"{colour}-0", f"{colour}-1"}
    assert found[0]["score"] == pytest.approx(1.0, abs=1e-5)


def test_something_in_the_index_finds_itself(client):
    assert search(client, like="green-0", k=1)[0]["id"].startswith("green")


def test_filters_hold(client):
    found = search(client, text="red", k=100, filter="split=val")
    assert len(found) == len(COLOURS)
    assert {one["fields"]["split"] for one in found} == {"val"}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "exactly one"),
        ({"text": "a", "like": "red-0"}, "exactly one"),
        ({"text": "  "}, "empty"),
        ({"text": "a" * 501}, "at most 500"),
        ({"text": "a", "k": 101}, "at most 100"),
        ({"text": "a", "k": 0}, "body.k"),
        ({"text": "a", "filter": "split ~ 3"}, "cannot read"),
        ({"text": "a", "filter": "colour=red"}, "no field"),
        ({"text": "a", "kind": "sound"}, "body.kind"),
        ({"text": "a", "unknown": 1}, "body.unknown"),
        ({"text": "\ud800"}, "body.text"),
        ({"image": "%%%"}, "body.image"),
        ({"image": ""}, "0 bytes"),
        ({"image": base64_of(b"<svg xmlns='http://www.w3.org/2000/svg'/>")}, "not a picture"),
    ],
)
def test_what_cannot_be_asked_is_told(client, asked, says):
    answer = client.post("/v1/search", content=json.dumps(asked), headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 422
    assert says in answer.json()["detail"]


@pytest.mark.parametrize("asked", [{"text": "a", "collection": "x"}, {"like": "nothing"}])
def test_what_is_not_there_is_404(client, asked):
    assert client.post("/v1/search", json=asked).status_code == 404


def test_two_collections_answer_each_for_itself(serving, made, embedder):
    client = serving(served_of(made, embedder, "one"), served_of(made, embedder, "two"))
    assert search(client, text="red", k=1, filter="id=red-0")[0]["image"] == "/v1/images/red-0"
    second = search(client, text="red", k=1, filter="id=red-0", collection="two")[0]
    assert second["image"] == "/v1/images/red-0?collection=two"
    assert client.get(second["image"]).status_code == 200


def test_an_explanation_adds_up(client, embedder):
    answer = client.post("/v1/explain", json={"text": "a red picture", "id": "red-0"}).json()
    opened = Image.new("RGB", (40, 30), "red")
    of_picture = embedder.pictures([embedder.prepared(opened)])[0]
    whole, without_red = (float(vector @ of_picture) for vector in embedder.texts(["a red picture", "a picture"]))
    assert answer["result"]["score"] == pytest.approx(whole, abs=1e-6)
    assert [one["word"] for one in answer["words"]] == ["a", "red", "picture"]
    assert answer["words"][1]["part"] == pytest.approx(whole - without_red, abs=1e-6)
    assert answer["captions"][0] == {"text": "a red picture", "score": pytest.approx(1.0, abs=1e-6)}
    assert answer["neighbours"][0]["id"] == "red-1"
    assert "red-0" not in [one["id"] for one in answer["neighbours"]]


def test_in_a_long_text_the_words_that_are_not_told_are_not_left_out(client, embedder):
    words = ["a", "red", *["picture"] * (MAX_WORDS - 2), "blue", "green"]
    answer = client.post("/v1/explain", json={"text": " ".join(words), "id": "red-0"}).json()
    of_picture = embedder.pictures([embedder.prepared(Image.new("RGB", (40, 30), "red"))])[0]
    texts = [" ".join(words), *(" ".join(words[:place] + words[place + 1 :]) for place in range(MAX_WORDS))]
    whole, *without = (float(vector @ of_picture) for vector in embedder.texts(texts))
    assert [one["word"] for one in answer["words"]] == words[:MAX_WORDS]
    assert [one["part"] for one in answer["words"]] == pytest.approx([whole - one for one in without], abs=1e-6)


def test_an_explanation_of_a_picture_query_has_no_words(client):
    answer = client.post("/v1/explain", json={"image": base64_of(picture_bytes("red")), "id": "blue-0"}).json()
    assert answer["words"] == []
    assert len(answer["captions"]) == 2
