"""Pictures in the page."""

from __future__ import annotations

import base64
import io
import re

import pytest
from PIL import Image

from bcls.errors import InputError
from bcls.evaluation.report.pictures import Pictures


def test_a_picture_is_embedded_once_small_and_in_its_colour(pictures):
    page = Pictures()
    tags = [page.tag(file, "x") for file in (pictures[0], pictures[1], pictures[0])]
    assert tags[0] == tags[2] != tags[1]
    rules = page.rules().splitlines()
    assert len(rules) == 2
    data = base64.b64decode(re.search(r"base64,([^)]*)\)", rules[0]).group(1))
    shown = Image.open(io.BytesIO(data))
    assert shown.size == (128, 64)
    assert shown.convert("RGB").getpixel((5, 5))[0] > 240


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n broken"])
def test_what_is_no_picture_is_named(tmp_path, content):
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.png: not a readable picture"):
        Pictures().tag(tmp_path / "bad.png", "x")


def test_a_truncated_picture_is_named(tmp_path, pictures):
    whole = pictures[0].read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"half\.png"):
        Pictures().tag(tmp_path / "half.png", "x")
