"""Row numbers that there are not."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.relevance.row_numbers import refuse_rows


@pytest.mark.parametrize(("rows", "count"), [([], 0), ([], 3), ([0], 1), ([2, 0, 2], 3)])
def test_rows_that_there_are_pass(rows, count):
    refuse_rows("image", np.array(rows, np.int64), count)


@pytest.mark.parametrize(
    ("rows", "count", "wrong"),
    [([0], 0, 0), ([3], 3, 3), ([-1], 3, -1), ([0, 7, 1, 5], 3, 7), ([1, -2, -1], 3, -2), ([-1, 9], 3, -1)],
)
def test_a_row_that_there_is_not_is_told(rows, count, wrong):
    with pytest.raises(InputError, match=rf"^image row {wrong}: there are {count} images, counted from 0$"):
        refuse_rows("image", np.array(rows, np.int64), count)
