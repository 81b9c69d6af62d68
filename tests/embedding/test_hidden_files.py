"""What systems and storage devices put among a user's images is not embedded, and what is left out is counted."""

from __future__ import annotations

import pytest
from PIL import Image

from bcls.embedding.collection import open_collection
from bcls.errors import InputError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("a.jpg", "photos/b.png"):
        Image.new("RGB", (8, 6), "red").save(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    "place",
    [
        "@eaDir/a.jpg",
        "photos/@eaDir/b.png",
        "#recycle",
        "$RECYCLE.BIN",
        "__MACOSX",
        ".Trash-1000/files",
        ".thumbnails",
        "System Volume Information",
        "lost+found",
    ],
)
def test_folders_of_the_system_are_left_out_and_counted(folder, place, caplog):
    (folder / place).mkdir(parents=True)
    Image.new("RGB", (8, 6), "blue").save(folder / place / "THUMB_XL.jpg")
    dataset = open_collection(folder)
    assert dataset.image_ids == ["a.jpg", "photos/b.png"]
    assert "1 folders that are hidden or belong to the system" in caplog.text


def test_hidden_files_are_left_out_and_counted(folder, caplog):
    (folder / "._a.jpg").write_bytes(b"\0\x05\x16\x07\0\x02\0\0Mac OS X")
    (folder / "photos/.b.png").write_bytes((folder / "photos/b.png").read_bytes())
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    assert open_collection(folder).image_ids == ["a.jpg", "photos/b.png"]
    assert "3 files that are hidden, e.g. .DS_Store" in caplog.text


def test_images_that_pillow_does_not_decode_are_counted_with_the_cure(folder, caplog):
    for name in ("IMG_1.HEIC", "IMG_2.heic", "raw.CR2"):
        (folder / name).write_bytes(b"x")
    assert open_collection(folder).image_ids == ["a.jpg", "photos/b.png"]
    assert "3 files of image formats that Pillow does not decode; convert them to JPEG or PNG" in caplog.text


def test_a_folder_of_such_images_alone_is_refused_with_the_cure(tmp_path):
    (tmp_path / "IMG_1.HEIC").write_bytes(b"x")
    with pytest.raises(InputError, match=r"1 files of image formats that Pillow does not decode; convert them"):
        open_collection(tmp_path)
