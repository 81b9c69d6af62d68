"""Which files of the uploads folder a server may remove."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bcls.server.picture_files import PictureFiles


def test_only_files_that_it_named_itself_are_removed(tmp_path):
    for name in ("holiday.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"mine")
    files = PictureFiles(None, tmp_path)
    used, unused = files.keep(b"one"), files.keep(b"two")
    assert files.remove_unused(lambda file: file == used, older_than=-1) == 1
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"holiday.jpg", "notes.txt", used.removeprefix("uploaded:")}
    assert files.find(unused) is None


def test_a_file_that_comes_in_anew_while_it_is_asked_for_its_record_stays(tmp_path):
    files = PictureFiles(None, tmp_path)
    names = {files.keep(content): content for content in (b"one", b"two", b"three")}
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))

    def is_used(file: str) -> bool:
        for content in names.values():  # somebody adds all three again, just after their records were looked for
            files.keep(content)
        return False

    assert files.remove_unused(is_used) == 0
    assert all(files.find(file) for file in names)


def test_a_file_that_goes_while_it_is_looked_at_harms_nobody(tmp_path, monkeypatch):
    files = PictureFiles(None, tmp_path)
    gone, left = sorted(files.keep(content) for content in (b"one", b"two"))
    monkeypatch.setattr(
        Path, "iterdir", lambda folder: iter([folder / name.partition(":")[2] for name in (gone, left)])
    )
    files.find(gone).unlink()
    assert files.remove_unused(lambda file: False, older_than=-1) == 1
    assert files.find(left) is None


def test_a_file_that_the_system_does_not_remove_is_told_and_removed_later(tmp_path, monkeypatch, caplog):
    files = PictureFiles(None, tmp_path)
    file = files.keep(b"one")

    def refuse(*given, **named):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        files.remove(file)
    assert [record.message for record in caplog.records] == ["an unused picture stays"]
    assert files.remove_unused(lambda file: False, older_than=-1) == 1


@pytest.mark.parametrize("file", ["a" * 300, "loop.png", "loop.png/x.png", "x.png/y.png"])
def test_a_name_that_the_system_cannot_open_is_no_file(tmp_path, file):
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "x.png").write_bytes(b"x")
    assert PictureFiles(tmp_path, None).find(file) is None
