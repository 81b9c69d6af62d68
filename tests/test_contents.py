"""Files that are not what their names say are called what they are."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from bcls.contents import content_of, other_content
from bcls.data import read_dataset, unpack_webdataset
from bcls.data.features import FeatureStore
from bcls.errors import InputError
from bcls.files import read_json
from bcls.pictures import picture_fault

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
ANNEX = b"/annex/objects/SHA256E-s123--abc.jpg\n"
HTML = b"\n<!DOCTYPE html>\n<html><body>404 Not Found</body></html>"
PARQUET = b"PAR1\x15\x04\x15\x10"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (LFS, "git lfs pull"),
        (ANNEX, "git annex get"),
        (HTML, "HTML page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "XML document"),
        (b"<?xml version='1.0'?><svg/>", "SVG drawing"),
        (HEIC, "HEIC image"),
        (b"\0\0\0\x18ftypmp42", "MP4"),
        (b"\xff\x0a123", "JPEG XL"),
        (b"\0\x05\x16\x07\0\x02\0\0", "AppleDouble"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_a_file_in_the_place_of_an_image_is_called_what_it_is(tmp_path, content, what):
    (tmp_path / "a.jpg").write_bytes(content)
    assert what in str(picture_fault(tmp_path / "a.jpg"))


@pytest.mark.parametrize("content", [LFS, ANNEX, HTML, PARQUET])
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "dataset_x.json", "train_caps.txt", "t-0.tar"])
def test_a_file_in_the_place_of_a_data_set_is_called_what_it_is(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    np.save(tmp_path / "train_ims.npy", np.ones((1, 2), np.float32))
    what = str(other_content(content))
    with pytest.raises(InputError) as caught:
        unpack_webdataset(tmp_path, tmp_path / "set") if name.endswith(".tar") else read_dataset(tmp_path)
    assert f"{name}: is {what}" in str(caught.value)


def test_a_pointer_in_the_place_of_features_is_called_what_it_is(tmp_path):
    (tmp_path / "f.npy").write_bytes(LFS)
    (tmp_path / "ids.json").write_text('["a"]')
    with pytest.raises(InputError, match="git lfs pull") as caught:
        FeatureStore.open(tmp_path / "f.npy")
    assert "pickle" not in str(caught.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "AVIF", "TIFF", "PPM"])
def test_images_are_nothing_else(tmp_path, kind):
    Image.new("RGB", (4, 4)).save(tmp_path / "a", kind)
    assert content_of(tmp_path / "a") is None


@pytest.mark.parametrize("text", ["file,caption\na.jpg,<html> on a screen\n", "[1, 2]", "versions of a dog", "", "BZ"])
def test_text_is_nothing_else(text):
    assert other_content(text.encode()) is None


def test_a_key_that_stands_in_json_twice_is_refused(tmp_path):
    (tmp_path / "a.json").write_text('{"images": [{"split": "train", "split": "test"}]}')
    with pytest.raises(InputError, match=r"a\.json: an object names the key 'split' twice"):
        read_json(tmp_path / "a.json")
    (tmp_path / "b.json").write_text(json.dumps({"a": {"b": 1}, "b": [{"a": 1}, {"a": 2}]}))
    assert read_json(tmp_path / "b.json") == {"a": {"b": 1}, "b": [{"a": 1}, {"a": 2}]}
