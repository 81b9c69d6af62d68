"""One side of a matrix of scores from files: its rows and their ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcls.errors import InputError
from bcls.evaluation import match_rows, read_ids
from bcls.progress import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Side:
    """One side of a matrix: what its rows are called, and how many the files hold."""

    what: str
    file: str
    rows: int
    ids_file: str | None

    def ids(self) -> list[str] | None:
        """The ids of the rows; None where no file of them was named."""
        if self.ids_file is None:
            return None
        ids = read_ids(self.ids_file)
        if len(ids) != self.rows:
            rows = counted(self.rows, self.what)
            raise InputError(f"{self.ids_file}: {counted(len(ids), 'id')} for the {rows} of {self.file}")
        return ids

    def order(self, wanted: list[str], source: str) -> NDArray[np.int64]:
        """The file's row of each of the data set's rows."""
        ids = self.ids()
        if ids is not None:
            return match_rows(ids, wanted, str(self.ids_file), source)
        if self.rows != len(wanted):
            raise InputError(
                f"{self.file}: {counted(self.rows, self.what)}, but {source} has {len(wanted)}; "
                f"rows must lie in its order, or name their ids with --{self.what}_ids"
            )
        return np.arange(self.rows)
