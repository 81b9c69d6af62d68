"""What goes in and out of the API, as JSON."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

from bcls.ids import MAX_ID_BYTES, id_fault


def _encodable(text: str) -> str:
    """The text, if it is one: half a surrogate pair is JSON, but no text."""
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise ValueError("not text: it holds half a surrogate pair") from None
    if size > MAX_BYTES:
        raise ValueError(f"longer than {MAX_BYTES} bytes")
    return text


MAX_BYTES = 65_000
Text = Annotated[str, AfterValidator(_encodable)]


def _short(name: str) -> str:
    if len(name.encode("utf-8")) > MAX_ID_BYTES:
        raise ValueError(f"longer than {MAX_ID_BYTES} bytes")
    return name


def _keepable(name: str) -> str:
    fault = id_fault(name)
    if fault is not None:
        raise ValueError(f"the id {fault}; use another id")
    return name


def _worded(caption: str) -> str:
    if not caption.strip():
        raise ValueError("nothing but spaces")
    return caption


Name = Annotated[Text, Field(min_length=1, max_length=MAX_ID_BYTES), AfterValidator(_short)]
"""A name that something may have already: an index of an earlier release may hold ids that are refused now."""

NewName = Annotated[Name, AfterValidator(_keepable)]


def _decoded(text: object) -> bytes:
    """The bytes of a base64 text; line breaks are let pass, other strange characters are not."""
    if not isinstance(text, str) or not text.isascii():
        raise ValueError("not base64")
    return base64.b64decode("".join(text.split()), validate=True)


Base64 = Annotated[bytes, PlainValidator(_decoded), WithJsonSchema({"type": "string", "contentEncoding": "base64"})]


class Query(BaseModel):
    """What is looked for: exactly one of a text, a picture, or a picture that is in the index."""

    model_config = ConfigDict(extra="forbid")

    text: Text | None = Field(None, description="words", examples=["two dogs on a beach"])
    image: Base64 | None = Field(None, description="a picture file (JPEG, PNG, WebP, GIF) in base64")
    like: Name | None = Field(None, description="the id of something in the index", examples=["scene-00012"])
    collection: Name | None = Field(None, description="which model and index; the first by default")


class SearchRequest(Query):
    """A query, and what of it is wanted."""

    k: int | None = Field(None, ge=1, le=10_000, description="how many results; default: 20, or as many as are allowed")
    kind: Literal["image", "caption"] = Field("image", description="find pictures or captions")
    filter: Text = Field("", max_length=4000, description="conditions on fields", examples=["split=val"])


class ExplainRequest(Query):
    """A query, and the result whose place is to be explained."""

    id: Name = Field(description="the id of a picture in the index")


class Found(BaseModel):
    """One result."""

    rank: int = Field(description="1 = the best")
    id: str
    score: float = Field(description="cosine with the query, -1 to 1")
    captions: list[str]
    image: str | None = Field(description="address of the picture, if there is a file")
    fields: dict[str, str | int | float | bool]


class SearchResponse(BaseModel):
    """The results, the best first."""

    collection: str
    version: str = Field(description="of the index; changes with every write")
    milliseconds: float
    results: list[Found]


class WordPart(BaseModel):
    """What a word of the query does for a result."""

    word: str
    part: float = Field(description="by how much the score falls if the word is left out")


class CaptionPart(BaseModel):
    """How near one of the result's own captions is to the query."""

    text: str
    score: float = Field(description="cosine with the query")


class Explanation(BaseModel):
    """Why a result has its place."""

    collection: str
    result: Found
    words: list[WordPart] = Field(description="of a text query, in its order; of a long one the first 40")
    captions: list[CaptionPart] = Field(description="the nearest to the query first")
    neighbours: list[Found] = Field(description="what the model holds for nearest to the result itself")


class NewImage(BaseModel):
    """A picture to add."""

    model_config = ConfigDict(extra="forbid")

    image: Base64 = Field(description="a picture file (JPEG, PNG, WebP, GIF) in base64")
    id: NewName | None = Field(None, description="not one that is known, nor `caption:...`; default: from the picture")
    captions: list[Annotated[Text, Field(min_length=1, max_length=1000), AfterValidator(_worded)]] = Field(
        [], max_length=20
    )
    split: Text = Field("uploaded", max_length=100)
    collection: Name | None = None


class Added(BaseModel):
    """A picture that is in the index now, and stays."""

    id: str
    collection: str
    version: str


class Deleted(BaseModel):
    """How many records went: the picture's and its captions'."""

    id: str
    collection: str
    records: int
    version: str


class CollectionState(BaseModel):
    """A model and its index."""

    name: str
    ready: bool
    records: int
    dim: int
    version: str
    engine: str
    exact: bool = Field(description="whether every record is compared with a query")
    takes_pictures: bool = Field(description="whether a picture can be a query")
    fields: dict[str, str] = Field(description="what filters may name, and its type")


class ServerState(BaseModel):
    """What this server offers."""

    collections: list[CollectionState]
    writing: bool
    max_k: int
    max_query_characters: int
    max_body_bytes: int
