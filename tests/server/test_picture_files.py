"""Which files of the uploads folder a server may remove."""

from __future__ import annotations

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
