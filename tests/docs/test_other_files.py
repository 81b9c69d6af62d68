"""The code of docs/data.md for other files of the field makes tables that are read as they should be."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bcls.data import read_dataset
from bcls.errors import InputError

PAGE = Path(__file__).parents[2] / "docs" / "data.md"

FILES = {
    "flickr8k_kaggle": (
        "captions.txt",
        'image,caption\na.jpg,A child , smiling , runs .\na.jpg,"A ""big"" dog"\nb.jpg,Two men .\n',
    ),
    "flickr30k_kaggle": (
        "results.csv",
        "image_name| comment_number| comment\na.jpg| 0| A child , smiling , runs .\na.jpg| 1|  A | dog\n"
        "b.jpg| 4   Two men .\n",
    ),
    "token_file": (
        "Flickr8k.token.txt",
        "a.jpg#0\tA child , smiling , runs .\na.jpg#1\tA #1 dog\nb.jpg.1#0\tTwo men .\n",
    ),
    "coco": (
        "captions_val2017.json",
        json.dumps(
            {
                "images": [{"id": 7, "file_name": "a.jpg"}, {"id": 0, "file_name": "b.jpg"}],
                "annotations": [
                    {"image_id": 7, "id": 1, "caption": "A child , smiling , runs ."},
                    {"image_id": 0, "id": 2, "caption": "Two men ."},
                    {"image_id": 7, "id": 3, "caption": "A dog"},
                ],
            }
        ),
    ),
    "albef": (
        "coco_karpathy_test.json",
        json.dumps(
            [
                {"image": "a.jpg", "caption": ["A child , smiling , runs .", "A dog"]},
                {"image": "b.jpg", "caption": "Two men ."},
            ]
        ),
    ),
}
SECOND = {"flickr8k_kaggle": 'A "big" dog', "flickr30k_kaggle": "A | dog", "token_file": "A #1 dog"}


@pytest.mark.parametrize("name", FILES)
def test_a_table_is_made_of_it(tmp_path, name):
    (code,) = re.findall(r"```python\n(import csv.*?)```", PAGE.read_text(), re.DOTALL)
    known: dict = {}
    exec(code, known)
    file, content = FILES[name]
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / file).write_text(content)
    with pytest.raises(InputError):  # as it is, it is refused
        read_dataset(tmp_path / "source" / file)
    known["write_table"](known[name](tmp_path / "source" / file), tmp_path / "table.csv")
    found = {image.id: [caption.text for caption in image.captions] for image in read_dataset(tmp_path).images}
    other = "b.jpg.1" if name == "token_file" else "b.jpg"
    assert found == {"a.jpg": ["A child , smiling , runs .", SECOND.get(name, "A dog")], other: ["Two men ."]}
