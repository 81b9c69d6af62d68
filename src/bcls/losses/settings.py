"""What a loss refuses of its settings, in one voice: functions and classes ask the same."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from bcls.errors import InputError


def require_at_least(least: float, **settings: float) -> None:
    """Refuse a setting that is below `least`, infinite or NaN; it is named.

    Raises:
        InputError: as told.

    Example:
        >>> require_at_least(0, margin=0.2)
        >>> require_at_least(0, margin=-0.2)
        Traceback (most recent call last):
        bcls.errors.InputError: margin is -0.2; it must be at least 0
    """
    for name, value in settings.items():
        if not least <= value < math.inf:
            raise InputError(f"{name} is {value}; it must be at least {least:g}")


def require_above_zero(**settings: float) -> None:
    """Refuse a setting that is 0 or below, infinite or NaN; it is named.

    Raises:
        InputError: as told.
    """
    for name, value in settings.items():
        if not 0 < value < math.inf:
            raise InputError(f"{name} is {value}; it must be above 0")


def number_of(value: float | Tensor, name: str) -> float:
    """A setting that may be learnt, as a plain number.

    Raises:
        InputError: not a single number, or infinite or NaN, as a model that diverges makes it.

    Example:
        >>> number_of(0.5, "scale")
        0.5
    """
    if isinstance(value, Tensor) and value.numel() != 1:
        raise InputError(f"{name} must be one number, not a tensor of shape {tuple(value.shape)}")
    number = float(value.detach()) if isinstance(value, Tensor) else float(value)
    if not math.isfinite(number):
        raise InputError(f"{name} is {number}; it must be finite (a diverging model gives such numbers)")
    return number


def require_below_one(**settings: float) -> None:
    """Refuse a setting that is not in [0, 1), NaN with it; it is named.

    Raises:
        InputError: as told.
    """
    for name, value in settings.items():
        if not 0 <= value < 1:
            raise InputError(f"{name} is {value}; it must be at least 0 and below 1")


def require_one_of(choices: Sequence[str], **settings: str) -> None:
    """Refuse a word that is none of the choices; it is named.

    Raises:
        InputError: as told.
    """
    for name, value in settings.items():
        if value not in choices:
            raise InputError(f"{name} is {value!r}; it must be one of {', '.join(choices)}")


def require_window(window: int | float, *, least: int, pairs: str) -> None:
    """Refuse a width of SW-HS windows that is neither positions nor a share.

    Raises:
        InputError: an integer below `least`, or a float that is not above 0 and below 1.
    """
    fits = window >= least if isinstance(window, int) else 0 < window < 1
    if not fits:
        raise InputError(
            f"window is {window}; with pairs = {pairs!r} it must be an integer of at least {least} (positions) or "
            "a float above 0 and below 1 (share of the candidates)"
        )
