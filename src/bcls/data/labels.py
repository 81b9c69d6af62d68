"""Continuous labels of a data set's split: made once, kept, and checked on each opening."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

from bcls.data.dataset import RetrievalDataset
from bcls.data.record_checks import refuse_unusable
from bcls.relevance import Calibration, CaptionRelevance, Scorer, captions_hash, open_labels, write_labels

logger = logging.getLogger("bcls")


def label_split(
    dataset: RetrievalDataset,
    split: str,
    scorer: Scorer,
    folder: Path,
    *,
    fit_split: str = "train",
    aggregate: Literal["max", "mean"] = "max",
    calibration: Calibration | None = None,
    overwrite: bool = False,
) -> CaptionRelevance:
    """Relevance between the images and captions of a split, from encodings in `folder`, made if missing.

    The scorer's document frequencies come from `fit_split` whatever is labelled, so that relevance means the
    same on every split.

    Args:
        dataset: the whole data set.
        split: which part to label.
        scorer: what compares two captions.
        folder: where encodings are kept: `folder/SCORER/SPLIT/`.
        fit_split: the part to fit the scorer on.
        aggregate: over an image's captions, the best or the mean.
        calibration: puts the scorer's similarities on the scale of human ratings; the encodings that are kept stay as
            they are. None = similarities as they are.
        overwrite: encode again what is there already.

    Raises:
        InputError: the calibration is for another scorer, the kept encodings are of other captions or settings
            (stale), or the split is unknown.
    """
    if calibration is not None:
        calibration.require(scorer)
    part = dataset.split(split)
    fitted_on = dataset.split(fit_split)
    for used in (part, fitted_on):
        refuse_unusable(used, dataset.name)
    fit_hash = captions_hash(fitted_on.caption_texts, fitted_on.caption_ids, fitted_on.caption_image)
    captions = (part.caption_texts, part.caption_ids, part.caption_image)
    kept = label_folder(folder, scorer, split)
    if overwrite or not kept.exists():
        logger.info("encoding %d captions of %s with %s", len(part.caption_texts), split, scorer.name)
        scorer.fit(fitted_on.caption_texts, fitted_on.caption_image)
        write_labels(kept, scorer, *captions, fitted_on=fit_hash)
    encodings = open_labels(kept, scorer, *captions, fitted_on=fit_hash)
    return CaptionRelevance(encodings, part.caption_image, aggregate=aggregate, calibration=calibration)


def label_folder(folder: Path, scorer: Scorer, split: str) -> Path:
    """Where the encodings of a split by a scorer are kept."""
    return folder / scorer.name / split
