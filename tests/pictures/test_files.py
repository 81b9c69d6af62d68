"""Which files count as images."""

from __future__ import annotations

import os

import pytest
from PIL import Image

from bcls.pictures import decoded_formats, image_extensions, is_image_file


def test_every_extension_that_pillow_writes_and_decodes_counts(tmp_path):
    """Oracle: what Pillow saves under an extension and opens again counts as an image."""
    Image.init()
    tried = 0
    for extension in Image.registered_extensions():
        file = tmp_path / f"a{extension}"
        for mode in ("RGB", "L", "1"):
            try:
                Image.new(mode, (32, 32)).save(file)
                with Image.open(file) as image:
                    image.load()
                break
            except Exception:  # a format or mode that is not written here; some leave a part of a file
                file.unlink(missing_ok=True)
        if file.exists():
            assert is_image_file(file), extension
            assert is_image_file(file.rename(tmp_path / f"b{extension.upper()}")), extension
            tried += 1
    assert tried > 35


def test_what_pillow_does_not_decode_does_not_count():
    assert not {"BUFR", "GRIB", "HDF5", "WMF", "MPEG", "PDF"} & decoded_formats()
    assert not {".h5", ".hdf", ".mpg", ".mpeg", ".pdf", ".grib", ".wmf"} & image_extensions()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "JPEG2000", "QOI"])
@pytest.mark.parametrize("name", ["image", "photo.jpg_large", "photo.jpg.1", "scan.bin", "0001"])
def test_an_image_without_an_extension_of_one_is_known_by_its_first_bytes(tmp_path, kind, name):
    Image.new("RGB", (8, 8)).save(tmp_path / name, kind)
    assert is_image_file(tmp_path / name)


def test_a_tiff_counts_without_an_extension_and_a_raw_file_does_not(tmp_path):
    for name in ("scan", "photo.nef", "photo.dng"):
        Image.new("RGB", (8, 8)).save(tmp_path / name, "TIFF")
    assert is_image_file(tmp_path / "scan")
    assert not is_image_file(tmp_path / "photo.nef")
    assert not is_image_file(tmp_path / "photo.dng")


@pytest.mark.parametrize("name", ["labels.json", "notes.txt", "clip.mp4", "a.svg", "a.heic", "a.tar", "a.gz", "x.csv"])
def test_a_file_of_another_common_type_is_no_image_whatever_it_begins_with(tmp_path, name):
    Image.new("RGB", (8, 8)).save(tmp_path / name, "JPEG")
    assert not is_image_file(tmp_path / name)


def test_a_damaged_file_with_an_extension_of_an_image_counts(tmp_path):
    (tmp_path / "cut.jpg").write_bytes(b"")
    assert is_image_file(tmp_path / "cut.jpg")


def test_what_macos_puts_beside_a_photograph_does_not_count(tmp_path):
    (tmp_path / "._photo.jpg").write_bytes(b"\0\5\x16\7" + bytes(100))
    Image.new("RGB", (8, 8)).save(tmp_path / "._art.jpg")
    assert not is_image_file(tmp_path / "._photo.jpg")
    assert is_image_file(tmp_path / "._art.jpg")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert not is_image_file(tmp_path / "pipe")
