"""`bcls data`."""

from __future__ import annotations

import io
import json
import tarfile

from bcls.data import read_dataset


def test_check_is_content_with_a_good_data_set(bcls, folder):
    said = bcls("data", "check", folder)
    warning, summary = said.out.splitlines()
    assert warning.startswith("warning: same caption of several images: 0#1: 24 captions are word for word those of")
    assert (said.code, summary) == (0, "24 images, 48 captions: same caption of several images: 1")


def test_check_lists_each_problem_and_fails(bcls, folder):
    lines = (folder / "images.jsonl").read_text().splitlines()
    for number in (1, 20):
        record = json.loads(lines[number])
        record["captions"][0]["text"] = "  "
        lines[number] = json.dumps(record)
    (folder / "images.jsonl").write_text("\n".join(lines))
    about = json.loads((folder / "dataset.json").read_text())
    del about["content_hash"]
    (folder / "dataset.json").write_text(json.dumps(about))
    said = bcls("data", "check", folder)
    assert said.code == 1
    assert "1#0" in said.out
    assert "20#0" in said.out
    assert said.out.splitlines()[-1].startswith("24 images, 48 captions: ")
    only = bcls("data", "check", folder, "--splits", "[val]")
    assert "1#0" not in only.out.split("20#0")[0]


def test_show_tells_splits_features_and_an_example(bcls, folder):
    said = bcls("data", "show", folder)
    assert said.code == 0
    assert "tiny: 24 images, 48 captions" in said.out
    assert "(24, 8) float16" in said.out
    assert "0#0: a small dog runs on grass 0" in said.out


def test_convert_writes_a_folder_of_the_same_content(bcls, folder, tmp_path):
    said = bcls("data", "convert", folder, tmp_path / "copy")
    assert said.code == 0
    assert read_dataset(tmp_path / "copy").content_hash() == read_dataset(folder).content_hash()
    again = bcls("data", "convert", folder, tmp_path / "copy")
    assert (again.code, "holds a data set already" in again.err) == (2, True)


def test_convert_unpacks_shards_and_check_lists_what_is_broken_in_them(bcls, tmp_path):
    with tarfile.open(tmp_path / "val-0.tar", "w") as shard:
        for name, content in (("a.jpg", b"no picture"), ("a.txt", b"a dog")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            shard.addfile(info, io.BytesIO(content))
    said = bcls("data", "convert", tmp_path / "val-0.tar", tmp_path / "set")
    assert said.code == 0
    assert said.out.startswith(f"1 image, 1 caption unpacked to {tmp_path / 'set'}\n")
    checked = bcls("data", "check", tmp_path / "set")
    assert checked.code == 1
    assert f"broken picture: {tmp_path / 'set' / 'images' / 'val-0.broken'}" in checked.out


def test_scenes_are_made_as_asked(bcls, tmp_path):
    words = ("--splits", '{"train": 3, "val": 2}', "--captions", "2", "--size", "16")
    said = bcls("data", "scenes", tmp_path / "scenes", *words)
    assert (said.code, said.out) == (0, f"5 images, 10 captions in {tmp_path / 'scenes'}\n")
    assert read_dataset(tmp_path / "scenes").splits == {"train": 3, "val": 2}


def test_wrong_words_are_named(bcls, tmp_path):
    for words, named in [
        (("data", "chek"), "no action 'chek'"),
        (("data", "check", tmp_path / "nowhere"), "nowhere"),
        (("data", "check"), "path"),
        (("data", "scenes", tmp_path / "s", "--size", "big"), "size"),
        (("data", "scenes", tmp_path / "s", "--size", "4"), "16 pixels"),
    ]:
        said = bcls(*words)
        assert said.code == 2
        assert said.err.startswith("bcls: error: ")
        assert said.err.count("\n") == 1
        assert named in said.err
    assert bcls("data").code == 2
