"""What all routes share: collections by name, vectors of queries, how a hit is told."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.search import Condition, Hit, create_index
from bcls.server import ServerSettings
from bcls.server.messages import Query
from bcls.server.problems import ProblemError
from bcls.server.service import Service, of_kind

from .conftest import FIELDS as INDEX_FIELDS
from .conftest import MODEL, Made, picture_bytes, records_of, served_of

FIELDS = {"kind": "image", "image": "a", "file": "a.png", "split": "val", "text": "one\ntwo"}


@pytest.fixture(scope="module")
def service(embedder, tmp_path_factory):
    """Two collections, `one` (the default) and `two`."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "pictures").mkdir()
    with create_index(f"memory:{folder / 'index'}", dim=8, model=MODEL, fields=INDEX_FIELDS) as index:
        index.add(records_of(embedder, folder / "pictures"))
    made = Made(folder / "index", folder / "pictures", folder / "uploads")
    service = Service(
        [served_of(made, embedder, name) for name in ("one", "two")], ServerSettings(max_query_characters=30)
    )
    yield service
    service.close()


def vector(service: Service, **asked):
    query = Query.model_construct(**{"text": None, "image": None, "like": None} | asked)
    return asyncio.run(service.vector(query, service.collection(None)))


@pytest.mark.parametrize("names", [[], ["one", "one"]])
def test_needs_something_to_serve_under_names_of_their_own(made, embedder, names):
    with pytest.raises(InputError, match="a server needs at least one model with an index, each under a name of its"):
        Service([served_of(made, embedder, name) for name in names], ServerSettings())


def test_the_first_is_the_default(service):
    assert [service.collection(name).name for name in (None, "one", "two")] == ["one", "one", "two"]
    for name in ("", "three", "One"):
        with pytest.raises(ProblemError) as error:
            service.collection(name)
        assert (error.value.status, str(error.value)) == (404, "no collection of that name; there are: one, two")


def test_a_text_is_embedded_with_its_spaces_as_one(service, embedder):
    expected = embedder.texts(["a red picture"])[0]
    np.testing.assert_allclose(vector(service, text="a red picture"), expected, atol=1e-6)
    hits = service.metrics.query_cache.labels("hit")._value.get()
    np.testing.assert_array_equal(vector(service, text="  a\tred\n\n picture "), vector(service, text="a red picture"))
    assert service.metrics.query_cache.labels("hit")._value.get() == hits + 2


def test_a_picture_and_something_in_the_index_have_the_vector_of_that_picture(service):
    of_file = vector(service, image=picture_bytes("red", (40, 30)))
    np.testing.assert_allclose(vector(service, like="red-0"), of_file, atol=1e-5)


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        ({}, 422, "look for exactly one of: text, image (a file in base64), like (an id)"),
        ({"text": "a", "like": "red-0"}, 422, "look for exactly one of: text, image (a file in base64), like (an id)"),
        ({"text": "a", "image": b"", "like": "b"}, 422, "look for exactly one of: text"),
        ({"text": ""}, 422, "text: the query is empty"),
        ({"text": " \n\t\u3000"}, 422, "text: the query is empty"),
        ({"text": "b" * 31}, 422, "text: the query has 31 characters; at most 30 are taken"),
        ({"like": "nobody"}, 404, "nothing of that id is in the index"),
    ],
)
def test_what_cannot_be_looked_for_is_told(service, asked, status, says):
    with pytest.raises(ProblemError) as error:
        vector(service, **asked)
    assert error.value.status == status
    assert str(error.value).startswith(says)


def test_a_text_of_just_the_limit_is_taken_and_spaces_do_not_count(service):
    assert vector(service, text="b" * 30 + " " * 20).shape == (8,)


@pytest.mark.parametrize(("asked", "says"), [({"image": b""}, "0 bytes"), ({"like": ""}, "1 to 512 bytes")])
def test_what_is_no_picture_or_no_id_is_bad_input(service, asked, says):
    with pytest.raises(InputError, match=says):
        vector(service, **asked)


def test_a_hit_is_told_with_its_captions_and_address(service):
    found = service.found(Hit("a", 0.5, FIELDS), 3, service.collection("one"))
    assert (found.rank, found.id, found.score, found.captions) == (3, "a", 0.5, ["one", "two"])
    assert found.fields == FIELDS
    assert found.image == "/v1/images/a"
    assert service.found(Hit("a", 0.5, FIELDS), 1, service.collection("two")).image == "/v1/images/a?collection=two"


def test_a_caption_has_the_address_of_its_image(service):
    hit = Hit("caption:a#0", 0.5, FIELDS | {"kind": "caption", "text": "one"})
    assert service.found(hit, 1, service.collection("one")).image == "/v1/images/a"


def test_a_record_without_an_image_is_its_own_and_without_a_file_has_no_address(service):
    one = service.collection("one")
    assert service.found(Hit("b", 0.5, FIELDS | {"image": ""}), 1, one).image == "/v1/images/b"
    assert service.found(Hit("b", 0.5, FIELDS | {"file": ""}), 1, one).image is None
    assert service.found(Hit("b", 0.5, FIELDS | {"text": "\n"}), 1, one).captions == []


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("/?#%&+ "), min_size=1, max_size=20))
@example("a/b?c#d%2f&e=1+ .")
@settings(deadline=None, max_examples=30)
def test_any_id_comes_back_out_of_its_address(service, name):
    address = service.found(Hit(name, 0.5, FIELDS | {"image": name}), 1, service.collection("two")).image
    parts = urlsplit(address)
    assert unquote(parts.path.removeprefix("/v1/images/")) == name
    assert "/" not in parts.path.removeprefix("/v1/images/")
    assert (parse_qs(parts.query), parts.fragment) == ({"collection": ["two"]}, "")


def test_a_filter_of_a_kind():
    assert of_kind("image").conditions == (Condition("kind", "=", "image"),)
    where = of_kind("caption", "split=val kind=image")
    assert where.conditions == (
        Condition("kind", "=", "caption"),
        Condition("split", "=", "val"),
        Condition("kind", "=", "image"),
    )
    with pytest.raises(InputError, match="filter: cannot read '~'"):
        of_kind("image", "~")
