"""Places for names beside points so that none covers another. Plain geometry: it knows nothing of drawing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DISTANCES = (4.0, 9.0, 16.0, 26.0, 40.0, 58.0, 80.0)
ANGLES = np.deg2rad([0, 180, 45, 135, 315, 225, 90, 270, 22, 158, 338, 202, 67, 113, 293, 247])
POINT = 5.0
ROOM = 1.5


def label_places(
    points: NDArray[np.float64], sizes: NDArray[np.float64], frame: tuple[float, float, float, float]
) -> NDArray[np.float64]:
    """The centre of each label: the nearest free place beside its point, or the one that covers least.

    Labels are placed one after the other, those of crowded points first. A free place lies within the frame and covers
    neither a point nor a label.

    Args:
        points: (N, 2) places of the points.
        sizes: (N, 2) widths and heights of the labels, in the same unit, which is about a printer's point.
        frame: left, bottom, right, top of the picture.

    Returns:
        (N, 2) centres.

    Example:
        >>> label_places(np.array([[50.0, 50.0]]), np.array([[20.0, 8.0]]), (0, 0, 100, 100))
        array([[69., 50.]])
    """
    taken = [np.array([x - POINT, y - POINT, x + POINT, y + POINT]) for x, y in points]
    distances = np.linalg.norm(points[:, None] - points[None], axis=2) + np.where(np.eye(len(points)), np.inf, 0.0)
    centres = np.empty_like(points)
    for row in np.argsort(distances.min(axis=1, initial=np.inf), kind="stable"):
        candidates = _candidates(points[row], sizes[row])
        boxes = np.concatenate([candidates - sizes[row] / 2 - ROOM, candidates + sizes[row] / 2 + ROOM], axis=1)
        covered = _covered(boxes, taken) + _outside(boxes, frame)
        best = int(np.argmin(covered))  # the nearest of equals
        centres[row] = candidates[best]
        taken.append(boxes[best])
    return centres


def _candidates(point: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centres around a point, nearest first: the label's box begins at the distance."""
    directions = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
    return np.concatenate([point + directions * (size / 2 + POINT + distance) for distance in DISTANCES])


def _covered(boxes: NDArray[np.float64], taken: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Area that each box shares with those that are taken."""
    others = np.array(taken)
    sides = np.minimum(boxes[:, None, 2:], others[:, 2:]) - np.maximum(boxes[:, None, :2], others[:, :2])
    area: NDArray[np.float64] = np.clip(sides, 0, None).prod(axis=2).sum(axis=1)
    return area


def _outside(boxes: NDArray[np.float64], frame: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """How far each box leaves the frame; weighs more than any area."""
    left, bottom, right, top = frame
    over = [left - boxes[:, 0], bottom - boxes[:, 1], boxes[:, 2] - right, boxes[:, 3] - top]
    weight: NDArray[np.float64] = 1e6 * np.clip(np.stack(over), 0, None).sum(axis=0)
    return weight
