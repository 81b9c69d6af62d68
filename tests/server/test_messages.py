"""What the API takes, and what it refuses before anything is done."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bcls.search.records import MAX_ID_BYTES
from bcls.server.messages import MAX_BYTES, ExplainRequest, NewImage, Query, SearchRequest


def refused(model, content, message):
    with pytest.raises(ValidationError, match=message):
        model.model_validate(content)


def test_a_search_has_defaults():
    request = SearchRequest.model_validate({"text": "a dog"})
    assert (request.k, request.kind, request.filter) == (None, "image", "")
    assert (request.text, request.image, request.like, request.collection) == ("a dog", None, None, None)


@given(st.binary(max_size=50))
@settings(max_examples=40, deadline=None)
def test_base64_is_decoded_also_with_line_breaks(content):
    text = base64.b64encode(content).decode()
    broken = "\r\n".join(text[start : start + 7] for start in range(0, len(text), 7))
    assert Query.model_validate({"image": text}).image == content
    assert Query.model_validate({"image": broken}).image == content


@pytest.mark.parametrize("image", ["a", "YQ", "Y!Q=", "YQ==é", "YQ==YQ==", 3, ["YQ=="], "data:image/png;base64,YQ=="])
def test_what_is_no_base64_is_refused(image):
    refused(Query, {"image": image}, "image")


@pytest.mark.parametrize(
    ("model", "content"),
    [
        (SearchRequest, {"text": "a\ud800"}),
        (SearchRequest, {"filter": "a\ud800"}),
        (SearchRequest, {"like": "a\ud800"}),
        (NewImage, {"image": "", "captions": ["\udfff"]}),
        (NewImage, {"image": "", "split": "\udfff"}),
    ],
)
def test_half_a_surrogate_pair_is_no_text(model, content):
    refused(model, content, "not text: it holds half a surrogate pair|unable to parse .* as a unicode string")


def test_text_is_measured_in_bytes():
    assert len(Query.model_validate({"text": "x" * MAX_BYTES}).text) == MAX_BYTES
    refused(Query, {"text": "é" * (MAX_BYTES // 2 + 1)}, f"longer than {MAX_BYTES} bytes")


@pytest.mark.parametrize("field", ["like", "collection"])
def test_a_name_is_one_that_an_index_can_keep(field):
    assert getattr(Query.model_validate({field: "é" * (MAX_ID_BYTES // 2)}), field)
    refused(Query, {field: ""}, "at least 1 ")
    refused(Query, {field: "é" * (MAX_ID_BYTES // 2 + 1)}, f"longer than {MAX_ID_BYTES} bytes")
    refused(Query, {field: "x" * (MAX_ID_BYTES + 1)}, f"at most {MAX_ID_BYTES} ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"k": 0}, "greater than or equal to 1"),
        ({"k": 10_001}, "less than or equal to 10000"),
        ({"k": 1.5}, "valid integer"),
        ({"kind": "video"}, "'image' or 'caption'"),
        ({"filter": "x" * 4001}, "at most 4000 "),
        ({"limit": 3}, "Extra inputs are not permitted"),
    ],
)
def test_unusable_searches_are_refused(content, message):
    refused(SearchRequest, {"text": "a"} | content, message)


def test_an_explanation_needs_the_result():
    assert ExplainRequest.model_validate({"text": "a", "id": "x"}).id == "x"
    refused(ExplainRequest, {"text": "a"}, "Field required")


def test_a_new_picture_has_defaults():
    new = NewImage.model_validate({"image": "YWJj"})
    assert (new.image, new.id, new.captions, new.split, new.collection) == (b"abc", None, [], "uploaded", None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"captions": ["x"] * 21}, "at most 20 items"),
        ({"captions": [""]}, "at least 1 "),
        ({"captions": ["x" * 1001]}, "at most 1000 "),
        ({"captions": "x"}, "valid list"),
        ({"split": "x" * 101}, "at most 100 "),
        ({"tags": []}, "Extra inputs are not permitted"),
        ({"image": None}, "not base64"),
    ],
)
def test_unusable_pictures_are_refused(content, message):
    refused(NewImage, {"image": "YWJj"} | content, message)


def test_the_schema_tells_that_a_picture_is_base64():
    about = NewImage.model_json_schema()["properties"]["image"]
    assert (about["type"], about["contentEncoding"]) == ("string", "base64")
