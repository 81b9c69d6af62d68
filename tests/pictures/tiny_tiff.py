"""A TIFF of one uncompressed gray image with any tags, written from the specification (TIFF 6.0, sections 2 and 8)."""

from __future__ import annotations

import struct

KINDS = {"H": (3, 2), "I": (4, 4), "b": (6, 1), "h": (8, 2), "i": (9, 4), "f": (11, 4), "d": (12, 8)}


def tiny_tiff(
    samples: bytes,
    size: tuple[int, int],
    *,
    bits: int = 16,
    sample_format: int = 1,
    photometric: int = 1,
    order: str = "<",
    extra: dict[int, tuple[str, float]] | None = None,
) -> bytes:
    """A TIFF file.

    Args:
        samples: the pixels, as they lie in the file.
        size: width and height.
        bits: BitsPerSample.
        sample_format: 1 = unsigned, 2 = signed, 3 = floating-point.
        photometric: 0 = white is zero, 1 = black is zero.
        order: of bytes, `<` or `>`.
        extra: further tags: number -> (letter of `struct`, value).
    """
    tags: dict[int, tuple[str, float]] = {
        256: ("I", size[0]),
        257: ("I", size[1]),
        258: ("H", bits),
        259: ("H", 1),
        262: ("H", photometric),
        273: ("I", 8),
        277: ("H", 1),
        278: ("I", size[1]),
        279: ("I", len(samples)),
        339: ("H", sample_format),
        **(extra or {}),
    }
    body = samples + bytes(len(samples) % 2)
    long_values = b""
    directory = struct.pack(f"{order}H", len(tags))
    after = 8 + len(body) + 2 + 12 * len(tags) + 4
    for number, (letter, value) in sorted(tags.items()):
        kind, length = KINDS[letter]
        packed = struct.pack(f"{order}{letter}", value)
        if length > 4:
            packed, long_values = struct.pack(f"{order}I", after + len(long_values)), long_values + packed
        directory += struct.pack(f"{order}HHI", number, kind, 1) + packed.ljust(4, b"\0")
    start = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HI", 42, 8 + len(body))
    return start + body + directory + bytes(4) + long_values
