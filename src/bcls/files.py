"""Writing files so that a reader sees the old content or the new one, never half of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bcls.contents import content_of
from bcls.errors import InputError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it over `path` when the block ends without an error.

    Missing parent folders are made. On an error the temporary file is removed and `path` stays as it was.

    Args:
        path: the file to write or replace.

    Yields:
        A path in the same folder, with the same suffix, to write to.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "deep" / "note.txt"
        >>> with replacing(target) as temporary:
        ...     _ = temporary.write_text("whole")
        >>> target.read_text()
        'whole'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON to `path`, whole or not at all. NaN is refused: JSON has no word for it."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: the file is missing or is not JSON, or an object names a key twice, of which one value would be
            lost; the message names the file and the line, or the key.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_without_repeats)
    except KeyError as error:
        raise InputError(f"{path}: an object names the key {error} twice: remove one of them") from None
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except json.JSONDecodeError as error:
        what = content_of(path)
        if what is not None:
            raise InputError(f"{path}: is {what}") from None
        raise InputError(f"{path}: line {error.lineno}: not JSON ({error.msg})") from None
    except UnicodeDecodeError:
        what = content_of(path) or "not UTF-8 text; save it as UTF-8, and unpack it if it is compressed"
        raise InputError(f"{path}: is {what}") from None
    except (RecursionError, ValueError):
        raise InputError(f"{path}: nested too deeply, or a number with too many digits") from None


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file of plain values.

    Raises:
        InputError: the file is missing or is not YAML in UTF-8; the message names the file.
    """
    import yaml  # noqa: PLC0415

    path = Path(path)
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as error:  # the library raises nearly every kind: dates, numbers and nests that cannot be
        raise InputError(f"{path}: not YAML in UTF-8 ({type(error).__name__}: {error})") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise KeyError(next(name for name in names if names.count(name) > 1))
    return found


def hash_of(parts: Iterable[str]) -> str:
    """SHA-256 of a sequence of strings, in hexadecimal; the borders between the strings count.

    Example:
        >>> hash_of(["ab", "c"]) == hash_of(["a", "bc"])
        False
    """
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")  # what is no text has a hash too: checks name it
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()


def natural_order(files: Iterable[Path]) -> list[Path]:
    """Sort files by their paths with the numbers in them compared as numbers: `part_2` comes before `part_10`.

    Example:
        >>> [file.name for file in natural_order(map(Path, ["part_10.npy", "part_2.npy", "part_1.npy"]))]
        ['part_1.npy', 'part_2.npy', 'part_10.npy']
    """
    return sorted(files, key=lambda file: (_natural_key(file.as_posix()), file.as_posix()))


def row_order(files: Iterable[Path]) -> list[Path]:
    """Sort files whose rows are matched, one file after the other, with one list of ids: natural order.

    Natural order (`part_2` before `part_10`) and the order of spelling (`part_10` before `part_2`) are the same where
    numbers have zeros in front (`00002`). Where they differ, natural order is meant if the names differ in nothing but
    their numbers; else nothing says which is meant.

    Args:
        files: the files of one folder.

    Raises:
        InputError: the two orders differ and the names do not say which is meant; the message names both.

    Example:
        >>> [file.name for file in row_order(map(Path, ["emb_10.npy", "emb_2.npy"]))]
        ['emb_2.npy', 'emb_10.npy']
        >>> row_order(map(Path, ["a10.npy", "a2b.npy"]))
        Traceback (most recent call last):
        bcls.errors.InputError: .: the rows of its files can be read in two orders: by number (a2b.npy, a10.npy) or by
        spelling (a10.npy, a2b.npy), and the names do not say which is meant; give all files the same name with a number
        of as many digits, e.g. 00000.npy, 00001.npy
    """
    natural = natural_order(files)
    spelled = sorted(natural, key=Path.as_posix)
    names = [file.name for file in natural]
    alike = len({re.sub("[0-9]+", "0", name) for name in names}) == 1
    numbers_differ = len({_natural_key(name) for name in names}) == len(names)
    if natural == spelled or (alike and numbers_differ):
        return natural
    first = next(place for place, pair in enumerate(zip(natural, spelled, strict=True)) if pair[0] != pair[1])
    shown = [", ".join(file.name for file in order[first : first + 3]) for order in (natural, spelled)]
    raise InputError(
        f"{natural[0].parent}: the rows of its files can be read in two orders: by number ({shown[0]}) or by spelling "
        f"({shown[1]}), and the names do not say which is meant; give all files the same name with a number of as many "
        f"digits, e.g. 00000{natural[0].suffix}, 00001{natural[0].suffix}"
    )


def _natural_key(name: str) -> tuple[str | tuple[int, str], ...]:
    """Text and numbers in turn; a number as (digits, number without zeros in front), however long it is."""
    parts = re.split("([0-9]+)", name)
    numbers = [part.lstrip("0") for part in parts[1::2]]
    texts = parts[0::2]
    keyed: list[str | tuple[int, str]] = []
    for text, number in zip(texts, [*numbers, ""], strict=True):
        keyed += [text, (len(number), number)]
    return tuple(keyed)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
