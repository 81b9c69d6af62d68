"""What is on a made picture: groups of equal objects, and where they stand to each other."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

SHAPES = ("circle", "square", "triangle", "star", "heart", "cross", "diamond", "ring")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
SIZES = ("small", "large")
BACKGROUNDS = ("white", "grey", "black")
MOST = 4


@dataclass(frozen=True, slots=True)
class Group:
    """Some equal objects.

    Attributes:
        shape: one of `SHAPES`.
        colour: one of `COLOURS`.
        size: one of `SIZES`.
        count: 1 to 4.
    """

    shape: str
    colour: str
    size: str
    count: int


@dataclass(frozen=True, slots=True)
class Scene:
    """One to three groups on a background.

    Two groups stand in one relation: the first is `left of` or `above` the second. With three groups the relation is
    the same from each to the next.

    Attributes:
        groups: in the order of the relation.
        relation: `left of` or `above`.
        background: one of `BACKGROUNDS`.
    """

    groups: tuple[Group, ...]
    relation: str
    background: str

    def to_json(self) -> dict[str, Any]:
        """A JSON-able dict."""
        return {
            "groups": [asdict(group) for group in self.groups],
            "relation": self.relation,
            "background": self.background,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Scene:
        """The scene that gave this dict."""
        return cls(tuple(Group(**group) for group in value["groups"]), value["relation"], value["background"])


@dataclass(frozen=True, slots=True)
class Claim:
    """What a caption says of one group; None where it says nothing.

    Attributes:
        shape: one of `SHAPES`.
        colour: one of `COLOURS`.
        size: one of `SIZES`.
        count: 1 to 4.
    """

    shape: str | None = None
    colour: str | None = None
    size: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """What a caption says, independent of its words.

    Attributes:
        groups: one claim a mentioned group.
        relation: of the first mentioned group to the second: `left of`, `right of`, `above`, `below`; None = not said.
        background: None = not said.
    """

    groups: tuple[Claim, ...]
    relation: str | None = None
    background: str | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON-able dict."""
        return {
            "groups": [asdict(group) for group in self.groups],
            "relation": self.relation,
            "background": self.background,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Claims:
        """The claims that gave this dict."""
        return cls(tuple(Claim(**group) for group in value["groups"]), value["relation"], value["background"])
