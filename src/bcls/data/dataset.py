"""A data set in memory: records of images and captions; pictures and features stay on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bcls.data.features import FeatureStore
from bcls.data.left_out import LeftOut
from bcls.data.records import ImageRecord
from bcls.data.split_names import chosen_splits
from bcls.errors import InputError
from bcls.files import hash_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RetrievalDataset:
    """Images with any number of captions each, in a fixed order.

    Args:
        name: of the data set.
        images: the records.
        image_folder: where the records' files lie; None = there are no pictures.
        features: precomputed features by name.
        left_out: what the reader did not take.

    Example:
        >>> from bcls.data import Caption, ImageRecord
        >>> captions = (Caption("a#0", "a dog"), Caption("a#1", "a brown dog"))
        >>> dataset = RetrievalDataset("tiny", [ImageRecord("a", None, "train", captions)])
        >>> dataset.caption_image
        array([0, 0])
    """

    def __init__(
        self,
        name: str,
        images: Sequence[ImageRecord],
        image_folder: Path | None = None,
        features: Mapping[str, FeatureStore] | None = None,
        left_out: Sequence[LeftOut] = (),
    ) -> None:
        self.name = name
        self.images = tuple(images)
        self.image_folder = image_folder
        self.features = dict(features or {})
        self.left_out = tuple(left_out)

    @cached_property
    def splits(self) -> dict[str, int]:
        """How many images each split has."""
        return dict(Counter(image.split for image in self.images))

    def split(self, names: str | Sequence[str]) -> RetrievalDataset:
        """The images of one split, or of several together, in the order of the whole.

        Args:
            names: a split's name, several of them joined by `+` (`train+restval`), or a sequence of such names. A split
                that has a `+` in its own name is found by it.

        Raises:
            InputError: no image is of such a split, or a name can be read in two ways.
        """
        wanted = chosen_splits(names, self.splits, self.name)
        images = [image for image in self.images if image.split in wanted]
        return RetrievalDataset(self.name, images, self.image_folder, self.features, self.left_out)

    @cached_property
    def image_ids(self) -> list[str]:
        """Ids of the images."""
        return [image.id for image in self.images]

    @cached_property
    def caption_ids(self) -> list[str]:
        """Ids of the captions, image by image."""
        return [caption.id for image in self.images for caption in image.captions]

    @cached_property
    def caption_texts(self) -> list[str]:
        """Texts of the captions, image by image."""
        return [caption.text for image in self.images for caption in image.captions]

    @cached_property
    def caption_image(self) -> NDArray[np.int64]:
        """(captions,) the image row of each caption."""
        counts = [len(image.captions) for image in self.images]
        return np.repeat(np.arange(len(self.images), dtype=np.int64), counts)

    def content_hash(self) -> str:
        """A hash of ids, texts and splits."""
        parts = []
        for image in self.images:
            parts += [image.id, image.split, str(len(image.captions))]
            parts += [word for caption in image.captions for word in (caption.id, caption.text)]
        return hash_of(parts)

    def image_path(self, row: int) -> Path:
        """The picture file of an image.

        Raises:
            InputError: the data set has no pictures, or this image has none.
        """
        image = self.images[row]
        if self.image_folder is None or image.file is None:
            raise InputError(f"{self.name}: image {image.id} has no picture file; use the data set's features instead")
        return self.image_folder / image.file

    def feature_rows(self, name: str) -> NDArray[np.int64]:
        """(images,) the row of each image in a feature store.

        Raises:
            InputError: no such features, or some images have none.
        """
        if name not in self.features:
            known = ", ".join(sorted(self.features)) or "none"
            raise InputError(f"{self.name}: no features {name!r}; there are: {known}")
        return self.features[name].rows(self.image_ids)
