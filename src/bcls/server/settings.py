"""What a server allows, keeps and asks for."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from bcls.errors import InputError

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Limits and habits of a server; the defaults suit one machine and people who are trusted to look, not to write.

    Args:
        max_body_bytes: the largest request body; more is refused before it is read.
        max_pixels: the largest picture, width times height; more is refused before it is decoded.
        max_k: the most results of one query.
        max_query_characters: the longest text query.
        request_seconds: how long a request may take before it is answered 504.
        max_batch: how many queries the model or the index takes at once.
        max_waiting: how many queries may wait for each; more are answered 503.
        cached_queries: how many embeddings of text queries are kept.
        thumbnail_side: longest side of a thumbnail, in pixels.
        thumbnail_bytes: how much memory thumbnails may take.
        reload_seconds: how often an index is asked whether it has changed or is back.
        stop_seconds: how long a stopping server waits for the requests that it took.
        write_key: whoever shows it may add and delete; None = nobody may.
        read_key: whoever shows it may search; None = everybody may.
        allowed_hosts: names under which the server answers; `*` = any. A page elsewhere that points a name of its own
            at this machine gets nothing.
        cors_origins: pages of which other origins may use the API; none by default.

    Raises:
        InputError: a limit below 1, or a key that is too short to be one.

    Example:
        >>> ServerSettings(max_k=50).max_k
        50
    """

    max_body_bytes: int = 10 << 20
    max_pixels: int = 40_000_000
    max_k: int = 100
    max_query_characters: int = 500
    request_seconds: float = 10.0
    max_batch: int = 32
    max_waiting: int = 512
    cached_queries: int = 10_000
    thumbnail_side: int = 320
    thumbnail_bytes: int = 64 << 20
    reload_seconds: float = 2.0
    stop_seconds: float = 10.0
    write_key: str | None = field(default=None, repr=False)
    read_key: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = LOCAL_HOSTS
    cors_origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if isinstance(value, int | float) and not value > 0:
                raise InputError(f"server: {setting.name} is {value}; it must be above 0")
        for name in ("write_key", "read_key"):
            key = getattr(self, name)
            if key is not None and (len(key) < 16 or not key.isascii() or not key.isprintable() or " " in key):
                raise InputError(f"server: {name} must have at least 16 printable ASCII characters and no space")
