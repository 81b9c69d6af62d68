"""What a judged protocol is given: scores, the rows they are of, and people's or machines' judgements of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bcls.errors import InputError
from bcls.evaluation.similarity import Blocks, similarity_blocks
from bcls.evaluation.truth import RetrievalTruth


@dataclass(frozen=True, eq=False)
class Task:
    """One model to be judged.

    Args:
        similarity: matrix (I, T), numpy or torch; or a function `(image rows, caption rows) -> block`, such as
            `CosineSimilarity`.
        truth: the image of every caption, and the ids of both sides where the protocol matches by ids.
        relevance: for graded protocols: matrix (I, T) in [0, 1], NaN = unknown; or an object with
            `matrix(images, captions)`.
        files: the judgements' files, where the protocol takes any.
    """

    similarity: Any
    truth: RetrievalTruth
    relevance: Any = None
    files: tuple[Path, ...] = ()

    def scores(self) -> Blocks:
        """The similarity, checked and block by block."""
        return similarity_blocks(self.similarity, self.truth)

    def ids(self, side: Literal["image", "caption"]) -> Sequence[str]:
        """The ids of a side.

        Raises:
            InputError: they are not known.
        """
        ids = self.truth.image_ids if side == "image" else self.truth.caption_ids
        if ids is None:
            raise InputError(
                f"this protocol finds its {side}s by their ids: name them with --{side}_ids, or give --data"
            )
        return ids
