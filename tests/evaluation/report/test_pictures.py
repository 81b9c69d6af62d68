"""Pictures in the page."""

from __future__ import annotations

import base64
import io
import re

import pytest
from PIL import Image

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
def test_what_is_no_picture_is_named_once_and_the_others_are_shown(tmp_path, pictures, caplog, content):
    (tmp_path / "<bad>.png").write_bytes(content)
    page = Pictures()
    tags = [page.tag(file, "x") for file in (tmp_path / "<bad>.png", pictures[0], tmp_path / "<bad>.png")]
    assert tags[0] == tags[2] == '<span class="picture">x (&lt;bad&gt;.png cannot be read)</span>'
    assert len(page.rules().splitlines()) == 1
    assert caplog.text.count("<bad>.png: not a readable picture") == 1


def test_what_is_transparent_is_white_and_what_was_turned_is_upright(tmp_path):
    sideways = Image.new("RGBA", (100, 50), (0, 0, 0, 0))
    exif = sideways.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees to the right
    sideways.save(tmp_path / "p.png", exif=exif)
    page = Pictures()
    page.tag(tmp_path / "p.png", "x")
    shown = Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^)]*)\)", page.rules()).group(1))))
    assert shown.size == (50, 100)
    assert min(shown.convert("RGB").getpixel((5, 5))) > 240


def test_a_truncated_and_a_missing_picture_are_named(tmp_path, pictures, caplog):
    whole = pictures[0].read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    page = Pictures()
    for name in ("half.png", "none.png"):
        assert f"{name} cannot be read" in page.tag(tmp_path / name, "x")
        assert f"{name}: " in caplog.text
