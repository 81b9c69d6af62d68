"""Which members of a webdataset shard make a sample, with names that have dots in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from bcls.data.left_out import Tally
from bcls.errors import InputError

CAPTIONS = {"txt", "json"}


class Member(NamedTuple):
    """One file of a shard.

    Attributes:
        folder: the folder that it lies in, with a `/` at its end, or empty.
        stem: its name without the last suffix, e.g. `photo.v2` of `photo.v2.jpg`.
        kind: its last suffix in small letters, without the dot.
        content: its bytes.
    """

    folder: str
    stem: str
    kind: str
    content: bytes

    @property
    def key(self) -> str:
        """What webdataset takes for the name of the sample: everything before the first dot."""
        return self.folder + self.stem.partition(".")[0]

    @property
    def is_image(self) -> bool:
        """Whether it is an image; else it is a caption."""
        return self.kind not in CAPTIONS


class Sample(NamedTuple):
    """An image and the files of its captions.

    Attributes:
        name: as its members are called, without a suffix.
        image: the bytes of the image.
        captions: the bytes of the `txt` and the `json` file, as far as they are there.
    """

    name: str
    image: bytes
    captions: dict[str, bytes]


def samples_of(members: Iterable[Member], shard: str, tally: Tally) -> Iterator[Sample]:
    """Neighbouring members as samples.

    Members whose names are equal up to the last dot (`photo.v2.jpg`, `photo.v2.txt`) are a sample. Webdataset itself
    cuts at the first dot, so that `0001.jpg`, `0001.txt` and `0001.mask.png` are fields of the sample `0001`: of such
    fields those without a caption of their own are left out beside a sample that has one, and counted.

    Args:
        members: images and captions, in the order of the shard.
        shard: its name, for messages.
        tally: counts what is left out.

    Raises:
        InputError: a caption without an image beside it, several images of one name, captions of which it is not
            certain to which image they belong, or a name that comes again later in the shard.
    """
    seen: set[str] = set()
    for key, run in groupby(members, key=lambda member: member.key):
        stems: dict[str, list[Member]] = {}
        for member in run:
            stems.setdefault(member.stem, []).append(member)
        if key in seen:
            raise InputError(
                f"{shard}: {key}: members of this name stand at two places of the shard; the members of a sample must "
                "be neighbours, and a name that was appended anew would count twice"
            )
        seen.add(key)
        folder = key.rpartition("/")[0]
        for stem, parts in _chosen(stems, key.rpartition("/")[2], f"{shard}: {key}", tally).items():
            name = f"{folder}/{stem}" if folder else stem
            yield _sample(name, parts, f"{shard}: {name}")


def _chosen(stems: dict[str, list[Member]], key: str, place: str, tally: Tally) -> dict[str, list[Member]]:
    """The samples among members that are equal up to the first dot, by their names up to the last dot."""
    with_image = [stem for stem, parts in stems.items() if any(part.is_image for part in parts)]
    with_caption = [stem for stem, parts in stems.items() if not all(part.is_image for part in parts)]
    complete = [stem for stem in with_image if stem in with_caption]
    bare = [stem for stem in with_caption if stem not in with_image]
    if not with_image:
        kinds = ", ".join(sorted({part.kind for parts in stems.values() for part in parts}))
        raise InputError(
            f"{place}: there is no picture beside {kinds}; the members of a sample must be neighbours in the shard"
        )
    if not bare and key not in complete:
        return stems  # every stem has an image; those without captions are for `check_dataset` to list
    if key in complete:
        for stem in (stem for stem in stems if stem not in complete):
            for part in stems[stem]:
                tally.add("members that are further fields of a sample", f"{part.folder}{part.stem}.{part.kind}")
        return {stem: stems[stem] for stem in complete}
    if len(with_image) == len(bare) == 1 and not complete:
        return {with_image[0]: stems[with_image[0]] + stems[bare[0]]}
    raise InputError(
        f"{place}: {len(with_image)} images ({', '.join(with_image[:3])}) and {len(bare)} captions "
        f"({', '.join(bare[:3])}) have names that are equal up to the first dot only: it is not certain which belong "
        "together; give an image and its caption one name"
    )


def _sample(name: str, parts: list[Member], place: str) -> Sample:
    images = [part for part in parts if part.is_image]
    if len(images) > 1:
        kinds = " and ".join(part.kind for part in images)
        raise InputError(f"{place}: there are {len(images)} images of this name ({kinds}); a sample has one")
    captions = {part.kind: part.content for part in parts if not part.is_image}
    if len(captions) + 1 != len(parts):
        raise InputError(f"{place}: a caption file stands there twice")
    return Sample(name, images[0].content, captions)
