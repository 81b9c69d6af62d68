"""`bcls serve`: search over HTTP, with a page for people."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from bcls.cli.arguments import parse_words, require_training
from bcls.cli.models import distinct_names, model_place
from bcls.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

    from bcls.server import Served

Names: TypeAlias = list[str] | str
DESCRIPTION = """Serve a model and its index: a page for people and an API for programs. Several pairs can be compared
side by side. Keys are taken from the environment: whoever shows BCLS_WRITE_KEY may add and delete pictures (without
it nobody may), and where BCLS_READ_KEY is set, reading needs a key too.

example: bcls serve --demo

example: bcls serve runs/bcls index

example: bcls serve runs/bcls bcls-index runs/triplet triplet-index"""


def run(words: list[str]) -> int:
    """Serve until stopped."""
    given = parse_words(_parser(), words)
    if given["demo"] == bool(given["pairs"]):
        raise InputError("name a model and its index, or --demo")
    if any(find_spec(package) is None for package in ("fastapi", "httptools", "prometheus_client", "uvicorn")):
        raise MissingExtraError("bcls serve", "server")
    from bcls.server import ServerSettings, create_app, serve, take_port  # noqa: PLC0415

    hosts = {"127.0.0.1", "localhost", "[::1]", given["host"], *_names(given["allowed_hosts"])}
    settings = ServerSettings(
        write_key=os.environ.get("BCLS_WRITE_KEY") or None,
        read_key=os.environ.get("BCLS_READ_KEY") or None,
        allowed_hosts=tuple(sorted(hosts)),
        cors_origins=tuple(_names(given["cors_origins"])),
        max_k=given["max_k"],
        max_body_bytes=given["max_body_bytes"],
        request_seconds=given["request_seconds"],
    )
    taken = take_port(given["host"], given["port"])  # before anything is trained or loaded
    served = _demo(Path(given["output"])) if given["demo"] else _pairs(given)
    app = create_app(served, settings)
    serve(app, taken, stop_seconds=settings.stop_seconds, ready=_tell)
    return 0


def _parser() -> ArgumentParser:
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls serve", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("pairs", type=str, nargs="*", help="MODEL INDEX, again and again; the first is the default")
    parser.add_argument("--demo", action="store_true", help="draw pictures, train two models on them, serve both")
    parser.add_argument("--output", type=str, default="demo-search", help="folder of what --demo makes")
    parser.add_argument("--host", type=str, default="127.0.0.1", help="where to listen; default: this machine alone")
    parser.add_argument("--port", type=int, default=8000, help="0 = any that is free")
    parser.add_argument("--pictures", type=str | None, default=None, help="folder of the pictures, if it has moved")
    parser.add_argument("--uploads", type=str | None, default=None, help="folder of added pictures; default: by INDEX")
    parser.add_argument("--allowed_hosts", type=Names, default=[], help="further names to answer under, a,b; *: any")
    parser.add_argument("--cors_origins", type=Names, default=[], help="pages elsewhere that may use the API")
    parser.add_argument("--max_k", type=int, default=100, help="the most results of one query")
    parser.add_argument("--max_body_bytes", type=int, default=10 << 20, help="the largest request")
    parser.add_argument("--request_seconds", type=float, default=10.0, help="how long a request may take")
    return parser


def _names(given: Names) -> list[str]:
    """Several names, as a list or joined by commas."""
    return given.replace(",", " ").split() if isinstance(given, str) else list(given)


def _tell(address: str) -> None:
    print(f"{address}   (Ctrl-C stops it)", flush=True)


def _pairs(given: dict[str, Any]) -> list[Served]:
    pairs = given["pairs"]
    if given["pictures"] and not Path(given["pictures"]).is_dir():
        raise InputError(f"{given['pictures']}: no such folder (--pictures)")
    if len(pairs) % 2:
        raise InputError(f"{pairs[-1]}: each model needs its index: bcls serve MODEL INDEX")
    models, indexes = pairs[::2], pairs[1::2]
    names = distinct_names(models if len(set(models)) == len(models) else indexes)
    return [
        _served(name or "search", model, index, given)
        for name, model, index in zip(names, models, indexes, strict=True)
    ]


def _served(name: str, model: str, index: str, given: dict[str, Any]) -> Served:
    from bcls.models import RetrievalModel, fingerprint  # noqa: PLC0415
    from bcls.server import Embedder, Served  # noqa: PLC0415

    folder = model_place(model)
    loaded = RetrievalModel.from_pretrained(folder)
    loaded.require_vectors()
    pictures = Path(given["pictures"]) if given["pictures"] else _pictures_of(index)
    return Served(
        name, Embedder(loaded), fingerprint(folder), index, pictures, _uploads(index, given), bool(given["uploads"])
    )


def _uploads(index: str, given: dict[str, Any]) -> Path | None:
    """Where pictures that are added to an index are kept: beside it, where it is a folder."""
    if given["uploads"]:
        folder = Path(given["uploads"])
        return folder / quote(index.strip("/"), safe="") if len(given["pairs"]) > 2 else folder
    return default_uploads(index)


def default_uploads(index: str) -> Path | None:
    """The folder of added images where none is named: beside the index; None = the index is in no folder."""
    place = index.removeprefix("memory:")
    return None if "://" in place else Path(f"{place.rstrip('/')}-uploads")


def _pictures_of(index: str) -> Path | None:
    """The picture folder of the data that an index was made of, as far as both can be reached now."""
    from bcls.embedding import open_collection  # noqa: PLC0415
    from bcls.search import EngineUnavailableError, open_index  # noqa: PLC0415

    try:
        with open_index(index) as opened:
            data = opened.info().about.get("data")
    except EngineUnavailableError:
        raise InputError(
            f"{index} does not answer, so that its pictures are not known: name them with --pictures"
        ) from None
    if not data or not Path(data).exists():
        return None
    try:
        return open_collection(data).image_folder
    except InputError as error:  # the data has changed since
        raise InputError(f"{error}; or name the folder of the pictures of {index} with --pictures") from None


def _demo(folder: Path) -> list[Served]:
    require_training("bcls serve --demo")
    from bcls.demo.search import make_search_demo  # noqa: PLC0415
    from bcls.models import RetrievalModel, fingerprint  # noqa: PLC0415
    from bcls.server import Embedder, Served  # noqa: PLC0415

    made = make_search_demo(folder)
    return [
        Served(
            name,
            Embedder(RetrievalModel.from_pretrained(model)),
            fingerprint(model),
            made.indexes[name],
            made.pictures,
            folder / "uploads" / name.lower(),
        )
        for name, model in made.models.items()
    ]
