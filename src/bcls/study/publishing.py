"""A study's table and pictures in a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bcls.errors import InputError
from bcls.files import replacing, write_text


def require_place(page: Path, name: str) -> None:
    """Refuse a page that has no place for the study, before the work for it begins.

    Raises:
        InputError: no such page, or not exactly one pair of markers in it.
    """
    _split(page, name)


def publish(page: Path, name: str, table: str, pictures: Sequence[Path]) -> None:
    """Put a study's table and pictures between its markers, `<!-- begin study NAME -->` and `<!-- end study NAME -->`.

    Pictures are copied to `images/` beside the page, as `NAME_PICTURE`.

    Args:
        page: a Markdown page.
        name: of the study.
        table: in Markdown.
        pictures: files.

    Raises:
        InputError: no such page, or not exactly one pair of markers in it.
    """
    before, after = _split(page, name)
    links = []
    for picture in pictures:
        copy = page.parent / "images" / f"{name}_{picture.name}"
        with replacing(copy) as temporary:
            temporary.write_bytes(picture.read_bytes())
        links.append(f"![{picture.stem.replace('_', ' ')} of the study {name}](images/{copy.name})")
    write_text(page, before + "\n\n" + "\n\n".join([table, *links]) + "\n\n" + after)


def _split(page: Path, name: str) -> tuple[str, str]:
    begin, end = f"<!-- begin study {name} -->", f"<!-- end study {name} -->"
    if not page.is_file():
        raise InputError(f"{page}: no such page")
    text = page.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise InputError(f"{page}: write {begin} and {end} where the table is to stand, each once")
    return text[: text.index(begin) + len(begin)], text[text.index(end) :]
