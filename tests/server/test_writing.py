"""Adding and deleting pictures: whole or not at all, and nobody else's records are touched."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.search import EngineUnavailableError, Filter, Index, Record, WriteFailedError, create_index, open_index
from bcls.server import ServerSettings
from bcls.server.messages import NewImage
from bcls.server.problems import ProblemError
from bcls.server.service import Service
from bcls.server.upload_owner import kept_files
from bcls.server.writing import add_image, delete_image

from .conftest import FIELDS, MODEL, WRITE_KEY, base64_of, picture_bytes, served_of


def new_image(colour="yellow", captions=("a yellow thing", "so  yellow\n"), **more) -> NewImage:
    return NewImage(image=base64_of(picture_bytes(colour)), captions=list(captions), **more)


class Writer:
    """Adds to and deletes from one collection."""

    def __init__(self, served) -> None:
        self.service = Service([served], ServerSettings())
        self.collection = self.service.collection(None)
        self.files = self.service.files[served.name]

    @property
    def index(self) -> Index:
        return self.collection.live._index

    def add(self, *named: tuple[str, NewImage]) -> list[BaseException | None]:
        async def together():
            adding = (add_image(self.collection, self.files, name, new) for name, new in named)
            return await asyncio.gather(*adding, return_exceptions=True)

        return asyncio.run(together())

    def delete(self, name: str) -> int:
        async def one():
            return await delete_image(self.collection, self.files, await self.service.record(name, self.collection))

        return asyncio.run(one())

    def uploads(self) -> list[str]:
        folder = self.files.uploads
        return [file.name for file in kept_files(folder)] if folder.exists() else []


@pytest.fixture
def writer(made, embedder):
    made_writer = Writer(served_of(made, embedder))
    yield made_writer
    made_writer.service.close()


def test_a_picture_is_there_with_its_captions_on_one_line_each(writer, embedder):
    assert writer.add(("new", new_image(split="mine"))) == [None]
    image, first, second = writer.index.get(["new", "caption:new#0", "caption:new#1"])
    shared = {"image": "new", "split": "mine", "file": f"uploaded:{writer.uploads()[0]}"}
    assert image.fields == shared | {"kind": "image", "text": "a yellow thing\nso yellow"}
    assert first.fields == shared | {"kind": "caption", "text": "a yellow thing"}
    assert second.fields == shared | {"kind": "caption", "text": "so yellow"}
    np.testing.assert_allclose(second.vector, embedder.texts(["so yellow"])[0], atol=1e-6)
    assert writer.index.count(Filter.parse("image=new")) == 3


def test_fields_that_the_server_does_not_know_are_empty(made, embedder, tmp_path):
    more = FIELDS | {"year": "int", "weight": "float", "good": "bool", "note": "str"}
    create_index(f"memory:{tmp_path / 'more'}", dim=8, model=MODEL, fields=more).close()
    writer = Writer(replace(served_of(made, embedder), index=str(tmp_path / "more")))
    assert writer.add(("new", new_image(captions=()))) == [None]
    fields = writer.index.get(["new"])[0].fields
    assert [fields[name] for name in ("year", "weight", "good", "note")] == [0, 0.0, False, ""]
    writer.service.close()


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("red-0", 409, "that id is taken; delete it first"),
        ("caption:new", 422, "id: caption: is how ids of captions begin; choose another"),
        ("caption:red-0#0", 422, "id: caption: is how ids of captions begin; choose another"),
    ],
)
def test_an_id_that_cannot_be_had_is_refused(writer, name, status, says):
    before = writer.index.info()
    (error,) = writer.add((name, new_image()))
    assert isinstance(error, ProblemError)
    assert (error.status, str(error)) == (status, says)
    assert writer.index.info() == before
    assert writer.uploads() == []


def test_two_servers_on_one_index_do_not_replace_each_others_images(writer, made, embedder):
    other = Writer(served_of(made, embedder))
    try:
        assert writer.add(("new", new_image("yellow"))) == [None]
        (error,) = other.add(("new", new_image("pink")))  # it has not looked at the index since
        assert error.status == 409
        assert other.add(("second", new_image("pink"))) == [None]
        with pytest.raises(ProblemError):  # nor has this one
            writer.delete("second")
        assert other.delete("new") == 3
        with pytest.raises(ProblemError):
            writer.delete("new")
        (left,) = writer.uploads()
        assert open_index(made.index).get(["second"])[0].fields["file"] == f"uploaded:{left}"
    finally:
        other.service.close()


def test_captions_of_another_picture_are_not_replaced(writer, embedder):
    about = {"kind": "caption", "image": "boat.jpg", "file": "", "split": "", "text": "a boat"}
    writer.index.add([Record("caption:boat#1", embedder.texts(["a boat"])[0], about)])
    (error,) = writer.add(("boat", new_image()))
    assert (error.status, str(error)) == (409, "the id of a caption is taken (caption:boat#1); choose another id")
    assert writer.index.get(["boat", "caption:boat#0"]) == [None, None]
    assert writer.index.get(["caption:boat#1"])[0].fields == about
    assert writer.uploads() == []
    assert writer.add(("boat", new_image(captions=["one"]))) == [None]


def test_of_two_that_want_the_same_id_at_once_one_gets_it(writer):
    errors = writer.add(*(("new", new_image(colour, [colour])) for colour in ("yellow", "pink", "gold", "navy")))
    refused = [error for error in errors if error is not None]
    assert [error.status for error in refused] == [409] * 3
    assert writer.index.count(Filter.parse("image=new")) == 2
    assert [f"uploaded:{name}" for name in writer.uploads()] == [writer.index.get(["new"])[0].fields["file"]]


@pytest.mark.parametrize("error", [WriteFailedError("full"), InputError("too long")])
def test_a_picture_whose_records_are_refused_leaves_no_file(writer, error):
    def refuse(records):
        raise error

    writer.index.add = refuse
    assert writer.add(("new", new_image())) == [error]
    assert writer.uploads() == []


@pytest.mark.parametrize("error", [WriteFailedError("full"), InputError("too long")])
def test_a_file_that_another_picture_shares_stays(writer, error):
    assert writer.add(("first", new_image())) == [None]
    before = writer.uploads()

    def refuse(records):
        raise error

    writer.index.add = refuse
    assert writer.add(("second", new_image())) == [error]
    assert writer.uploads() == before != []


def test_where_it_is_unknown_whether_the_records_are_there_the_file_stays(writer):
    def cut(records):
        raise EngineUnavailableError("cut off")

    writer.index.add = cut
    (error,) = writer.add(("new", new_image()))
    assert isinstance(error, EngineUnavailableError)
    assert len(writer.uploads()) == 1


def test_a_folder_that_takes_no_file_is_told_and_no_record_is_added(writer):
    writer.files.uploads.write_text("a file in its place")
    (error,) = writer.add(("new", new_image()))
    assert isinstance(error, WriteFailedError)
    assert str(error).startswith("the picture could not be kept (")  # a client is told no path
    assert writer.index.get(["new"]) == [None]


def test_a_disk_that_is_full_is_507_and_nothing_of_the_picture_is_there(serving, made, monkeypatch):
    def full(place: str) -> Index:
        index = open_index(place)

        def add(records):
            raise WriteFailedError("no space left on device")

        index.add = add
        return index

    monkeypatch.setattr("bcls.server.collection.open_index", full)
    client = serving(write_key=WRITE_KEY)
    client.headers["Authorization"] = f"Bearer {WRITE_KEY}"
    new = {"image": base64_of(picture_bytes("yellow")), "id": "new"}
    answer = client.post("/v1/images", json=new)
    assert answer.status_code == 507
    assert "no space left" in answer.json()["detail"]
    assert client.get("/v1/images/new").status_code == 404
    assert kept_files(made.uploads) == []


def test_deleting_takes_the_picture_and_its_own_captions_alone(writer):
    writer.add(("new", new_image()), ("twin", new_image()))
    before = writer.index.count()
    assert writer.delete("new") == 3
    assert writer.index.count() == before - 3
    assert writer.index.count(Filter.parse("image=new")) == 0
    assert len(writer.uploads()) == 1
    assert writer.delete("twin") == 3
    assert writer.uploads() == []


def test_of_two_that_delete_the_same_picture_at_once_one_has_deleted_it(writer):
    writer.add(("new", new_image()))

    async def together():
        record = await writer.service.record("new", writer.collection)
        deleting = (delete_image(writer.collection, writer.files, record) for _ in range(3))
        return await asyncio.gather(*deleting, return_exceptions=True)

    first, *others = asyncio.run(together())
    assert first == 3
    assert [(error.status, str(error)) for error in others] == [(404, "nothing of that id is in the index")] * 2


def test_deleting_leaves_files_that_did_not_come_in(writer, made):
    assert writer.delete("red-0") == 3
    assert (made.pictures / "red-0.png").exists()


def test_more_captions_than_one_search_would_show_go_too(writer, made, embedder):
    about = {"kind": "caption", "image": "red-0", "file": "red-0.png", "split": "", "text": "x"}
    writer.index.add([Record(f"caption:more#{number}", embedder.texts(["x red"])[0], about) for number in range(3000)])
    assert writer.delete("red-0") == 3003


def test_a_deletion_that_was_cut_short_can_be_repeated(writer, monkeypatch):
    writer.add(("new", new_image()))
    monkeypatch.setattr("bcls.search.index.BLOCK_RECORDS", 1)
    deleted = []
    delete = writer.index._delete

    def once(ids):
        if deleted:
            raise WriteFailedError("full")
        deleted.extend(ids)
        return delete(ids)

    writer.index._delete = once
    with pytest.raises(WriteFailedError):
        writer.delete("new")
    assert writer.index.get(["new"]) != [None]
    writer.index._delete = delete
    assert writer.delete("new") == 2
    assert writer.uploads() == []


@pytest.mark.parametrize("file", ["uploaded:holiday.jpg", "holiday.jpg"])
def test_a_file_of_a_persons_own_in_the_uploads_folder_stays(writer, embedder, file):
    writer.add(("new", new_image()))
    own = writer.files.uploads / "holiday.jpg"
    own.write_bytes(b"mine")
    about = {"kind": "image", "image": "own", "file": file, "split": "", "text": ""}
    writer.index.add([Record("own", embedder.texts(["red"])[0], about)])
    assert writer.delete("own") == 1
    assert own.exists()


def test_a_caption_is_not_deleted_as_a_picture(writer):
    with pytest.raises(ProblemError) as error:
        writer.delete("caption:red-0#0")
    assert (error.value.status, str(error.value)) == (404, "no picture of that id is in the index")
    assert writer.index.get(["caption:red-0#0"])[0] is not None


def test_a_file_stays_where_the_records_could_not_be_taken_out(writer):
    writer.add(("new", new_image()))

    def refuse(ids):
        raise WriteFailedError("full")

    writer.index.delete = refuse
    with pytest.raises(WriteFailedError, match="full"):
        writer.delete("new")
    assert len(writer.uploads()) == 1
