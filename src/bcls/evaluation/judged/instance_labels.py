"""Which kinds of objects an image shows, from COCO's instance annotations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bcls.errors import InputError
from bcls.evaluation.truth import Rows
from bcls.files import read_json

CATEGORIES = 90


def read_instance_labels(path: str | Path) -> tuple[Rows, NDArray[np.bool_]]:
    """Read `instances_val2014.json`, or any file of its form.

    Args:
        path: a JSON object with a list `annotations`; of each only `image_id` and `category_id` (1 to 90) are used.

    Returns:
        The images that have an annotation, COCO numbers ascending, shape (I,), and what they show, shape (I, 90).

    Raises:
        InputError: the file is missing or not of this form, or it annotates nothing; the message names the entry.

    Cost: the file is read whole; COCO's takes some 1.5 GB while it is parsed.

    Example:
        >>> import json, tempfile
        >>> path = Path(tempfile.mkdtemp()) / "instances.json"
        >>> _ = path.write_text(json.dumps({"annotations": [{"image_id": 7, "category_id": 1}]}))
        >>> images, labels = read_instance_labels(path)
        >>> images, np.flatnonzero(labels[0])
        (array([7]), array([0]))
    """
    content = read_json(path)
    entries = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries:
        raise InputError(f"{path}: not COCO's instance annotations (an object with a list 'annotations')")
    pairs = np.array([_pair(path, place, entry) for place, entry in enumerate(entries)], dtype=np.int64)
    images, row = np.unique(pairs[:, 0], return_inverse=True)
    labels = np.zeros((images.size, CATEGORIES), dtype=bool)
    labels[row, pairs[:, 1] - 1] = True
    return images, labels


def _pair(path: str | Path, place: int, entry: object) -> tuple[int, int]:
    image, category = (entry.get(name) for name in ("image_id", "category_id")) if isinstance(entry, dict) else (0, 0)
    if type(image) is not int or abs(image) >= 1 << 63 or type(category) is not int or not 1 <= category <= CATEGORIES:
        raise InputError(
            f"{path}: annotations[{place}] needs an image_id and a category_id of 1 to {CATEGORIES}, "
            f"got {image!r} and {category!r}"
        )
    return image, category
