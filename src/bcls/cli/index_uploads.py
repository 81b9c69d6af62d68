"""`bcls index uploads`: added images that no record names, and whose their folder is."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from bcls.cli.arguments import parse_words
from bcls.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from bcls.search import Index

DESCRIPTION = """List images in an index's uploads folder that no record of the index names: their records were lost
with an index that was made again, or their server was killed before it wrote them. They may be the only copies.
--delete deletes them. --take_over makes the folder this index's own where it belonged to another.

example: bcls index uploads index

example: bcls index uploads index --uploads old-index-uploads --take_over"""
SHOWN = 20
UNCERTAIN_SECONDS = 3600.0
"""So old an image of an engine that may be unreachable must be: a write that was cut off may still arrive."""


def run(words: list[str]) -> int:
    """List what no record names; delete it, or change the owner, if asked to."""
    import jsonargparse  # noqa: PLC0415

    from bcls.cli.serve import default_uploads  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls index uploads", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("index", type=str, help="where the index is")
    parser.add_argument("--uploads", type=str | None, default=None, help="the folder; default: beside the index")
    parser.add_argument("--delete", action="store_true", help="delete them; without it they are only listed")
    parser.add_argument("--take_over", action="store_true", help="make the folder this index's own")
    given = parse_words(parser, words)
    folder = Path(given["uploads"]) if given["uploads"] else default_uploads(given["index"])
    if folder is None or not folder.is_dir():
        raise InputError(f"{folder or given['index']}: no such folder of added images; name it with --uploads")
    if given["delete"] and given["take_over"]:
        raise InputError("--delete or --take_over: one at a time; list what would be deleted in between")
    if any(find_spec(package) is None for package in ("fastapi", "uvicorn", "prometheus_client")):
        raise MissingExtraError("bcls index uploads", "server")
    from bcls.search import open_index  # noqa: PLC0415
    from bcls.search.folder_lock import folder_lock  # noqa: PLC0415
    from bcls.server.upload_owner import take_over  # noqa: PLC0415

    with open_index(given["index"]) as index, folder_lock(folder):
        index.refresh()
        if given["take_over"]:
            take_over(folder, index)
            print(f"{folder}: belongs to {index.info().place} now")
        _list(folder, index, delete=given["delete"])
    return 0


def _list(folder: Path, index: Index, *, delete: bool) -> None:
    from bcls.server.upload_owner import read_owner, require_owner, unused_files  # noqa: PLC0415

    if delete and read_owner(folder) is not None:
        require_owner(folder, index)
    elif delete:
        raise InputError(
            f"{folder}: names no index that it belongs to, so the images may be another's. Nothing was deleted. If it "
            f"belongs to this index: bcls index uploads {quote(index.info().place)} --uploads {quote(str(folder))} "
            "--take_over"
        )
    unused = unused_files(folder, index)
    for path in unused[:SHOWN]:
        print(path)
    if len(unused) > SHOWN:
        print(f"... and {len(unused) - SHOWN} more")
    if not delete or not unused:
        print(f"{len(unused)} images that no record names" + (": delete them with --delete" if unused else ""))
        return
    if index.info().engine == "milvus":
        unused = [path for path in unused if path.stat().st_mtime < time.time() - UNCERTAIN_SECONDS]
    for path in unused:
        path.unlink(missing_ok=True)
    print(f"{len(unused)} images deleted")
