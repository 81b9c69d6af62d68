"""From a scorer's similarities to the scale of human ratings."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from bcls.arrays import to_array
from bcls.errors import InputError, MissingExtraError
from bcls.files import hash_of, read_json, write_json
from bcls.relevance.scorer import Scorer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FORMAT = 1


@dataclass(frozen=True)
class Calibration:
    """A rising curve from a scorer's similarity to the mean rating that people gave, both in [0, 1].

    Between its knots the curve is a straight line, beyond them it is level. After it a gap means the same for every
    scorer: a share of the human scale.

    Args:
        values: (K,) similarities at the knots, rising.
        relevance: (K,) ratings there, never falling.
        settings: of the scorer that it was fitted for, see `Scorer.settings`.
        fitted_on: in words, where the scorer's document frequencies came from.
        pairs: how many rated pairs it was fitted on.

    Raises:
        InputError: there is no knot, or the knots are no such curve.

    Example:
        >>> from bcls.relevance import CiderScorer
        >>> curve = Calibration((0.0, 0.5), (0.1, 0.9), CiderScorer().settings())
        >>> curve(np.array([0.0, 0.25, 0.8], dtype=np.float32))
        array([0.1, 0.5, 0.9], dtype=float32)
    """

    values: tuple[float, ...]
    relevance: tuple[float, ...]
    settings: dict[str, Any]
    fitted_on: str = ""
    pairs: int = 0

    def __post_init__(self) -> None:
        if not self.values or len(self.values) != len(self.relevance):
            raise InputError(f"a calibration of {len(self.values)} values and {len(self.relevance)} relevances")
        if not all(math.isfinite(number) for number in (*self.values, *self.relevance)):
            raise InputError("a calibration with a knot that is no finite number")
        if any(np.diff(self.values) <= 0) or any(np.diff(self.relevance) < 0):
            raise InputError("a calibration whose knots do not rise")
        if not 0 <= self.relevance[0] <= self.relevance[-1] <= 1:
            raise InputError("a calibration whose relevance leaves [0, 1]")

    @classmethod
    def fit(cls, values: ArrayLike, ratings: ArrayLike, scorer: Scorer, *, fitted_on: str = "") -> Self:
        """The curve with the least squared error among all that never fall (isotonic regression).

        Args:
            values: (P,) the scorer's similarities of rated pairs of captions.
            ratings: (P,) what people said, in [0, 1].
            scorer: that gave the values.
            fitted_on: in words, where its document frequencies came from.

        Raises:
            InputError: there are no pairs, the two lists differ in length, a similarity is not finite, or a rating is
                outside [0, 1].
            MissingExtraError: scikit-learn is not installed (the extra `text`).

        Cost: one sort and one pass. Source: isotonic regression, Barlow and others (1972).

        Example:
            >>> from bcls.relevance import CiderScorer
            >>> Calibration.fit([0.1, 0.2, 0.3, 0.4], [0.0, 0.6, 0.4, 1.0], CiderScorer()).relevance
            (0.0, 0.5, 0.5, 1.0)
        """
        try:
            from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415
        except ImportError:
            raise MissingExtraError("a calibration", "text") from None
        x, y = (to_array(given, name).astype(np.float64) for given, name in ((values, "values"), (ratings, "ratings")))
        if x.ndim != 1 or x.shape != y.shape or not len(x):
            raise InputError(f"values and ratings must be lists of one length, at least 1, got {x.shape} and {y.shape}")
        if not np.isfinite(x).all():
            raise InputError(f"similarity {np.flatnonzero(~np.isfinite(x))[0]} is {x[~np.isfinite(x)][0]}")
        outside = np.flatnonzero(~((y >= 0) & (y <= 1)))
        if outside.size:
            raise InputError(f"rating {outside[0]} is {y[outside[0]]}; it must lie in [0, 1]: rescale the ratings")
        curve = IsotonicRegression(y_min=0.0, y_max=1.0).fit(x, y)
        knots, heights = _numbers(curve.X_thresholds_), _numbers(curve.y_thresholds_)
        return cls(knots, heights, scorer.settings(), fitted_on, len(x))

    def __call__(self, similarity: NDArray[np.floating]) -> NDArray[np.float32]:
        """Similarities of any shape as relevance on the human scale; NaN stays NaN.

        Costs about 100 ns an element: 2 ms for a batch of 128 where `aggregate` is `max`.
        """
        relevance: NDArray[np.float32] = np.interp(
            to_array(similarity, "similarity"), self.values, self.relevance
        ).astype(np.float32)
        return relevance

    @property
    def hash(self) -> str:
        """64 hexadecimal digits for all that it is made of."""
        return hash_of([json.dumps(self._content(), sort_keys=True)])

    def require(self, scorer: Scorer, captions: Sequence[str] = ()) -> None:
        """Refuse a scorer with other settings than the one that it was fitted for.

        Args:
            scorer: that gives the similarities.
            captions: between which; a curve of an earlier release is refused where it found other words in them.

        Raises:
            InputError: names both settings.
        """
        settings = json.loads(json.dumps(scorer.settings()))
        if settings != scorer.current_settings(json.loads(json.dumps(self.settings)), captions):
            raise InputError(
                f"the calibration is for the scorer {self.settings}, but labels come from {settings}; make one for it "
                "with `bcls label audit`"
            )

    def save(self, path: str | Path) -> None:
        """Write a JSON file, whole or not at all."""
        write_json(path, {"format": FORMAT, **self._content()})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file of `save`.

        Raises:
            InputError: missing, not JSON, or not a calibration; names the file.
        """
        content = read_json(path)
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise InputError(f"{path}: not a calibration of this package; make one with `bcls label audit`")
        try:
            return cls(
                _numbers(content["values"]),
                _numbers(content["relevance"]),
                dict(content["settings"]),
                str(content["fitted_on"]),
                int(content["pairs"]),
            )
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: not a calibration ({type(error).__name__}: {error})") from None

    def _content(self) -> dict[str, Any]:
        return {
            "settings": self.settings,
            "fitted_on": self.fitted_on,
            "pairs": self.pairs,
            "values": list(self.values),
            "relevance": list(self.relevance),
        }


def _numbers(given: Sequence[Any]) -> tuple[float, ...]:
    return tuple(float(number) for number in given)
