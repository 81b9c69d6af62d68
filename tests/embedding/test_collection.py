"""Data sets and folders of pictures, as what there is to embed."""

from __future__ import annotations

import os

import pytest
from PIL import Image

from bcls.data import Caption, ImageRecord, RetrievalDataset, write_dataset
from bcls.embedding.collection import open_collection
from bcls.errors import InputError

MODES = {"BLP": "P", "MSP": "1", "QOI": "RGB", "XBM": "1"}


def test_a_data_set_is_read_as_one(collection):
    dataset = open_collection(collection)
    assert dataset.image_ids == [f"p{number}" for number in range(10)]
    assert len(dataset.caption_ids) == 20


def test_every_picture_of_a_folder_and_below_is_an_image(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("b.png", "A.JPG", "deep/c.webp", "deep/er/d.tiff", "notes.txt", "deep/e.mp4", "jpg"):
        (tmp_path / name).touch()
    dataset = open_collection(str(tmp_path))
    assert dataset.image_ids == ["A.JPG", "b.png", "deep/c.webp", "deep/er/d.tiff"]
    assert dataset.name == tmp_path.name
    for image in dataset.images:
        assert (image.file, image.split, image.captions) == (image.id, "all", ())


def test_every_kind_of_picture_file_counts(tmp_path):
    Image.init()
    for suffix, name in Image.registered_extensions().items():
        if name in Image.SAVE and name in Image.OPEN and name not in {"BUFR", "GRIB", "HDF5", "WMF"}:  # no encoder
            Image.new("L", (16, 16), 7).convert(MODES.get(name, "L")).save(tmp_path / f"a{suffix}")
    written = sorted(file.name for file in tmp_path.iterdir())
    assert len(written) > 30
    assert open_collection(tmp_path).image_ids == written


def test_nothing_is_said_where_nothing_is_left_out(tmp_path, caplog):
    (tmp_path / "a.png").touch()
    open_collection(tmp_path)
    assert not caplog.text


def test_a_name_that_is_no_text_is_shown(tmp_path):
    (tmp_path / "fine é.png").touch()
    (tmp_path / os.fsdecode(b"caf\xe9.png")).touch()
    with pytest.raises(InputError, match=r"1 names of pictures are not UTF-8, .* e\.g\. caf\\xe9\.png: rename them"):
        open_collection(tmp_path)


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(
        InputError, match=r"neither a data set nor an image is there \(left out: 1 files .*e\.g\. notes\.txt"
    ):
        open_collection(tmp_path)


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="absent"):
        open_collection(tmp_path / "absent")


@pytest.mark.parametrize("name", ["odd.json", "odd.jsonl", "odd.csv", "odd_caps.txt"])
def test_a_table_beside_pictures_is_not_passed_over(tmp_path, name):
    (tmp_path / "a.png").touch()
    (tmp_path / name).write_text("?")
    with pytest.raises(InputError):
        open_collection(tmp_path)


@pytest.mark.parametrize("kind", ["image", "caption"])
def test_an_id_that_occurs_twice_is_named(tmp_path, monkeypatch, kind):
    import bcls.embedding.collection as room

    ids = ("a", "a") if kind == "image" else ("a", "b")
    captions = ("0", "1") if kind == "image" else ("c", "c")
    records = [
        ImageRecord(one, f"{place}.png", "val", (Caption(caption, "x"),))
        for place, (one, caption) in enumerate(zip(ids, captions, strict=True))
    ]
    monkeypatch.setattr(room, "read_dataset", lambda path: RetrievalDataset("twice", records))
    write_dataset(tmp_path, RetrievalDataset("twice", records[:1]))
    twice = "a" if kind == "image" else "c"
    with pytest.raises(InputError, match=rf"1 {kind} ids occur twice, e.g. {twice}; see `bcls data check"):
        open_collection(tmp_path)


def test_a_folder_named_like_a_picture_is_none(tmp_path):
    (tmp_path / "pics" / "album.jpg").mkdir(parents=True)
    Image.new("RGB", (2, 2)).save(tmp_path / "pics" / "album.jpg" / "b.png")
    assert open_collection(tmp_path / "pics").image_ids == ["album.jpg/b.png"]


def test_what_is_no_image_is_counted_with_an_example(tmp_path, caplog):
    (tmp_path / "deep").mkdir()
    for name in ("a.png", "b.heic", "deep/c.mp4", "deep/noise"):
        (tmp_path / name).touch()
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "linked").symlink_to(tmp_path / "deep", target_is_directory=True)
    dataset = open_collection(tmp_path)
    assert dataset.image_ids == ["a.png"]
    assert {(kind.count, kind.example) for kind in dataset.left_out} == {
        (1, "b.heic"),  # an image, but not one that Pillow decodes
        (2, "deep/c.mp4"),
        (1, "gone.jpg"),
        (1, "linked"),
    }
    assert "2 files that are no images, e.g. deep/c.mp4" in caplog.text


def test_a_name_that_no_index_keeps_is_refused_before_any_work(tmp_path):
    (tmp_path / "two\nlines.png").touch()
    with pytest.raises(InputError, match=r"1 ids, texts or names cannot be kept, e\.g\. image id: .*U\+000A"):
        open_collection(tmp_path)
