"""`bcls features`: what a pretrained encoder makes of pictures, computed once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bcls.cli.arguments import parse_words
from bcls.cli.terminal import one_line
from bcls.errors import InputError
from bcls.files import write_json
from bcls.ids import name_fault
from bcls.progress import counted

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

DESCRIPTION = """Encode all pictures of a data set by a pretrained vision encoder and keep the outputs as features, so
that training with an encoder that stands still runs at the speed of features. Goes on where it was cut short. Pictures
that cannot be read are listed, and the exit code is 1 if there are any.

example: bcls features ../flickr8k --model ../clip-vit-base-patch32 --name clip"""
SHOWN = 10


def run(words: list[str]) -> int:
    """Compute, and tell what could not be read."""
    given = parse_words(_parser(), words)
    from bcls.data import read_dataset  # noqa: PLC0415
    from bcls.embedding.features import compute_features  # noqa: PLC0415

    place = Path(given["data"])
    name = given["name"] or Path(given["model"]).name
    fault = name_fault(name)
    if fault is not None:
        raise InputError(f"--name {name!r} {fault}; name the features otherwise")
    folder = (place if place.is_dir() else place.parent) / "features" / name
    result = compute_features(
        read_dataset(place),
        given["model"],
        folder,
        kind=given["kind"],
        workers=given["workers"],
        shard_images=given["shard_images"],
        device=given["device"],
    )
    for one in result.broken[:SHOWN]:
        print(one_line(f"broken: {one.id}: {one.why}"))
    if result.broken:
        file = folder / "broken.json"
        write_json(file, [{"id": one.id, "file": one.file, "why": one.why} for one in result.broken])
        print(f"{counted(len(result.broken), 'image')} cannot be read, without features: all in {file}")
    shards = f"{counted(result.made, 'shard')} made, {result.kept} were there"
    print(f"{shards}; features {name} {result.store.shape}: {folder}")
    return 1 if result.broken else 0


def _parser() -> ArgumentParser:
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls features", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("data", type=str, help="a data set with pictures")
    parser.add_argument("--model", type=str, required=True, help="a pretrained model: a folder, or a hub id")
    parser.add_argument("--name", type=str | None, default=None, help="of the features; default: the model's")
    parser.add_argument("--kind", type=str, default="pooled", help="pooled, mean (of the patches) or patches")
    parser.add_argument("--workers", type=int, default=min(8, os.cpu_count() or 1), help="threads that read pictures")
    parser.add_argument("--shard_images", type=int, default=1024, help="images in a shard")
    parser.add_argument("--device", type=str, default="cpu", help="where the model runs, e.g. cuda")
    return parser
