"""`bcls index delete`: records out of an index, by their ids."""

from __future__ import annotations

from bcls.cli.arguments import parse_words
from bcls.errors import InputError
from bcls.ids import id_fault

DESCRIPTION = """List records of an index by their ids, and delete them with --delete. --unusable_ids takes all records
whose ids are refused today (line breaks, the id .): an index of an earlier release may hold such. The captions of an
image are records of their own (caption:...).

example: bcls index delete index --unusable_ids

example: bcls index delete index image-1 caption:image-1#0 --delete"""
SHOWN = 20


def run(words: list[str]) -> int:
    """List what would go; delete it if asked to."""
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls index delete", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("index", type=str, help="where the index is")
    parser.add_argument("ids", type=str, nargs="*", help="ids of records")
    parser.add_argument("--unusable_ids", action="store_true", help="all records whose ids are refused today")
    parser.add_argument("--delete", action="store_true", help="delete them; without it they are only listed")
    given = parse_words(parser, words)
    if given["unusable_ids"] == bool(given["ids"]):
        raise InputError("name ids, or --unusable_ids: one of the two")
    from bcls.search import open_index  # noqa: PLC0415

    with open_index(given["index"]) as index:
        if given["unusable_ids"]:
            ids = sorted(name for name, _ in index.scan() if id_fault(name) is not None)
        else:
            ids = [record.id for record in index.get(list(dict.fromkeys(given["ids"]))) if record is not None]
            if len(ids) < len(set(given["ids"])):
                missing = next(name for name in given["ids"] if name not in ids)
                raise InputError(f"{given['index']}: there is no record {missing!r}; nothing was deleted")
        for name in ids[:SHOWN]:
            print(f"{name!r}{'' if (fault := id_fault(name)) is None else '  ' + fault}")
        if len(ids) > SHOWN:
            print(f"... and {len(ids) - SHOWN} more")
        if given["delete"] and ids:
            print(f"{index.delete(ids)} records deleted")
        else:
            print(f"{len(ids)} records" + (": delete them with --delete" if ids else ""))
    return 0
