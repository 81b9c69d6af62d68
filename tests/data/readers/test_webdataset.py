"""Webdataset shards into dataset folders, and what a hostile or broken shard may not do."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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


@pytest.mark.parametrize(
    ("name", "split"),
    [("00003.tar", "train"), ("coco_val.12.tar", "coco_val"), ("x.tar", "x"), ("val-00003-of-00010.tar", "val")],
)
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
    with pytest.raises(InputError, match="compressed with gzip: unpack it first"):
        unpack_webdataset(tmp_path / "t-0.tar", tmp_path / "set")


def unpacked(tmp_path, *members, name="t-0.tar"):
    return unpack_webdataset(write_shard(tmp_path / name, members), tmp_path / "set")


def left_out(dataset):
    return {(kind.count, kind.example) for kind in dataset.left_out}


def test_names_with_dots_are_samples_of_their_own(tmp_path):
    keys = ["0001", "photo.v2", "2023.05.01", "2023.05.02", "a.b/c.d.e", "22.0/1"]
    dataset = unpacked(tmp_path, *(part for n, key in enumerate(keys) for part in pair(key, n, f"of {key}")))
    assert dataset.caption_texts == [f"of {key}" for key in keys]
    assert dataset.left_out == ()


def test_fields_beside_an_image_and_its_caption_are_counted(tmp_path):
    dataset = unpacked(
        tmp_path,
        *[member("d/0001.mask.png", png(9)), *pair("d/0001", 1, "one"), member("d/0001.en.txt", b"more")],
        *pair("0002", 2, "two"),
    )
    assert dataset.caption_texts == ["one", "two"]
    assert Image.open(dataset.image_path(0)).getpixel((0, 0)) == (1, 1, 1)
    assert left_out(dataset) == {(2, "d/0001.mask.png")}


def test_one_image_and_one_caption_that_are_equal_up_to_the_first_dot_are_a_sample(tmp_path):
    members = [member("1.rgb.png", png(1)), member("1.txt", b"one"), member("2.png", png(2)), member("2.a.txt", b"two")]
    assert unpacked(tmp_path, *members).caption_texts == ["one", "two"]


def test_dotted_images_without_captions_are_kept_for_the_check(tmp_path):
    dataset = unpacked(tmp_path, member("p.v1.png", png(1)), *pair("p.v2", 2, "two"), member("q.v1.png", png(3)))
    assert [len(image.captions) for image in dataset.images] == [0, 1, 0]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            ["1.left.png", "1.right.png", "1.txt"],
            r"1: 2 images \(1\.left, 1\.right\) and 1 captions \(1\) .*certain",
        ),
        (["1.png", "1.en.txt", "1.de.txt"], r"1: 1 images \(1\) and 2 captions \(1\.en, 1\.de\)"),
        (["1.a.png", "1.a.txt", "1.b.txt"], r"1: 1 images \(1\.a\) and 1 captions \(1\.b\)"),
        (["1.png", "1.jpg", "1.txt"], r"1: there are 2 images of this name \(png and jpg\)"),
        (["1.png", "1.txt", "1.TXT"], r"1: a caption file stands there twice"),
        (["1.png", "2.png", "1.txt", "2.txt"], r"1: members of this name stand at two places .* must be neighbours"),
    ],
)
def test_what_may_belong_together_in_two_ways_is_refused(tmp_path, members, message):
    with pytest.raises(InputError, match=rf"t-0\.tar: {message}"):
        unpacked(tmp_path, *(member(name, png(1) if name.endswith(("png", "jpg")) else b"x") for name in members))


def test_every_member_that_is_not_taken_is_counted_with_an_example(tmp_path, caplog):
    dataset = unpacked(
        tmp_path,
        member("d", kind=tarfile.DIRTYPE),
        *pair("a", 1, "one"),
        *[member("a.cls", b"7"), member("a.mp3", b""), member("noise", b""), member("._a.png", b"")],
        member("b.txt", kind=tarfile.SYMTYPE, target="a.txt"),
    )
    assert left_out(dataset) == {(3, "a.cls"), (1, "._a.png"), (1, "b.txt")}
    assert "3 members that are neither images nor captions (txt, json), e.g. a.cls" in caplog.text


@given(
    names=st.lists(
        st.tuples(st.text("ab.", min_size=1, max_size=5), st.sampled_from(["png", "JPG", "txt", "json", "cls"])),
        max_size=8,
    )
)
@settings(deadline=None, max_examples=150)
def test_members_are_taken_counted_or_refused(tmp_path_factory, names):
    content = {"txt": b"a", "json": b'{"caption": "b"}', "cls": b"7"}
    folder = tmp_path_factory.mktemp("members")
    try:
        dataset = unpacked(
            folder, *(member(f"{stem}.{kind}", content.get(kind, png(n))) for n, (stem, kind) in enumerate(names))
        )
    except InputError:
        return
    counted = {kind.what: kind.count for kind in dataset.left_out}
    images = sum(kind in {"png", "JPG"} and not stem.startswith(".") for stem, kind in names)
    others = sum(kind == "cls" and not stem.startswith(".") for stem, kind in names)
    assert counted.get("members that are neither images nor captions (txt, json)", 0) == others
    assert counted.get("members that are hidden files", 0) == sum(stem.startswith(".") for stem, _ in names)
    fields = counted.get("members that are further fields of a sample", 0)
    assert len(dataset.images) <= images <= len(dataset.images) + fields
    texts = [f"{stem}.txt" for stem, kind in names if kind == "txt" and not stem.startswith(".")]
    assert sum(len(image.captions) for image in dataset.images) >= len(texts) - fields


def test_a_json_file_that_says_something_else_than_the_txt_file_is_counted(tmp_path):
    members = [
        *[*pair("a", 1, "one"), member("a.json", b'{"caption": "one", "url": "?"}')],
        *[*pair("b", 2, "two"), member("b.json", b'{"caption": "zwei"}')],
        *[*pair("c", 3, "three"), member("c.json", b'{"width": 7}')],
        *[*pair("d", 4, "four"), member("d.json", b"{")],
    ]
    dataset = unpacked(tmp_path, *members)
    assert dataset.caption_texts == ["one", "two", "three", "four"]
    assert left_out(dataset) == {(2, "b.json")}


def test_images_of_every_format_that_pillow_opens_are_taken(tmp_path):
    members = []
    for number, kind in enumerate(["tga", "jfif", "jp2", "ppm", "tif", "ico"]):
        held = io.BytesIO()
        Image.new("RGB", (16, 16), (number, 0, 0)).save(held, Image.registered_extensions()[f".{kind}"])
        members += [member(f"{number}.{kind}", held.getvalue()), member(f"{number}.txt", kind.encode())]
    dataset = unpacked(tmp_path, *members)
    assert dataset.caption_texts == ["tga", "jfif", "jp2", "ppm", "tif", "ico"]
    assert check_dataset(dataset) == []


def test_shards_are_unpacked_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 2, 1):
        write_shard(tmp_path / "in" / f"train-{number}.tar", pair("a", number, f"shard {number}"))
    (tmp_path / "in" / "train-3.tar.gz").write_bytes(b"")
    dataset = unpack_webdataset(tmp_path / "in", tmp_path / "set")
    assert dataset.caption_texts == ["shard 1", "shard 2", "shard 10"]
    assert left_out(dataset) == {(1, "train-3.tar.gz")}


def test_a_mark_of_utf8_is_no_part_of_a_caption(tmp_path):
    dataset = unpacked(tmp_path, member("a.png", png(1)), member("a.txt", "\ufeffa dog".encode()))
    assert dataset.caption_texts == ["a dog"]


@pytest.mark.parametrize("between", [[], pair("b", 2, "b")])
def test_a_name_that_comes_again_in_a_shard_is_refused(tmp_path, between):
    with pytest.raises(InputError, match=r"t-0\.tar: a: (there are 2 images|members of this name stand at two places)"):
        unpacked(tmp_path, *pair("a", 1, "old"), *between, *pair("a", 3, "new"))


def test_a_name_may_come_again_in_another_shard(tmp_path):
    for number in (0, 1):
        write_shard(tmp_path / f"t-{number}.tar", pair("a", number, f"caption {number}"))
    dataset = unpack_webdataset(tmp_path, tmp_path / "set")
    assert [(image.id, image.captions[0].text) for image in dataset.images] == [
        ("t-0", "caption 0"),
        ("t-1", "caption 1"),
    ]


def test_json_without_a_caption_is_counted(tmp_path):
    dataset = unpacked(tmp_path, member("a.png", png(1)), member("a.json", b'{"CAPTION": "a dog", "TEXT": "b"}'))
    assert left_out(dataset) == {(1, "a.json")}
    assert "without a field `caption`" in dataset.left_out[0].what


@pytest.mark.parametrize("about", [b'{"caption": null}', b'{"captions": null}', b'{"captions": []}', b'{"url": "?"}'])
def test_a_json_file_without_a_caption_leaves_the_image_to_the_check(tmp_path, about):
    shard = write_shard(tmp_path / "t-0.tar", [*pair("a", 1, "x"), member("b.png", png(2)), member("b.json", about)])
    made = unpack_webdataset(shard, tmp_path / "set")
    assert [problem.kind for problem in check_dataset(made)] == ["image without caption", "left out"]
