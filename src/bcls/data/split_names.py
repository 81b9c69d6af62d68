"""Which splits are meant by a name, or by several names joined by `+`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bcls.errors import InputError


def chosen_splits(names: str | Sequence[str], known: Collection[str], source: str) -> set[str]:
    """The splits that are named.

    Args:
        names: a split's name, several of them joined by `+`, or a sequence of such names.
        known: the splits of the data set.
        source: the data set's name, for messages.

    Returns:
        Names of `known`. A split whose own name has a `+` is meant by that name.

    Raises:
        InputError: there is no such split; or `a+b` is a split and `a` and `b` are, too, so that it has two meanings.

    Example:
        >>> sorted(chosen_splits("train+restval", ["train", "restval", "val"], "coco"))
        ['restval', 'train']
        >>> chosen_splits("train+validation", ["train+validation", "test"], "mine")
        {'train+validation'}
    """
    given = [names] if isinstance(names, str) else names
    wanted = {part for name in given for part in _parts(name, known, source)}
    unknown = sorted(wanted - set(known))
    if unknown:
        missing, there = ", ".join(map(repr, unknown)), ", ".join(sorted(known))
        raise InputError(
            f"{source}: no split {missing}; there are {there}; choose with --split, --splits or data.*_split"
        )
    return wanted


def _parts(name: str, known: Collection[str], source: str) -> list[str]:
    parts = name.split("+")
    if name not in known:
        return parts
    if len(parts) > 1 and all(part in known for part in parts):
        raise InputError(
            f"{source}: {name!r} is a split, but its parts {', '.join(map(repr, parts))} are splits as well: the name "
            "has two meanings; rename one of the splits"
        )
    return [name]
