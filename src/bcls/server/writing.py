"""Adding and deleting pictures so that a kill at any moment leaves nothing half."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bcls.embedding.records import CAPTION
from bcls.errors import InputError
from bcls.search import Filter, Index, Record, WriteFailedError
from bcls.search.filters import Condition
from bcls.server.problems import ProblemError

if TYPE_CHECKING:
    from bcls.search import FieldType, FieldValue
    from bcls.server.collection import Collection
    from bcls.server.messages import NewImage
    from bcls.server.picture_files import PictureFiles

MOST_CAPTIONS = 10_000
EMPTY: dict[FieldType, FieldValue] = {"str": "", "int": 0, "float": 0.0, "bool": False}


async def add_image(collection: Collection, files: PictureFiles, name: str, new: NewImage) -> None:
    """Add a picture and its captions.

    The file is written first, then all records in one commit. Killed between the two, the server leaves a file that
    nothing names, which `PictureFiles.remove_unused` takes away.

    Raises:
        ProblemError: 403 no picture can be kept here, 409 the id or that of a caption is taken, 422 it is of the form
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

    def write(index: Index) -> int:
        caption_ids = [f"{CAPTION}{name}#{place}" for place in range(len(captions))]
        taken = [record.id for record in index.get([name, *caption_ids]) if record is not None]
        if name in taken:
            raise ProblemError(409, "that id is taken; delete it first")
        if taken:  # of a picture of another name
            raise ProblemError(409, f"the id of a caption is taken ({taken[0]}); choose another id")
        own = {"image": name, "split": new.split}
        was_there = files.holds(content)
        file = files.keep(content)
        image = own | {"kind": "image", "file": file, "text": "\n".join(captions)}
        records = [Record(name, vector, _fields(index, image))]
        for caption_id, caption, of_caption in zip(caption_ids, captions, told, strict=True):
            about = own | {"kind": "caption", "file": file, "text": caption}
            records.append(Record(caption_id, of_caption, _fields(index, about)))
        try:
            return index.add(records)
        except (WriteFailedError, InputError):  # both say that nothing of it is in the index
            if not was_there:
                files.remove(file)
            raise

    await collection.write(write)


async def delete_image(collection: Collection, files: PictureFiles, record: Record) -> int:
    """Take a picture and its captions out in one commit, then remove its file if it came in by request.

    Returns:
        How many records went.

    Raises:
        ProblemError: 404, the id is a caption's, or somebody else was quicker.
    """
    if record.fields["kind"] != "image":
        raise ProblemError(404, "no picture of that id is in the index")
    own = Filter((Condition("kind", "=", "caption"), Condition("image", "=", record.id)))
    file = str(record.fields["file"])

    def write(index: Index) -> int:
        if index.get([record.id]) == [None]:
            raise ProblemError(404, "nothing of that id is in the index")
        captions = index.search(record.vector[None], MOST_CAPTIONS, where=own)[0]
        gone = index.delete([record.id, *(hit.id for hit in captions)])
        if index.count(Filter((Condition("file", "=", file),))) == 0:
            files.remove(file)
        return gone

    return await collection.write(write)


def _fields(index: Index, known: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    """All fields of the index: those that are known, and nothing in the others."""
    return {name: known.get(name, EMPTY[kind]) for name, kind in index.fields.items()}
