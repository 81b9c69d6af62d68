"""Draws scenes with Pillow."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from bcls.data.scenes.scene import Scene

PALETTE = {
    "red": (214, 48, 49),
    "orange": (240, 140, 32),
    "yellow": (246, 209, 61),
    "green": (46, 158, 84),
    "blue": (45, 104, 214),
    "purple": (132, 74, 184),
    "pink": (242, 128, 176),
    "brown": (130, 84, 48),
}
BACKDROP = {"white": (248, 248, 246), "grey": (176, 178, 184), "black": (28, 29, 34)}
OVERSAMPLE = 4
RADIUS = {"small": 0.30, "large": 0.46}
Point = tuple[float, float]


def draw_scene(scene: Scene, size: int, random: np.random.Generator) -> Image.Image:
    """Draw a scene: each group in its own cell of the picture, objects in a jittered grid within the cell.

    Args:
        scene: what to draw.
        size: side of the square picture, in pixels.
        random: moves and turns objects a little.

    Returns:
        An RGB picture; the same for the same state of `random`.
    """
    side = size * OVERSAMPLE
    picture = Image.new("RGB", (side, side), BACKDROP[scene.background])
    pen = ImageDraw.Draw(picture)
    for group, (left, top, right, bottom) in zip(scene.groups, _cells(scene, side), strict=True):
        spots = _spots(group.count, left, top, right, bottom)
        room = min(_spacing(group.count, right - left, bottom - top), side / 2)
        for x, y in spots:
            radius = room * RADIUS[group.size] * float(random.uniform(0.92, 1.05))
            slack = max(0.0, room / 2 - radius)
            dx, dy = random.uniform(-slack, slack, size=2) * 0.7
            _draw(pen, group.shape, (x + float(dx), y + float(dy)), radius, PALETTE[group.colour])
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def _cells(scene: Scene, side: int) -> list[tuple[float, float, float, float]]:
    """Left, top, right, bottom of each group's cell."""
    count = len(scene.groups)
    cells = []
    for number in range(count):
        start, end = side * number / count, side * (number + 1) / count
        cells.append((start, 0.0, end, float(side)) if scene.relation == "left of" else (0.0, start, float(side), end))
    return cells


def _grid(count: int, width: float, height: float) -> tuple[int, int]:
    """Columns and rows that leave the objects most room."""
    options = [(columns, math.ceil(count / columns)) for columns in range(1, count + 1)]
    return max(options, key=lambda option: min(width / option[0], height / option[1]))


def _spacing(count: int, width: float, height: float) -> float:
    columns, rows = _grid(count, width, height)
    return min(width / columns, height / rows)


def _spots(count: int, left: float, top: float, right: float, bottom: float) -> list[Point]:
    columns, rows = _grid(count, right - left, bottom - top)
    spots = []
    for number in range(count):
        row, column = divmod(number, columns)
        in_row = min(columns, count - row * columns)
        x = left + (right - left) * (column + 0.5 + (columns - in_row) / 2) / columns
        spots.append((x, top + (bottom - top) * (row + 0.5) / rows))
    return spots


def _draw(pen: ImageDraw.ImageDraw, shape: str, centre: Point, radius: float, colour: tuple[int, int, int]) -> None:
    x, y = centre
    box = (x - radius, y - radius, x + radius, y + radius)
    if shape == "circle":
        pen.ellipse(box, fill=colour)
    elif shape == "ring":
        pen.ellipse(box, outline=colour, width=max(1, round(radius * 0.38)))
    else:
        pen.polygon([(x + radius * u, y + radius * v) for u, v in OUTLINES[shape]], fill=colour)


def _star() -> list[Point]:
    radii = [1.0, 0.45] * 5
    return [(r * math.sin(math.pi * k / 5), -r * math.cos(math.pi * k / 5)) for k, r in enumerate(radii)]


def _heart() -> list[Point]:
    turns = [2 * math.pi * k / 60 for k in range(60)]
    return [
        (
            math.sin(t) ** 3,
            -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 16,
        )
        for t in turns
    ]


OUTLINES: dict[str, list[Point]] = {
    "square": [(-0.86, -0.86), (0.86, -0.86), (0.86, 0.86), (-0.86, 0.86)],
    "triangle": [(0.0, -0.95), (0.98, 0.8), (-0.98, 0.8)],
    "diamond": [(0.0, -1.0), (0.7, 0.0), (0.0, 1.0), (-0.7, 0.0)],
    "cross": [
        (-0.32, -0.95), (0.32, -0.95), (0.32, -0.32), (0.95, -0.32), (0.95, 0.32), (0.32, 0.32),
        (0.32, 0.95), (-0.32, 0.95), (-0.32, 0.32), (-0.95, 0.32), (-0.95, -0.32), (-0.32, -0.32),
    ],
    "star": _star(),
    "heart": _heart(),
}  # fmt: skip
