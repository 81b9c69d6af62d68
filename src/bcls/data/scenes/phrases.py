"""Captions of scenes: what is claimed, and in which words."""

from __future__ import annotations

import numpy as np

from bcls.data.scenes.scene import Claim, Claims, Group, Scene

SHAPE_WORDS = {
    "circle": ("circle", "disc", "dot"),
    "square": ("square", "box"),
    "triangle": ("triangle",),
    "star": ("star",),
    "heart": ("heart",),
    "cross": ("cross", "plus sign"),
    "diamond": ("diamond", "rhombus"),
    "ring": ("ring", "hoop"),
}
COLOUR_WORDS = {
    "red": ("red", "scarlet"),
    "orange": ("orange",),
    "yellow": ("yellow", "golden"),
    "green": ("green",),
    "blue": ("blue",),
    "purple": ("purple", "violet"),
    "pink": ("pink",),
    "brown": ("brown",),
}
SIZE_WORDS = {"small": ("small", "little", "tiny"), "large": ("large", "big")}
COUNT_WORDS = {1: ("a", "one"), 2: ("two", "a pair of"), 3: ("three",), 4: ("four",)}
PLURALS = {"box": "boxes", "cross": "crosses", "rhombus": "rhombuses"}
REVERSED = {"left of": "right of", "above": "below"}
RELATION_WORDS = {
    "left of": ("to the left of", "left of"),
    "right of": ("to the right of", "right of"),
    "above": ("above", "over"),
    "below": ("below", "under"),
}
OPENINGS = ("", "", "", "a picture of ", "an image with ", "we see ")


def describe(scene: Scene, random: np.random.Generator) -> tuple[str, Claims]:
    """One caption of a scene, at a random level of detail and in random words, and what it claims.

    Everything that it claims is true of the scene.

    Args:
        scene: what is on the picture.
        random: chooses.

    Returns:
        The caption and its claims.
    """
    claims = _choose_claims(scene, random)
    return _say(claims, random), claims


def _choose_claims(scene: Scene, random: np.random.Generator) -> Claims:
    """Keep each attribute with a chance that the caption's level of detail sets; mention one group or more."""
    detail = float(random.choice([0.45, 0.7, 0.95]))
    mentioned = [number for number in range(len(scene.groups)) if random.random() < 0.4 + 0.6 * detail]
    if not mentioned:
        mentioned = [int(random.integers(len(scene.groups)))]
    if len(mentioned) > 1 and random.random() < 0.4:
        mentioned.reverse()
    groups = tuple(_claim(scene.groups[number], detail, random) for number in mentioned)
    relation = None
    if len(mentioned) == 2 and random.random() < detail:
        relation = scene.relation if mentioned[0] < mentioned[1] else REVERSED[scene.relation]
    background = scene.background if random.random() < 0.4 * detail else None
    return Claims(groups, relation, background)


def _claim(group: Group, detail: float, random: np.random.Generator) -> Claim:
    keep_shape = random.random() < 0.6 + 0.4 * detail
    keep_colour = not keep_shape or random.random() < 0.3 + 0.7 * detail
    return Claim(
        shape=group.shape if keep_shape else None,
        colour=group.colour if keep_colour else None,
        size=group.size if random.random() < detail - 0.2 else None,
        count=group.count if group.count == 1 or random.random() < 0.2 + 0.8 * detail else None,
    )


def _say(claims: Claims, random: np.random.Generator) -> str:
    said = [_say_group(claim, random) for claim in claims.groups]
    if claims.relation is not None:
        text = f"{said[0]} {_pick(RELATION_WORDS[claims.relation], random)} {said[1]}"
    elif len(said) == 1:
        text = said[0]
    else:
        text = f"{', '.join(said[:-1])} and {said[-1]}"
    if claims.background is not None:
        text += f" on a {claims.background} background"
    return _pick(OPENINGS, random) + text


def _say_group(claim: Claim, random: np.random.Generator) -> str:
    many = claim.count is None or claim.count > 1
    noun = _pick(SHAPE_WORDS[claim.shape], random) if claim.shape else "shape"
    words = [
        _pick(COUNT_WORDS[claim.count], random) if claim.count else "some",
        _pick(SIZE_WORDS[claim.size], random) if claim.size else "",
        _pick(COLOUR_WORDS[claim.colour], random) if claim.colour else "",
        PLURALS.get(noun, f"{noun}s") if many else noun,
    ]
    text = " ".join(word for word in words if word)
    return f"an {text[2:]}" if text.startswith("a o") else text


def _pick(words: tuple[str, ...], random: np.random.Generator) -> str:
    return words[int(random.integers(len(words)))]
