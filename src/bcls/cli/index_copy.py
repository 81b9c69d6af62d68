"""`bcls index copy`: a consistent copy of an index, also while it is written to."""

from __future__ import annotations

from bcls.cli.arguments import parse_words

DESCRIPTION = """Copy an index in a folder (memory or LanceDB) to a new folder, as it is at one moment. Writers wait
until the copy is complete, searches do not. Images that were added to a server are in its uploads folder: copy that
after the index.

example: bcls index copy index backups/index-monday"""


def run(words: list[str]) -> int:
    """Copy, and tell what the copy holds."""
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls index copy", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("index", type=str, help="where the index is")
    parser.add_argument("copy", type=str, help="a folder that does not exist")
    given = parse_words(parser, words)
    from bcls.search.copying import copy_index  # noqa: PLC0415

    with copy_index(given["index"], given["copy"]) as index:
        info = index.info()
    print(f"{info.count} records, {info.engine}, version {info.version}: {info.place}")
    return 0
