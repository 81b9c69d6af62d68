"""Row numbers from outside: numpy would take a negative one from the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bcls.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def refuse_rows(what: str, rows: NDArray[np.int64], count: int) -> None:
    """Refuse a row that there is not.

    Raises:
        InputError: tells the row, and how many there are.

    Example:
        >>> import numpy as np
        >>> refuse_rows("caption", np.array([0, 3]), 3)
        Traceback (most recent call last):
        bcls.errors.InputError: caption row 3: there are 3 captions, counted from 0
    """
    if len(rows) and not 0 <= rows.min() <= rows.max() < count:
        wrong = rows.min() if rows.min() < 0 else rows.max()
        raise InputError(f"{what} row {wrong}: there are {count} {what}s, counted from 0")
