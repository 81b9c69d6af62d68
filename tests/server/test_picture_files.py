"""Which files of the uploads folder a server may remove, and in whose folder it may write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.search import Record, WriteFailedError, create_index
from bcls.server.picture_files import PictureFiles, is_added
from bcls.server.problems import ProblemError
from bcls.server.upload_owner import NAME, kept_files, read_owner

from .conftest import FIELDS


def make_index(place="memory:", *files: str):
    index = create_index(place, dim=2, model="m", fields=FIELDS)
    fields = {"kind": "image", "image": "x", "split": "", "text": ""}
    index.add([Record(file, np.ones(2, np.float32), fields | {"file": file}) for file in files])
    return index


@pytest.mark.parametrize("file", ["holiday.jpg", "uploaded:holiday.jpg", "uploaded:../holiday.jpg", "notes.txt"])
def test_only_files_that_the_server_named_itself_are_found_and_removed_as_added(tmp_path, file):
    uploads, pictures = tmp_path / "uploads", tmp_path / "pictures"
    for folder in (uploads, pictures):
        folder.mkdir()
        (folder / "holiday.jpg").write_bytes(b"mine")
    files = PictureFiles(pictures, uploads)
    kept = files.keep(b"one")
    files.remove(file)
    assert (uploads / "holiday.jpg").exists()
    assert (pictures / "holiday.jpg").exists()
    assert not is_added(file)
    assert files.find(kept) is not None
    files.remove(kept)
    assert files.find(kept) is None


def test_a_file_that_the_system_does_not_remove_is_told(tmp_path, monkeypatch, caplog):
    files = PictureFiles(None, tmp_path)
    file = files.keep(b"one")

    def refuse(*given, **named):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        files.remove(file)
    assert [record.message for record in caplog.records] == ["an unused image stays"]
    assert files.find(file) is not None


@pytest.mark.parametrize("file", ["a" * 300, "loop.png", "loop.png/x.png", "x.png/y.png"])
def test_a_name_that_the_system_cannot_open_is_no_file(tmp_path, file):
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "x.png").write_bytes(b"x")
    assert PictureFiles(tmp_path, None).find(file) is None


def test_a_folder_gets_its_owner_with_the_first_image_and_is_then_refused_to_another_index(tmp_path):
    files, one, other = PictureFiles(None, tmp_path / "new" / "uploads"), make_index(), make_index()
    with files.locked(one):
        files.keep(b"one")
    assert read_owner(files.uploads).index == one.identity
    with pytest.raises(ProblemError) as refused, files.locked(other):
        pass
    assert refused.value.status == 409
    assert str(tmp_path) not in str(refused.value)  # a client is told no path
    with files.removing(other) as ours:
        assert not ours
    with files.removing(one) as ours:
        assert ours


def test_a_folder_that_cannot_be_made_is_told_without_its_path(tmp_path):
    (tmp_path / "file").write_text("x")
    files = PictureFiles(None, tmp_path / "file")
    with pytest.raises(WriteFailedError, match=r"^the picture could not be kept \("), files.locked(make_index()):
        pass


@pytest.mark.parametrize(("chosen", "writing", "refused"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)])
def test_at_the_start_another_index_is_refused_where_somebody_chose_the_folder_or_may_write(
    tmp_path, chosen, writing, refused
):
    files = PictureFiles(None, tmp_path)
    with files.locked(make_index()):
        files.keep(b"one")
    before = sorted((path.name, path.read_bytes()) for path in tmp_path.iterdir())
    if refused:
        with pytest.raises(InputError, match="belongs to another index"):
            files.check(make_index(), chosen=bool(chosen), writing=bool(writing))
    else:
        files.check(make_index(), chosen=bool(chosen), writing=bool(writing))
    assert sorted((path.name, path.read_bytes()) for path in tmp_path.iterdir()) == before


def test_a_start_makes_no_folder_and_a_server_that_only_reads_writes_nothing(tmp_path):
    files = PictureFiles(None, tmp_path / "uploads")
    files.check(make_index(), chosen=True, writing=True)
    assert not files.uploads.exists()
    files.keep(b"one")
    files.check(make_index(), chosen=True, writing=False)
    assert [path.name for path in files.uploads.iterdir()] == [path.name for path in kept_files(files.uploads)]
    assert not (files.uploads / NAME).exists()
