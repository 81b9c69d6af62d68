"""`bcls search`: find images by words, and images or captions by an image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcls.cli.arguments import parse_words
from bcls.cli.models import model_place
from bcls.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

    from bcls.search import Filter, Hit, Index
    from bcls.search.records import Vectors

DESCRIPTION = """Search an index by words or by an image.

example: bcls search "two dogs on a beach" --where split=val

example: bcls search --image x.jpg --find captions"""

KINDS = {"images": "image", "captions": "caption"}
WIDTH = 80


def run(words: list[str]) -> int:
    """Search, and print a table or JSON."""
    given = parse_words(_parser(), words)
    if (given["query"] is None) == (given["image"] is None):
        raise InputError("search by words or by --image: one of the two")
    if given["query"] is not None and not given["query"].strip():
        raise InputError("the words to look for are empty")
    if given["query"] is not None and given["query"] != given["query"].encode("utf-8", "replace").decode("utf-8"):
        raise InputError("the words to look for are not UTF-8 text")
    from bcls.search import open_index  # noqa: PLC0415

    with open_index(given["index"]) as index:
        where = _filter(given["where"], given["find"])
        hits = index.search(_vector(index, given), given["k"], where=where)[0]
    if given["json"]:
        found = [{"id": hit.id, "score": round(hit.score, 6), "fields": dict(hit.fields)} for hit in hits]
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print(_table(hits))
    return 0


def _parser() -> ArgumentParser:
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls search", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("query", type=str, nargs="?", help="what to look for, in words")
    parser.add_argument("--image", type=str, default=None, help="a picture file, or an image's id in the index")
    parser.add_argument("--index", type=str, default="index", help="where the index is")
    parser.add_argument("--k", type=int, default=10, help="how many to find")
    parser.add_argument("--find", type=str, default="images", help="images, captions or all")
    parser.add_argument("--where", type=str, default="", help='conditions: split=val text contains "two dogs"')
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--model", type=str | None, default=None, help="the index's model, if it has moved")
    return parser


def _filter(where: str, find: str) -> Filter:
    from bcls.search import Condition, Filter  # noqa: PLC0415

    if find not in {*KINDS, "all"}:
        raise InputError(f"--find {find}: there are images, captions, all")
    conditions = Filter.parse(where).conditions
    return Filter(conditions if find == "all" else (*conditions, Condition("kind", "=", KINDS[find])))


def _vector(index: Index, given: dict[str, Any]) -> Vectors:
    """(1, dim): of the words, of a picture file, or of an image in the index."""
    from bcls.embedding import QueryEncoder  # noqa: PLC0415

    model = None if given["model"] is None else model_place(given["model"])
    if given["query"] is not None:
        return QueryEncoder.for_index(index, model).texts([given["query"]])
    if Path(given["image"]).is_file():
        from bcls.pictures import open_picture  # noqa: PLC0415

        picture = open_picture(Path(given["image"]))
        return QueryEncoder.for_index(index, model).pictures([picture])
    known = index.get([given["image"]])[0]
    if known is None:
        raise InputError(f"--image {given['image']}: neither a file nor the id of an image in {given['index']}")
    return known.vector[None]


def _table(hits: list[Hit]) -> str:
    """Rank, score, id and as much of the text as a line holds."""
    wide = min(36, max((len(hit.id) for hit in hits), default=0))
    lines = [f"{'':>4} {'score':>6}  {'id':<{wide}}  text"]
    for rank, hit in enumerate(hits, start=1):
        text = str(hit.fields.get("text", "")).replace("\n", " | ")
        line = _printable(f"{rank:>4} {hit.score:>6.3f}  {hit.id:<{wide}}  {text}")
        lines.append(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…")
    return "\n".join(lines if hits else ["nothing found"])


def _printable(line: str) -> str:
    """The line without what would move a terminal's cursor or change its colours; joiners of scripts and emoji stay."""
    return "".join(sign if sign.isprintable() or sign in "\u200c\u200d" else " " for sign in line)
