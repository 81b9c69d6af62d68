"""Webdataset shards into dataset folders, and what a hostile or broken shard may not do."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from bcls.data import check_dataset, read_dataset, unpack_webdataset
from bcls.errors import InputError


def png(grey: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (8, 6), (grey, grey, grey)).save(content, "png")
    return content.getvalue()


def member(name, content=b"", kind=tarfile.REGTYPE, target=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, target
    return info, io.BytesIO(content)


def write_shard(file: Path, members) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w") as archive:
        for info, content in members:
            archive.addfile(info, content)
    return file


def pair(key, grey, caption):
    return [member(f"{key}.png", png(grey)), member(f"{key}.txt", caption.encode())]


def test_shards_of_two_splits_become_a_dataset_folder(tmp_path):
    shards = tmp_path / "shards"
    write_shard(shards / "train-000000.tar", [*pair("a", 1, "dark\n"), *pair("b/a", 2, "darker")])
    about = {"captions": ["light", "bright"], "url": "?"}
    write_shard(
        shards / "train-000001.tar",
        [member("c.json", json.dumps(about).encode()), member("c.PNG", png(3)), member("c.cls", b"7")],
    )
    write_shard(shards / "val-000000.tar", [member("d.png", png(4)), member("d.json", b'{"caption": "grey"}')])
    made = unpack_webdataset(shards, tmp_path / "set")
    read = read_dataset(tmp_path / "set")
    assert read.images == made.images
    assert read.splits == {"train": 3, "val": 1}
    assert read.caption_texts == ["dark", "darker", "light", "bright", "grey"]
    assert check_dataset(read) == []
    assert Image.open(read.image_path(2)).getpixel((0, 0)) == (3, 3, 3)
    with pytest.raises(InputError, match="holds a data set already"):
        unpack_webdataset(shards, tmp_path / "set")


@pytest.mark.parametrize(("name", "split"), [("00003.tar", "train"), ("coco_val.12.tar", "coco_val"), ("x.tar", "x")])
def test_the_split_stands_before_the_number(tmp_path, name, split):
    assert unpack_webdataset(write_shard(tmp_path / name, pair("a", 1, "x")), tmp_path / "set").splits == {split: 1}


def test_names_in_a_tar_name_nothing_on_disk_and_links_are_not_followed(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("a secret")
    outside = tmp_path / "outside.png"
    shard = write_shard(
        tmp_path / "in" / "t-0.tar",
        [
            *pair("../../outside", 1, "one"),
            *pair(str(tmp_path / "absolute"), 2, "two"),
            *pair("..", 3, "three"),
            member("d.png", png(4)),
            member("d.txt", kind=tarfile.SYMTYPE, target=str(secret)),
            member("e.png", png(5)),
            member("e.txt", kind=tarfile.LNKTYPE, target=str(secret)),
            member("f.txt", kind=tarfile.FIFOTYPE),
            member("g.png", kind=tarfile.CHRTYPE),
        ],
    )
    before = {path for path in tmp_path.rglob("*") if path != shard}
    made = unpack_webdataset(shard, tmp_path / "set")
    written = {path for path in tmp_path.rglob("*") if path.is_file()} - before - {shard}
    assert all(path.is_relative_to(tmp_path / "set") for path in written)
    assert not outside.exists()
    assert sorted(path.name for path in (tmp_path / "set" / "images").iterdir()) == [f"t-{n}.png" for n in range(4)]
    assert "a secret" not in made.caption_texts
    assert [len(image.captions) for image in made.images] == [1, 1, 0, 0]


def test_broken_pictures_and_missing_captions_are_listed_by_the_check(tmp_path):
    shard = write_shard(
        tmp_path / "t-0.tar",
        [
            *pair("a", 1, "whole"),
            *[member("b.jpg", png(2)[:40]), member("b.txt", b"cut")],
            *[member("c.jpg", b""), member("c.txt", b"empty")],
            *[member("d.jpg", b"<html>"), member("d.txt", b" ")],
            member("e.png", png(5)),
        ],
    )
    made = unpack_webdataset(shard, tmp_path / "set")
    kinds = [(problem.kind, problem.place.rpartition("/")[2]) for problem in check_dataset(made)]
    assert kinds == [
        ("empty caption", "t-3#0"),
        ("image without caption", "t-4"),
        *[("broken picture", made.images[row].file) for row in (1, 2, 3)],
    ]


@pytest.mark.parametrize("cut", [0, 100, 512, 700, 1024, 1400, 1536, 2048])
def test_a_shard_that_is_cut_anywhere_is_refused(tmp_path, cut):
    whole = write_shard(tmp_path / "t-0.tar", [member("a.png", png(1)), member("a.txt", b"x")]).read_bytes()
    (tmp_path / "t-0.tar").write_bytes(whole[:cut])
    with pytest.raises(InputError, match=r"t-0\.tar: damaged"):
        unpack_webdataset(tmp_path / "t-0.tar", tmp_path / "set")
    assert not (tmp_path / "set" / "dataset.json").exists()


def test_a_header_that_is_damaged_in_the_middle_is_refused(tmp_path):
    shard = write_shard(tmp_path / "t-0.tar", [*pair("a", 1, "x"), *pair("b", 2, "y")])
    content = bytearray(shard.read_bytes())
    content[2048 + 100] ^= 0xFF
    shard.write_bytes(content)
    with pytest.raises(InputError, match=r"t-0\.tar: damaged or cut off at byte 2048"):
        unpack_webdataset(shard, tmp_path / "set")


def test_a_member_that_claims_to_be_huge_is_refused_unread(tmp_path):
    info, _ = member("a.png")
    info.size = 1 << 40
    (tmp_path / "t-0.tar").write_bytes(info.tobuf() + b"\0" * 10240)
    with pytest.raises(InputError, match=r"a\.png: 1099511627776 bytes are too many"):
        unpack_webdataset(tmp_path / "t-0.tar", tmp_path / "set")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([member("a.txt", b"x")], "t-0.tar: a: there is no picture beside txt"),
        ([member("a.png", png(1)), member("a.txt", b"\xff")], "t-0.tar: a: the caption is no UTF-8 text"),
        ([member("a.png", png(1)), member("a.json", b"{")], "t-0.tar: a: the caption is no UTF-8 text or no JSON"),
        ([member("a.png", png(1)), member("a.json", b"[" * 100000)], "t-0.tar: a: the caption is no UTF-8"),
        ([member("a.png", png(1)), member("a.json", b"[]")], "t-0.tar: a: the JSON is no object"),
        ([member("a.png", png(1)), member("a.json", b'{"caption": 5}')], "t-0.tar: a: needs a caption"),
        ([member("readme.md", b"x")], "no pictures in 1 shards"),
    ],
)
def test_a_sample_that_is_none_is_named(tmp_path, members, message):
    shard = write_shard(tmp_path / "t-0.tar", [(info, io.BytesIO(content.getvalue())) for info, content in members])
    with pytest.raises(InputError, match=message):
        unpack_webdataset(shard, tmp_path / "set")


def test_reading_shards_as_they_are_names_the_command(tmp_path):
    shard = write_shard(tmp_path / "t-0.tar", pair("a", 1, "x"))
    for path in (shard, tmp_path):
        with pytest.raises(InputError, match="bcls data convert"):
            read_dataset(path)
    with pytest.raises(InputError, match=r"no \.tar file there"):
        unpack_webdataset(tmp_path / "nowhere", tmp_path / "set")


def test_a_compressed_tar_is_refused(tmp_path):
    with tarfile.open(tmp_path / "t-0.tar", "w:gz") as archive:
        archive.addfile(*member("a.png", png(1)))
    with pytest.raises(InputError, match="not a plain tar file"):
        unpack_webdataset(tmp_path / "t-0.tar", tmp_path / "set")
