"""`bcls index`: embeddings into an index; and what else is done with an index, each a word of its own."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from bcls.cli.arguments import parse_words
from bcls.errors import InputError
from bcls.progress import counted

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

DESCRIPTION = """Put embeddings into an index, a new one or one that is there (records of known ids are replaced).

`bcls index copy` copies an index, `bcls index delete` deletes records, `bcls index uploads` lists added images that no
record names (embeddings in a folder of such a name are ./copy).

example: bcls index embeddings index

example: bcls index embeddings milvus://localhost:19530/pictures"""


PARTS = {"copy": "index_copy", "delete": "index_delete", "uploads": "index_uploads"}


def run(words: list[str]) -> int:
    """Index, and tell what is there; or do what the first word says."""
    if words and words[0] in PARTS:
        part = importlib.import_module(f"bcls.cli.{PARTS[words[0]]}")
        return int(part.run(words[1:]))
    given = parse_words(_parser(), words)
    if given["index"] == "memory:":
        raise InputError("memory: alone is kept nowhere and would be lost: name a folder, memory:FOLDER")
    from bcls.embedding import Embeddings, fill_index  # noqa: PLC0415

    with fill_index(Embeddings.open(given["embeddings"]), given["index"]) as index:
        info = index.info()
    how = "every record is compared" if info.exact else "with a vector index"
    print(f"{counted(info.count, 'record')} of {counted(info.dim, 'dimension')}, {info.engine}, {how}: {info.place}")
    return 0


def _parser() -> ArgumentParser:
    import jsonargparse  # noqa: PLC0415

    place = "a folder (LanceDB), memory:FOLDER (exact), or milvus://HOST:PORT/NAME"
    parser = jsonargparse.ArgumentParser(prog="bcls index", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("embeddings", type=str, help="what `bcls embed` made")
    parser.add_argument("index", type=str, help=place)
    return parser
