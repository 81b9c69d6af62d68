"""True relevance of made pictures and captions, from the scenes themselves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from bcls.data.scenes.scene import BACKGROUNDS, COLOURS, MOST, SHAPES, SIZES, Claims, Scene

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS = {"shape": 0.4, "colour": 0.35, "count": 0.15, "size": 0.1}
RELATION_WEIGHT = 0.3
BACKGROUND_WEIGHT = 0.2
MOST_GROUPS = 3
BLOCK_ELEMENTS = 1 << 20


class SceneRelevance:
    """The share of a caption's claims that a picture fulfils, by weight, with partial credit.

    A claim about a group is compared with a group of the picture: shape, colour and size count if they are equal, the
    number by 1 - difference / 3. Claimed groups are matched to different groups of the picture in the best way (a
    claimed group without a partner is unfulfilled). The relation counts if it holds between the partners; the
    background if it is equal. So 1 means that the caption is true of the picture, whoever's caption it is: a vague
    caption is fully relevant to many pictures, and that is as it should be, since a person would say so too.

    Args:
        scenes: one an image, in the order of the images.
        claims: one a caption, in the order of the captions.

    Example:
        >>> from bcls.data.scenes import Claim, Claims, Group, Scene
        >>> scene = Scene((Group("circle", "red", "small", 2),), "left of", "white")
        >>> red_discs = Claims((Claim(shape="circle", colour="red"),))
        >>> blue_disc = Claims((Claim(shape="circle", colour="blue"),))
        >>> SceneRelevance([scene], [red_discs, blue_disc]).matrix(np.array([0]), np.array([0, 1])).round(2)
        array([[1.  , 0.53]], dtype=float32)
    """

    def __init__(self, scenes: Sequence[Scene], claims: Sequence[Claims]) -> None:
        self._groups = _encode_groups(scenes)
        self._claims, self._weights = _encode_claims(claims)
        self._relation = np.array([_relation_sign(scene.relation) for scene in scenes], dtype=np.int8)
        self._claimed_relation = np.array([_relation_sign(claim.relation) for claim in claims], dtype=np.int8)
        self._background = np.array([_background_number(scene.background) for scene in scenes], dtype=np.int8)
        self._claimed_background = np.array([_background_number(claim.background) for claim in claims], dtype=np.int8)

    def matrix(self, images: NDArray[np.int64], captions: NDArray[np.int64]) -> NDArray[np.float32]:
        """(I,) image rows, (T,) caption rows -> (I, T) true relevance in [0, 1]; a block of images at a time."""
        result = np.empty((len(images), len(captions)), dtype=np.float32)
        rows = max(1, BLOCK_ELEMENTS // max(1, len(captions) * MOST_GROUPS**2))
        for start in range(0, len(images), rows):
            result[start : start + rows] = self._block(images[start : start + rows], captions)
        return result

    def _block(self, images: NDArray[np.int64], captions: NDArray[np.int64]) -> NDArray[np.float32]:
        credit = self._group_credit(images, captions)
        claimed = self._weights[captions].sum(axis=(1, 2)) if len(captions) else np.zeros(0, dtype=np.float32)
        sign = self._claimed_relation[captions]
        says_relation = np.asarray(sign != 0)
        same_axis = np.equal.outer(np.abs(self._relation[images]), np.abs(sign))
        best = np.zeros((len(images), len(captions)), dtype=np.float32)
        for partners in permutations(range(MOST_GROUPS)):
            fulfilled = sum(credit[:, :, claim, group] for claim, group in enumerate(partners))
            forward = partners[0] < partners[1]
            both = np.asarray(np.all(self._groups[images][:, list(partners[:2]), 0] >= 0, axis=1))
            holds = same_axis & np.equal(np.sign(sign), 1 if forward else -1)[None, :] & both[:, None]
            best = np.maximum(best, fulfilled + RELATION_WEIGHT * (holds & says_relation[None, :]))
        background = self._claimed_background[captions]
        says_background = background >= 0
        best += BACKGROUND_WEIGHT * (np.equal.outer(self._background[images], background) & says_background[None, :])
        total = claimed + RELATION_WEIGHT * says_relation + BACKGROUND_WEIGHT * says_background
        share: NDArray[np.float32] = np.minimum(best / total[None, :], 1.0).astype(np.float32)
        return share

    def _group_credit(self, images: NDArray[np.int64], captions: NDArray[np.int64]) -> NDArray[np.float32]:
        """(I, T, claimed groups, picture groups) weight of the fulfilled part of each claim by each group."""
        groups = self._groups[images][:, None, None, :, :]
        claims = self._claims[captions][None, :, :, None, :]
        weights = self._weights[captions][None, :, :, None, :]
        equal = (groups == claims).astype(np.float32)
        near = np.clip(1 - np.abs(groups[..., 2] - claims[..., 2]) / (MOST - 1), 0, 1)
        equal[..., 2] = np.where(groups[..., 2] > 0, near, 0)
        credit: NDArray[np.float32] = (equal * weights).sum(axis=-1)
        return credit


def _encode_groups(scenes: Sequence[Scene]) -> NDArray[np.int8]:
    """(images, 3, 4): shape, colour, count, size of each group; -1 = no such group."""
    encoded = np.full((len(scenes), MOST_GROUPS, 4), -1, dtype=np.int8)
    for row, scene in enumerate(scenes):
        for number, group in enumerate(scene.groups):
            encoded[row, number] = (
                SHAPES.index(group.shape),
                COLOURS.index(group.colour),
                group.count,
                SIZES.index(group.size),
            )
    return encoded


def _encode_claims(claims: Sequence[Claims]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(captions, 3, 4) claimed values (-2 = not said), and the weight of each."""
    values = np.full((len(claims), MOST_GROUPS, 4), -2, dtype=np.int8)
    weights = np.zeros((len(claims), MOST_GROUPS, 4), dtype=np.float32)
    for row, claim in enumerate(claims):
        for number, group in enumerate(claim.groups):
            said = (
                None if group.shape is None else SHAPES.index(group.shape),
                None if group.colour is None else COLOURS.index(group.colour),
                group.count,
                None if group.size is None else SIZES.index(group.size),
            )
            for place, (name, value) in enumerate(zip(("shape", "colour", "count", "size"), said, strict=True)):
                if value is not None:
                    values[row, number, place] = value
                    weights[row, number, place] = WEIGHTS[name]
    return values, weights


def _relation_sign(relation: str | None) -> int:
    """Axis by size, direction by sign; 0 = not said."""
    return {None: 0, "left of": 1, "right of": -1, "above": 2, "below": -2}[relation]


def _background_number(background: str | None) -> int:
    """A small number for a background; -1 = not said."""
    return -1 if background is None else BACKGROUNDS.index(background)
