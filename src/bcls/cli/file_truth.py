"""Which caption belongs to which image, where no data set tells: a file, the ids, or the habit of the protocol."""

from __future__ import annotations

from typing import Any

import numpy as np

from bcls.cli.file_side import Side
from bcls.cli.yardstick import judged_protocol
from bcls.errors import InputError
from bcls.evaluation import PROTOCOLS, RetrievalTruth, read_caption_image


def truth_of_files(given: dict[str, Any], images: Side, captions: Side) -> tuple[RetrievalTruth, str]:
    """The truth, and what told it.

    Raises:
        InputError: nothing tells it, or what does is at odds with the files.
    """
    if given["caption_image"] is not None:
        return _from_file(given["caption_image"], images, captions), given["caption_image"]
    judged = judged_protocol(given["protocol"])
    if judged is not None and judged.truth_from_ids is not None:
        ids = images.ids(), captions.ids()
        if ids[0] is None or ids[1] is None:
            raise InputError(
                f"the protocol {given['protocol']!r} finds its images and captions by their ids: name them with "
                "--image_ids and --caption_ids, or give --data"
            )
        return judged.truth_from_ids(ids[0], ids[1]), f"{given['image_ids']} and {given['caption_ids']}"
    habit = None if judged is not None else PROTOCOLS[given["protocol"]].captions_each
    if habit is None:
        raise InputError("which caption belongs to which image? Give one of --data and --caption_image")
    if captions.rows != habit * images.rows:
        raise InputError(
            f"which caption belongs to which image? Without --data or --caption_image {given['protocol']!r} means "
            f"{habit} captions an image in order, but {captions.file} has {captions.rows} for {images.rows} images"
        )
    rows = np.repeat(np.arange(images.rows), habit)
    return RetrievalTruth(rows, images.rows, images.ids(), captions.ids()), f"{habit} captions an image, in order"


def _from_file(file: str, images: Side, captions: Side) -> RetrievalTruth:
    rows = read_caption_image(file)
    if len(rows) != captions.rows:
        raise InputError(f"{file}: image rows of {len(rows)} captions, but {captions.file} has {captions.rows}")
    ids = images.ids(), captions.ids()
    try:
        return RetrievalTruth(rows, images.rows, *ids)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
