"""`bcls embed`: a model and a data set into shards of embeddings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bcls.cli.arguments import parse_words
from bcls.cli.models import find_model
from bcls.cli.terminal import one_line
from bcls.errors import InputError
from bcls.files import write_json
from bcls.progress import counted

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

DESCRIPTION = """Embed all images and captions of a data set, or all pictures of a folder. Goes on where it was cut
short; files that cannot be read are listed in OUTPUT/broken.json and left out.

example: bcls embed runs/flickr8k/bcls ../shared/data/flickr8k embeddings"""
SHOWN = 10


def run(words: list[str]) -> int:
    """Embed, and tell what could not be."""
    given = parse_words(_parser(), words)
    from bcls.embedding import embed  # noqa: PLC0415

    found = find_model(given["model"], given["data"], given["features"])
    output = Path(given["output"])
    result = embed(
        found.model,
        given["data"],
        output,
        split=given["split"],
        features=found.features,
        workers=given["workers"],
        shard_images=given["shard_images"],
        part=_part(given["part"]),
        device=given["device"],
    )
    name = "broken.json" if given["part"] == "1/1" else f"broken-{given['part'].replace('/', '-of-')}.json"
    write_json(output / name, [{"id": one.id, "file": one.file, "why": one.why} for one in result.broken])
    for one in result.broken[:SHOWN]:
        print(one_line(f"broken: {one.id}: {one.why}"))
    if len(result.broken) > SHOWN:
        print(f"... and {len(result.broken) - SHOWN} more in {output / name}")
    broken = counted(len(result.broken), "image")
    print(f"{counted(result.made, 'shard')} made, {result.kept} were there; {broken} broken: {output}")
    return 0


def _parser() -> ArgumentParser:
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls embed", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("model", type=str, help="a run's folder, a model's folder, or a hub id")
    parser.add_argument("data", type=str, help="a data set, or a folder of pictures")
    parser.add_argument("output", type=str, help="the folder of the embeddings")
    parser.add_argument("--split", type=str | None, default=None, help="only this split, e.g. val; default: everything")
    parser.add_argument("--features", type=str | None, default=None, help="the features; default: the run's")
    parser.add_argument("--workers", type=int, default=min(8, os.cpu_count() or 1), help="threads that read pictures")
    parser.add_argument("--shard_images", type=int, default=1024, help="images in a shard")
    parser.add_argument("--part", type=str, default="1/1", help="I/N: this process makes every N-th shard")
    parser.add_argument("--device", type=str, default="cpu", help="where the model runs, e.g. cuda")
    return parser


def _part(words: str) -> tuple[int, int]:
    first, slash, second = words.partition("/")
    if not slash or not first.isdecimal() or not second.isdecimal():
        raise InputError(f"--part {words}: I/N is expected, e.g. 1/4")
    return int(first), int(second)
