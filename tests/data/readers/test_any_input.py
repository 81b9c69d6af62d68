"""Whatever bytes a file holds, a reader reads it or refuses it; what was read can be checked, hashed and written."""

from __future__ import annotations

import csv
import io
import json
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.data import check_dataset, read_dataset, read_folder, unpack_webdataset, write_dataset
from bcls.errors import InputError

NASTY = st.sampled_from(
    [
        b"\x00",
        b"\r",
        b"\n",
        b'"',
        b",",
        b"{",
        b"}",
        b"[",
        b"\\ud83d",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xc3",
        b"null",
        b"0",
        b"1e999",
        b"NaN",
        b"-1",
        b"true",
        b'"":',
        b"\xe2\x80\xa8",
        b"../",
        b"\x1f\x8b",
        b"a" * 300,
    ]
)
EDITS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 12), NASTY | st.binary(max_size=4)), max_size=4)


def edited(content, edits):
    for place, cut, new in edits:
        content = content[:place] + new + content[place + cut :]
    return content


def rows():
    return [{"file": f"p{i}.jpg", "caption": f"a, {i}", "split": "train", "image_id": i} for i in range(3)]


def csv_table():
    held = io.StringIO()
    writer = csv.DictWriter(held, ["file", "caption", "split", "image_id"])
    writer.writeheader()
    writer.writerows(rows())
    return held.getvalue().encode()


def json_lines():
    return "\n".join(map(json.dumps, rows())).encode()


def karpathy():
    images = [
        {
            "filename": f"{i}.jpg",
            "filepath": "val",
            "split": "val",
            "cocoid": i,
            "sentences": [{"raw": "x", "sentid": i}],
        }
        for i in range(3)
    ]
    return json.dumps({"dataset": "coco", "images": images}).encode()


def records():
    lines = [
        {"id": i, "file": None, "split": "val", "captions": [{"id": f"{i}#0", "text": f"text {i}"}]} for i in range(3)
    ]
    return "\n".join(map(json.dumps, lines)).encode()


def read_or_refuse(read, folder):
    try:
        dataset = read()
    except InputError:
        return
    for problem in check_dataset(dataset, pictures=False):
        str(problem).encode("utf-8")
    write_dataset(folder / "again", dataset)
    again = read_folder(folder / "again")
    assert again.images == dataset.images
    assert again.content_hash() == dataset.content_hash()


@pytest.mark.parametrize(
    ("name", "make"),
    [("t.csv", csv_table), ("t.jsonl", json_lines), ("dataset_coco.json", karpathy), ("images.jsonl", records)],
)
@given(edits=EDITS)
@settings(deadline=None, max_examples=120)
def test_a_table_or_split_file(tmp_path_factory, name, make, edits):
    folder = tmp_path_factory.mktemp("any")
    (folder / name).write_bytes(edited(make(), edits))
    if name == "images.jsonl":
        (folder / "dataset.json").write_text('{"name": "x", "version": 1}')
    read_or_refuse(lambda: read_dataset(folder if name == "images.jsonl" else folder / name), folder)


@given(captions=EDITS, ids=EDITS, features=EDITS, given_ids=st.sampled_from(["none", "images", "captions"]))
@settings(deadline=None, max_examples=120)
def test_a_precomp_folder(tmp_path_factory, captions, ids, features, given_ids):
    folder = tmp_path_factory.mktemp("any")
    (folder / "val_caps.txt").write_bytes(edited(b"".join(b"text %d\n" % n for n in range(6)), captions))
    held = io.BytesIO()
    np.save(held, np.eye(3, dtype=np.float32))
    (folder / "val_ims.npy").write_bytes(edited(held.getvalue(), features))
    if given_ids != "none":
        repeat = 2 if given_ids == "captions" else 1
        (folder / "val_ids.txt").write_bytes(edited(b"".join(b"i%d\n" % (n // repeat) for n in range(3 * repeat)), ids))
    read_or_refuse(lambda: read_dataset(folder), folder)


@given(edits=EDITS, names=st.lists(st.sampled_from(["a", "a.b", ".", "a/b", "", "ü"]), max_size=3))
@settings(deadline=None, max_examples=80)
def test_a_shard(tmp_path_factory, edits, names):
    folder = tmp_path_factory.mktemp("any")
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for number, name in enumerate(names):
            for kind, content in (("png", b"%d" % number), ("txt", b"text"), ("json", b'{"caption": "text"}')):
                info = tarfile.TarInfo(f"{name}.{kind}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    (folder / "t-0.tar").write_bytes(edited(held.getvalue(), edits))
    read_or_refuse(lambda: unpack_webdataset(folder / "t-0.tar", folder / "set"), folder)
