"""Agreement with people: the relevance judgements of Flickr8k.

Hodosh, Young and Hockenmaier, "Framing Image Description as a Ranking Task" (JAIR 2013) had pairs of test images and
captions judged: by three experts from 1 (unrelated) to 4 (describes the image), and by a crowd with yes or no. By the
usual protocol (as in CLIPScore, Hessel et al. 2021) every judge's grade is a pair of its own, pairs whose caption is
the image's own are left out, and tau-c is reported for the experts, tau-b for the crowd.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bcls.arrays import to_array
from bcls.errors import InputError


@dataclass(frozen=True)
class Judgement:
    """What people said about one image and one caption.

    Args:
        image: image file, as the data set names it.
        caption: caption id, `FILE#NUMBER`.
        grades: one number for each judge (expert), or the share of yes alone (crowd).
    """

    image: str
    caption: str
    grades: tuple[float, ...]

    @property
    def own(self) -> bool:
        """Whether the caption was written for this image."""
        return self.caption.rpartition("#")[0] == self.image


class GradedPairs(NamedTuple):
    """Pairs to be scored, one for each grade: an image file, a caption id and the grade, P each."""

    images: list[str]
    captions: list[str]
    grades: NDArray[np.float64]


class Agreement(NamedTuple):
    """Kendall's tau between scores and grades, in both corrections for ties, and the number of pairs."""

    tau_b: float
    tau_c: float
    pairs: int


def read_expert(path: str | Path) -> list[Judgement]:
    r"""Read `ExpertAnnotations.txt`: image file, caption id, three grades of 1 to 4, tab-separated.

    Raises:
        InputError: the file is missing or empty, or a row is not of this form; the message names the line.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "ExpertAnnotations.txt"
        >>> _ = path.write_text("a.jpg\tb.jpg#2\t1\t1\t2\n")
        >>> read_expert(path)
        [Judgement(image='a.jpg', caption='b.jpg#2', grades=(1.0, 1.0, 2.0))]
    """
    judgements = []
    for place, image, caption, fields in _rows(Path(path), numbers=3):
        grades = tuple(_whole(field, place) for field in fields)
        if not all(1 <= grade <= 4 for grade in grades):
            raise InputError(f"{place}: grades are 1 to 4, got {', '.join(fields)}")
        judgements.append(Judgement(image, caption, tuple(map(float, grades))))
    return judgements


def read_crowdflower(path: str | Path) -> list[Judgement]:
    r"""Read `CrowdFlowerAnnotations.txt`: image file, caption id, share of yes, count of yes, count of no.

    Returns:
        Judgements with one grade each: the share of yes, 0..1.

    Raises:
        InputError: the file is missing or empty, or a row is not of this form; the message names the line.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "CrowdFlowerAnnotations.txt"
        >>> _ = path.write_text("a.jpg\tb.jpg#2\t0.25\t1\t3\n")
        >>> read_crowdflower(path)
        [Judgement(image='a.jpg', caption='b.jpg#2', grades=(0.25,))]
    """
    judgements = []
    for place, image, caption, (share_field, *counts) in _rows(Path(path), numbers=3):
        yes, no = (_whole(field, place) for field in counts)
        try:
            share = float(share_field)
        except ValueError:
            raise InputError(f"{place}: the share of yes is {share_field!r}, not a number") from None
        if not 0 <= share <= 1:
            raise InputError(f"{place}: the share of yes is {share_field}, not between 0 and 1")
        if min(yes, no) < 0 or yes + no == 0:
            raise InputError(f"{place}: {yes} yes and {no} no are not the votes of anybody")
        judgements.append(Judgement(image, caption, (share,)))
    return judgements


def graded_pairs(judgements: Sequence[Judgement]) -> GradedPairs:
    """Every grade as a pair of its own, without the pairs whose caption is the image's own.

    Raises:
        InputError: no pair is left.

    Example:
        >>> pairs = graded_pairs([Judgement("a.jpg", "b.jpg#0", (1.0, 2.0)), Judgement("a.jpg", "a.jpg#3", (4.0,))])
        >>> pairs.captions, pairs.grades
        (['b.jpg#0', 'b.jpg#0'], array([1., 2.]))
    """
    kept = [(judgement, grade) for judgement in judgements if not judgement.own for grade in judgement.grades]
    if not kept:
        raise InputError("no judgement is left: every caption is the image's own, or there are none")
    return GradedPairs(
        [judgement.image for judgement, _ in kept],
        [judgement.caption for judgement, _ in kept],
        np.array([grade for _, grade in kept]),
    )


def agreement(similarity: ArrayLike, grades: ArrayLike) -> Agreement:
    """Kendall's tau between a model's scores and people's grades, over all pairs of judged pairs.

    Args:
        similarity: the model's score of each judged pair, shape (P,), finite.
        grades: the grade of each, shape (P,), finite.

    Returns:
        tau-b and tau-c (-1..1; NaN where all scores or all grades are alike) and P.

    Raises:
        InputError: shapes differ, fewer than two pairs, or a value that is not finite.

    Example:
        >>> round(agreement([0.1, 0.4, 0.3, 0.9], [1, 2, 2, 4]).tau_b, 4)
        0.9129
    """
    from scipy.stats import kendalltau  # noqa: PLC0415 - a third of a second that only this function needs

    scores, given = (
        to_array(values, name).astype(np.float64) for values, name in ((similarity, "similarity"), (grades, "grades"))
    )
    if scores.ndim != 1 or scores.shape != given.shape or scores.size < 2:
        raise InputError(
            f"similarity and grades must be lists of one length, at least 2, "
            f"got shapes {scores.shape} and {given.shape}"
        )
    for name, values in (("similarity", scores), ("grade", given)):
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            raise InputError(f"the {name} of pair {bad[0]} is {values[bad[0]]}, not a finite number")
    tau_b, tau_c = (float(kendalltau(scores, given, variant=variant).statistic) for variant in ("b", "c"))
    return Agreement(tau_b, tau_c, scores.size)


def _rows(path: Path, numbers: int) -> Iterator[tuple[str, str, str, list[str]]]:
    """For each row: its place for messages, image file, caption id, and its further fields."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    if not lines:
        raise InputError(f"{path}: the file is empty")
    for number, line in enumerate(lines, start=1):
        place = f"{path}: line {number}"
        fields = line.split("\t")
        if len(fields) != 2 + numbers:
            raise InputError(f"{place}: {2 + numbers} tab-separated fields are needed, there are {len(fields)}")
        image, caption, *rest = fields
        if not image or not caption.rpartition("#")[0] or not caption.rpartition("#")[2].isdigit():
            raise InputError(
                f"{place}: an image file and a caption id FILE#NUMBER are needed, got {image!r}, {caption!r}"
            )
        yield place, image, caption, rest


def _whole(field: str, place: str) -> int:
    try:
        return int(field)
    except ValueError:
        raise InputError(f"{place}: {field!r} is not a whole number") from None
