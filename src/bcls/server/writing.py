"""Adding and deleting pictures so that a kill at any moment leaves nothing half."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bcls.embedding.records import CAPTION
from bcls.errors import InputError
from bcls.search import Filter, Index, Record, WriteFailedError
from bcls.search.filters import Condition
from bcls.server.picture_files import is_added
from bcls.server.problems import ProblemError

if TYPE_CHECKING:
    from bcls.search import FieldType, FieldValue
    from bcls.search.records import Vectors
    from bcls.server.collection import Collection
    from bcls.server.messages import NewImage
    from bcls.server.picture_files import PictureFiles

EMPTY: dict[FieldType, FieldValue] = {"str": "", "int": 0, "float": 0.0, "bool": False}


@dataclass(frozen=True, eq=False)
class Added:
    """An image to add: its file as it is kept, its vector, and its captions with theirs."""

    id: str
    split: str
    vector: Vectors
    content: bytes
    captions: list[tuple[str, Vectors]]


async def add_image(collection: Collection, files: PictureFiles, name: str, new: NewImage) -> None:
    """Add a picture and its captions.

    The file is written first, then all records in one commit. Killed between the two, the server leaves a file that
    nothing names, which `bcls index uploads` lists.

    Raises:
        ProblemError: 403 no picture can be kept here, 409 the id or that of a caption is taken or the folder is another
            index's, 422 it is of the form
            of a caption's.
        WriteFailedError: the disk is full, say.
        InputError: not a picture that is taken, or an id or caption that the index cannot keep.
    """
    if files.uploads is None:
        raise ProblemError(403, "this collection has no folder for pictures that come in (--uploads)")
    if name.startswith(CAPTION):
        raise ProblemError(422, f"id: {CAPTION} is how ids of captions begin; choose another")
    if await collection.get(name) is not None:
        raise ProblemError(409, "that id is taken; delete it first")
    captions = [" ".join(caption.split()) for caption in new.captions]
    vector = await collection.embed_picture(new.image)
    content = await collection.encode_anew(new.image)
    told = await asyncio.gather(*(collection.embed_text(caption) for caption in captions))

    added = Added(name, new.split, vector, content, list(zip(captions, told, strict=True)))

    def write(index: Index) -> int:
        with files.locked(index):
            return _add(index, files, added)

    await collection.write(write)


def _add(index: Index, files: PictureFiles, added: Added) -> int:
    """Write the file, then the records of the image and of its captions."""
    caption_ids = [f"{CAPTION}{added.id}#{place}" for place in range(len(added.captions))]
    taken = [record.id for record in index.get([added.id, *caption_ids]) if record is not None]
    if added.id in taken:
        raise ProblemError(409, "that id is taken; delete it first")
    if taken:  # of a picture of another name
        raise ProblemError(409, f"the id of a caption is taken ({taken[0]}); choose another id")
    was_there = files.holds(added.content)
    file = files.keep(added.content)
    own = {"image": added.id, "split": added.split, "file": file}
    text = "\n".join(caption for caption, _ in added.captions)
    records = [Record(added.id, added.vector, _fields(index, own | {"kind": "image", "text": text}))]
    for caption_id, (caption, of_caption) in zip(caption_ids, added.captions, strict=True):
        records.append(Record(caption_id, of_caption, _fields(index, own | {"kind": "caption", "text": caption})))
    try:
        return index.add(records)
    except (WriteFailedError, InputError):  # both say that nothing of it is in the index
        if not was_there:
            files.remove(file)
        raise


async def delete_image(collection: Collection, files: PictureFiles, record: Record) -> int:
    """Take a picture and its captions out in one commit, then remove its file if it came in by request.

    Returns:
        How many records went.

    Raises:
        ProblemError: 404, the id is a caption's, or somebody else was quicker.
    """
    if record.fields["kind"] != "image":
        raise ProblemError(404, "no picture of that id is in the index")

    def write(index: Index) -> int:
        with files.removing(index) as ours:
            return _delete(index, record.id, files if ours else None)

    return await collection.write(write)


def _delete(index: Index, name: str, files: PictureFiles | None) -> int:
    """Delete the records of an image and of its captions, then its file if no other record names it.

    The image's record goes last, so that a deletion that was cut short can be repeated.
    """
    (record,) = index.get([name])
    if record is None or record.fields["kind"] != "image":
        raise ProblemError(404, "nothing of that id is in the index")
    own = Filter((Condition("kind", "=", "caption"), Condition("image", "=", name)))
    gone = index.delete([*(caption for caption, _ in index.scan(own)), name])
    file = str(record.fields["file"])
    if files is not None and is_added(file) and index.count(Filter((Condition("file", "=", file),))) == 0:
        files.remove(file)
    return gone


def _fields(index: Index, known: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    """All fields of the index: those that are known, and nothing in the others."""
    return {name: known.get(name, EMPTY[kind]) for name, kind in index.fields.items()}
