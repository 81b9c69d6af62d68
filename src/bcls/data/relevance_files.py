"""The one reader of given relevance: tables of rated pairs, and matrices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.evaluation.array_files import read_array, read_relevance
from bcls.relevance import MatrixRelevance, RelevanceSource, RelevanceTable
from bcls.relevance.rated_rows import refuse_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcls.data.dataset import RetrievalDataset

TABLES = (".csv", ".parquet")
ARRAYS = (".npy", ".safetensors")


def is_table(path: str | Path) -> bool:
    """Whether a file is a table of rated pairs, which names ids; else it is a matrix in the order of a split."""
    return Path(path).suffix.lower() in TABLES


def file_of(path: str | Path) -> Path:
    """The file itself, without the name of a tensor in it.

    Example:
        >>> file_of("labels/a.safetensors:relevance").name
        'a.safetensors'
    """
    file, colon, _ = str(path).partition(".safetensors:")
    return Path(f"{file}.safetensors" if colon else path)


def read_relevance_file(
    path: str | Path,
    part: RetrievalDataset,
    *,
    lowest: float = 0.0,
    highest: float = 1.0,
    aggregate: Literal["max", "mean"] = "max",
) -> RelevanceSource:
    r"""Read the relevance of a split's images and captions from a file.

    Args:
        path: `.csv` or `.parquet`: a table of rated pairs, see `RelevanceTable`. `.npy`, `.safetensors` or
            `FILE.safetensors:NAME`: a matrix (images, captions) in the order of the split, NaN = unknown.
        part: the split.
        lowest: the score that means no relevance.
        highest: the score that means full relevance; scores are rescaled to [0, 1].
        aggregate: over an image's rated captions, for a table of caption pairs.

    Raises:
        InputError: a file of another kind, or one that cannot be used; the message says what and where.

    Example:
        >>> import tempfile
        >>> from bcls.data import Caption, ImageRecord, RetrievalDataset
        >>> images = [ImageRecord(name, None, "val", (Caption(f"{name}#0", "a dog"),)) for name in "ab"]
        >>> part, file = RetrievalDataset("tiny", images), Path(tempfile.mkdtemp()) / "ratings.csv"
        >>> _ = file.write_text("image_id,caption_id,score\na,b#0,4\n")
        >>> read_relevance_file(file, part, highest=5.0).matrix(np.arange(2), np.arange(2))
        array([[1. , 0.8],
               [nan, 1. ]], dtype=float32)
    """
    if is_table(path):
        table = RelevanceTable(path, lowest=lowest, highest=highest)
        return table.source(part.image_ids, part.caption_ids, part.caption_image, aggregate=aggregate)
    if file_of(path).suffix.lower() not in ARRAYS:
        raise InputError(
            f"{path}: relevance is read from a table ({', '.join(TABLES)}) or a matrix ({', '.join(ARRAYS)})"
        )
    refuse_scale(lowest, highest)
    matrix = read_relevance(path) if (lowest, highest) == (0.0, 1.0) else _rescaled(path, lowest, highest)
    return MatrixRelevance(matrix, len(part.images), len(part.caption_ids), str(path))


def _rescaled(path: str | Path, lowest: float, highest: float) -> NDArray[Any]:
    matrix = np.asarray(to_array(read_array(path), str(path)))
    outside = np.argwhere((matrix < lowest) | (matrix > highest))
    if len(outside):
        place = tuple(outside[0].tolist())
        raise InputError(
            f"{path}: {matrix[place]} at {list(place)} is not in [{lowest:g}, {highest:g}]; give the lowest and "
            "highest score of its scale"
        )
    return (matrix.astype(np.float64) - lowest) / (highest - lowest)
