"""Continuous labels of a data set's split: made once, kept by what they were made from, and used again."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Literal

from bcls.data.dataset import RetrievalDataset
from bcls.data.record_checks import refuse_unusable
from bcls.files import hash_of
from bcls.locks import locked
from bcls.progress import counted
from bcls.relevance import Calibration, CaptionRelevance, Scorer, captions_hash, open_labels, write_labels
from bcls.relevance.store import is_store_of

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

    The folder may be shared by any number of data sets, scorers and processes: encodings are found by the scorer's
    settings and by the captions that they were made from, not by a name. An interrupted encoding is resumed by the
    next call. Of several processes that need the same encodings, one makes them and the others wait.

    The scorer's document frequencies come from `fit_split` whatever is labelled, so that relevance means the
    same on every split.

    Args:
        dataset: the whole data set.
        split: which part to label.
        scorer: what compares two captions.
        folder: where encodings are kept: `folder/SCORER/SPLIT-KEY/`, see `label_folder`; those that release 0.1 kept
            in `folder/SCORER/SPLIT/` are used where they are of the same captions and settings.
        fit_split: the part to fit the scorer on.
        aggregate: over an image's captions, the best or the mean.
        calibration: puts the scorer's similarities on the scale of human ratings; the encodings that are kept stay as
            they are. None = similarities as they are.
        overwrite: encode again what is there already.

    Raises:
        InputError: the calibration is for another scorer, the kept encodings are damaged, or a split is unknown.
    """
    part, fitted_on = dataset.split(split), dataset.split(fit_split)
    if calibration is not None:
        calibration.require(scorer, part.caption_texts)
    for used in (part, fitted_on):
        refuse_unusable(used, dataset.name)
    kept, fit_hash = label_folder(folder, scorer, dataset, split, fit_split=fit_split), _hash(fitted_on)
    captions = (part.caption_texts, part.caption_ids, part.caption_image)
    older = folder / scorer.name / split
    if not overwrite and not kept.exists() and is_store_of(older, scorer, *captions, fitted_on=fit_hash):
        kept = older
    if overwrite or not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        lock = kept.with_name(f".{kept.name}.lock")
        with locked(lock, lambda: logger.info("waiting: %s is being made", kept), remove=True):
            if overwrite or not kept.exists():  # another process may have made it meanwhile
                logger.info("encoding %s of %s with %s", counted(len(captions[0]), "caption"), split, scorer.name)
                scorer.fit(fitted_on.caption_texts, fitted_on.caption_image)
                write_labels(kept, scorer, *captions, fitted_on=fit_hash, resume=True)
    encodings = open_labels(kept, scorer, *captions, fitted_on=fit_hash)
    return CaptionRelevance(encodings, part.caption_image, aggregate=aggregate, calibration=calibration)


def label_folder(
    folder: Path, scorer: Scorer, dataset: RetrievalDataset, split: str, *, fit_split: str = "train"
) -> Path:
    """Where the encodings of a split by a scorer are kept.

    The name ends in 16 digits of a hash of all that the encodings depend on: the scorer's settings, the split's
    captions with their ids and images, and the captions that the scorer is fitted on.

    Args:
        folder: that all encodings share.
        scorer: what compares two captions.
        dataset: the whole data set.
        split: which part is labelled.
        fit_split: the part that the scorer is fitted on.

    Raises:
        InputError: an unknown split.
    """
    settings = json.dumps(scorer.settings(), sort_keys=True)
    key = hash_of([settings, _hash(dataset.split(split)), _hash(dataset.split(fit_split))])[:16]
    return folder / scorer.name / f"{_of_a_file(split)}-{key}"


def _hash(part: RetrievalDataset) -> str:
    return captions_hash(part.caption_texts, part.caption_ids, part.caption_image)


def _of_a_file(split: str) -> str:
    """A split's name without what a file's name must not have; the key tells splits apart."""
    return re.sub(r"[^\w+.-]", "_", split)[:60]
