"""Whose an uploads folder is: adopted where that is safe, refused to others, handed over when asked."""

from __future__ import annotations

import json
import shutil

import pytest

from bcls.errors import InputError
from bcls.search import create_index, open_index
from bcls.search.copying import copy_index
from bcls.search.manifest import NAME as MANIFEST
from bcls.server.picture_files import PictureFiles
from bcls.server.upload_owner import NAME, read_owner, require_owner, take_over, unused_files

from .conftest import FIELDS
from .test_picture_files import make_index


def keep(folder, *contents: bytes) -> list[str]:
    return [PictureFiles(None, folder).keep(content) for content in contents]


def test_a_folder_of_an_earlier_release_is_adopted_where_records_name_all_its_images(tmp_path):
    used = keep(tmp_path, b"one", b"two")
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    index = make_index("memory:", *used, "red.png")
    require_owner(tmp_path, index)
    assert read_owner(tmp_path).index == index.identity
    require_owner(tmp_path, index)


def test_one_with_an_image_that_no_record_names_is_not(tmp_path):
    used, unused = keep(tmp_path, b"one", b"two")
    index = make_index("memory:", used)
    with pytest.raises(InputError, match=r"1 added images in it \(e.g. .*\) are not named .* --take_over"):
        require_owner(tmp_path, index)
    assert read_owner(tmp_path) is None
    assert [f"uploaded:{path.name}" for path in unused_files(tmp_path, index)] == [unused]
    take_over(tmp_path, index)
    require_owner(tmp_path, index)


@pytest.mark.parametrize("engine", ["memory:", pytest.param("", id="lancedb")])
def test_an_index_keeps_its_folder_when_it_moves_and_its_copy_does_not_share_it(tmp_path, engine):
    if not engine:
        pytest.importorskip("lancedb")
    place, folder = f"{engine}{tmp_path / 'index'}", tmp_path / "uploads"
    folder.mkdir()
    create_index(place, dim=2, model="m", fields=FIELDS).close()
    with open_index(place) as index:
        require_owner(folder, index)
    with copy_index(place, tmp_path / "copy") as copy, pytest.raises(InputError, match="of which this one is a copy"):
        require_owner(folder, copy)
    shutil.move(tmp_path / "index", tmp_path / "moved")
    with open_index(tmp_path / "moved") as moved:
        require_owner(folder, moved, reading=True)
    assert read_owner(folder).place == str(tmp_path / "index")  # not written
    with open_index(tmp_path / "moved") as moved:
        require_owner(folder, moved)
    assert read_owner(folder).place == str(tmp_path / "moved")
    shutil.rmtree(tmp_path / "moved")
    shutil.move(tmp_path / "copy", tmp_path / "moved")  # a backup is put back
    with open_index(tmp_path / "moved") as restored:
        require_owner(folder, restored)


def test_an_index_without_an_identity_of_an_early_release_has_one_that_stays(tmp_path):
    place = f"memory:{tmp_path / 'index'}"
    create_index(place, dim=2, model="m", fields=FIELDS).close()
    file = tmp_path / "index" / MANIFEST
    content = json.loads(file.read_text())
    del content["made"]
    file.write_text(json.dumps(content))
    first = open_index(place).identity
    with open_index(place) as index:
        index.optimize()
    assert open_index(place).identity == first != ""
    assert make_index().identity != make_index().identity


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 2, "index": "x", "place": "y"}'])
def test_an_owner_that_cannot_be_read_is_told_and_nobody_may_write(tmp_path, content):
    (tmp_path / NAME).write_text(content)
    with pytest.raises(InputError, match=NAME):
        require_owner(tmp_path, make_index())
